/* SPDX-License-Identifier: BSD-2-Clause */
/* tunl-metrics: started by `tunl metrics listen ADDR`. */
#include "metrics/metrics.h"

int main(int argc, char **argv)
{
	return metricsd_main(argc, argv);
}

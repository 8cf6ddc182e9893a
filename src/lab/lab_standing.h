/* SPDX-License-Identifier: BSD-2-Clause */
/* Labs that were left standing: `tunl lab exec|status|down`. */
#ifndef TUNL_LAB_LAB_STANDING_H
#define TUNL_LAB_LAB_STANDING_H

#include <stdbool.h>

/* Each returns the exit status (lab.h); messages are printed. */

/* argv: [ID] ROLE COMMAND...; the command takes the process over. */
int lab_exec(int argc, char **argv);

int lab_status(bool json);

/* Take down lab id; NULL: the only one there is, or with all every one that is not being run. */
int lab_down(const char *id, bool all, bool quiet);

#endif

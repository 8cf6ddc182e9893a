/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip: the personality, a program of its own beside tunl so that a call for the
 * real ip is not kept waiting by libraries that only the lab needs.
 */
#include "cli/cli.h"
#include "cli/ip.h"

int main(int argc, char **argv)
{
	return argc < 1 ? EXIT_SYNTAX : ip_main(argc, argv);
}

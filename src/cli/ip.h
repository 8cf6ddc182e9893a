/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `ip` personality: serves `ip tunnel ...`, `ip link add|set ... type KIND`
 * for the kinds that tunl has, and the detail lines of its devices in
 * `ip -d link show`. Every other call goes to the real ip by execv, with
 * arguments, environment, stdin and exit status as they are.
 */
#ifndef TUNL_CLI_IP_H
#define TUNL_CLI_IP_H

/*
 * The whole of `ip`. Returns the exit status (spec cli 0); does not return at
 * all where the real ip takes the call.
 */
int ip_main(int argc, char **argv);

#endif

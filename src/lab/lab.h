/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lab: a tunnel between two namespaces with a router between them, built
 * before one's eyes, pinged through, captured, explained and taken down again.
 */
#ifndef TUNL_LAB_LAB_H
#define TUNL_LAB_LAB_H

/*
 * `tunl lab run|up|exec|status|down|list ...`; argv[0] is "lab". Returns the
 * exit status: 0; 1 with the cause on stderr; 128 + signal where one ended it
 * (everything has been taken down); 255 for a wrong command line.
 */
int lab_main(int argc, char **argv);

#endif

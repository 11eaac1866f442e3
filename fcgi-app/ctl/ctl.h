/*
 * ctl/ctl.h - sluicectl, the tool of operators and DBAs.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

/* Reads the arguments, runs the command and prints. Returns the exit status. */
int ctl_main(int argc, char *argv[]);

#endif

/*
 * programs/sluicectl.c - the tool of operators and DBAs.
 */
#include "ctl/ctl.h"

int main(int argc, char *argv[])
{
	return ctl_main(argc, argv);
}

/*
 * run_tool.h - runs sluicectl in this process, for the tests of this room: from its arguments to
 * its exit status and what it has printed.
 */
#ifndef UNIT_RUN_TOOL_H
#define UNIT_RUN_TOOL_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "ctl/ctl.h"
#include "ctl/ctl_internal.h"

enum { TOOL_WORDS_MAX = 12, TOOL_OUTPUT_BYTES = 128 << 10 };

struct tool_run {
	int exit;
	char out[TOOL_OUTPUT_BYTES], err[TOOL_OUTPUT_BYTES]; /* terminated */
};

/* Puts an unnamed file in the place of a descriptor. */
static inline void tool_catch(int fd)
{
	char path[] = "/tmp/sluice-tool-XXXXXX";
	int file = mkstemp(path);

	if (file < 0 || unlink(path) != 0 || dup2(file, fd) != fd || close(file) != 0)
		abort();
}

static inline void tool_caught(int fd, int before, char text[TOOL_OUTPUT_BYTES])
{
	ssize_t n = pread(fd, text, TOOL_OUTPUT_BYTES - 1, 0);

	if (n < 0 || dup2(before, fd) != fd || close(before) != 0)
		abort();
	text[n] = '\0';
}

/* Asserts nothing, so that it can be run while allocations fail. words end with NULL. */
static inline const struct tool_run *run_tool(const char *const *words)
{
	static struct tool_run run;
	char name[] = "sluicectl", *argv[TOOL_WORDS_MAX + 2] = {name};
	int argc = 1, out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);

	while (argc <= TOOL_WORDS_MAX && words[argc - 1] != NULL) {
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
		argc++;
	}
	tool_catch(STDOUT_FILENO);
	tool_catch(STDERR_FILENO);
	run.exit = ctl_main(argc, argv);
	(void)fflush(stderr);
	tool_caught(STDOUT_FILENO, out, run.out);
	tool_caught(STDERR_FILENO, err, run.err);
	return &run;
}

#define RUN_TOOL(...) run_tool((const char *const[]){__VA_ARGS__, NULL})

/* For unit_torture(): STATUS_OK when the tool has done what it was asked, STATUS_NO_MEMORY when it
 * has said so and printed nothing, else STATUS_INTERNAL. */
static inline enum status tool_status(const struct tool_run *run)
{
	if (run->exit == CTL_FINE && run->err[0] == '\0')
		return STATUS_OK;
	return run->exit == CTL_FAILED && run->out[0] == '\0' &&
			       strcmp(run->err, "sluicectl: out of memory\n") == 0
		       ? STATUS_NO_MEMORY
		       : STATUS_INTERNAL;
}

#endif

/*
 * ctl/program.c - runs a program of the operator's. See ctl/ctl_internal.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/ctl_internal.h"

extern char **environ;

/* Starts it with its output on the standard error stream, since the other one is the tool's report.
 * Returns 0 or an errno. */
static int start(char *const arguments[], pid_t *child)
{
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error != 0)
		return error;
	error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	if (error == 0)
		error = posix_spawnp(child, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* Returns 0 or an errno, and the program's wait status. */
static int run(char *const arguments[], int *status)
{
	pid_t child;
	int error = start(arguments, &child);

	while (error == 0 && waitpid(child, status, 0) < 0)
		if (errno != EINTR)
			error = errno;
	return error;
}

const char *ctl_run_program(struct arena *arena, const struct slice words[], size_t count)
{
	static const char no_memory[] = "out of memory";
	char **arguments = (char **)arena_array(arena, count + 1, sizeof(*arguments));
	const char *failure = NULL;
	int status = 0;

	if (arguments == NULL)
		return no_memory;
	arguments[count] = NULL;
	for (size_t i = 0; i < count; i++) {
		arguments[i] = arena_copy(arena, words[i]);
		if (arguments[i] == NULL)
			return no_memory;
	}
	int error = run(arguments, &status);
	if (error != 0)
		failure = arena_format(arena, "could not run it: %s", strerror(error));
	else if (WIFSIGNALED(status))
		failure = arena_format(arena, "it was ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		failure = arena_format(arena, "it exited with %d", WEXITSTATUS(status));
	else
		return NULL;
	return failure == NULL ? no_memory : failure;
}

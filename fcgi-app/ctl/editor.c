/*
 * ctl/editor.c - the operator's editor. See ctl/ctl_internal.h.
 *
 * What is edited is a sender's: the file is for its user alone.
 */
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/ctl_internal.h"

extern char **environ;

static bool write_all(int fd, struct slice bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes = (struct slice){bytes.p + n, bytes.n - (size_t)n};
	}
	return true;
}

/* A new file with the bytes; its path is in the arena, NULL if it cannot be made. */
static char *make_file(struct ctl *ctl, struct slice bytes)
{
	const char *directory = getenv("TMPDIR");
	char *path = arena_format(&ctl->arena, "%s/sluicectl-XXXXXX",
				  directory == NULL || *directory == '\0' ? "/tmp" : directory);
	int fd = path == NULL ? -1 : mkstemp(path);

	if (fd < 0)
		return NULL;
	bool written = write_all(fd, bytes);
	if (close(fd) != 0 || !written) {
		(void)unlink(path);
		return NULL;
	}
	return path;
}

/* As git does: what the variable holds may be a command with options. Returns whether the editor
 * has ended well. */
static bool run_editor(char *path)
{
	char shell[] = "sh", option[] = "-c", name[] = "sluicectl";
	char script[] = "exec ${VISUAL:-${EDITOR:-vi}} \"$1\"";
	char *const arguments[] = {shell, option, script, name, path, NULL};
	int status = 0;
	pid_t child;

	if (posix_spawnp(&child, shell, NULL, NULL, arguments, environ) != 0)
		return false;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

enum ctl_exit ctl_edit(struct ctl *ctl, struct slice bytes, const char **path)
{
	char *file = make_file(ctl, bytes);

	*path = file;
	if (file == NULL)
		return ctl_fail(CTL_FAILED, "TMPDIR names another directory",
				"could not write a file to edit: %s", strerror(errno));
	if (run_editor(file))
		return CTL_FINE;
	(void)unlink(file);
	return ctl_fail(CTL_FAILED, "set VISUAL or EDITOR to your editor",
			"the editor failed, and nothing is replayed");
}

/*
 * server/trial.c - see server/trial.h. The child writes a byte, the status, and its message into a
 * pipe.
 */
#define _GNU_SOURCE /* close_range, pipe2 */
#include "server/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/process.h"

static _Noreturn void try_and_exit(int fd, trial_function *function, const struct config *config)
{
	struct buf verdict = buf_make(TRIAL_CAUSE_BYTES);

	/* Others wait for the end of what these are connected to. */
	if (dup2(fd, STDERR_FILENO + 1) < 0 || close_range(STDERR_FILENO + 2, ~0U, 0) != 0)
		_exit(EXIT_FAILURE);
	buf_add_char(&verdict, '\0');
	enum status status = function(config, &verdict);
	verdict.p[0] = (char)status;
	ssize_t written = write(STDERR_FILENO + 1, verdict.p, verdict.n);
	(void)written;
	_exit(EXIT_SUCCESS);
}

enum status trial_start(struct trial *trial, trial_function *function, const struct config *config,
			int *children)
{
	int ends[2];

	trial->fd = -1;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
		log_event(LOG_LEVEL_ERROR, "could not make a pipe",
			  LOG_TEXT("cause", strerror(errno)));
		return STATUS_BUSY;
	}
	pid_t child = process_fork(children, clock_now_ms() + config->request_timeout_ms);
	if (child == 0)
		try_and_exit(ends[1], function, config);
	(void)close(ends[1]);
	if (child < 0) {
		(void)close(ends[0]);
		return STATUS_BUSY;
	}
	trial->fd = ends[0];
	return STATUS_OK;
}

bool trial_has_ended(struct trial *trial, enum status *status, char *cause)
{
	char verdict[TRIAL_CAUSE_BYTES];

	if (trial->fd < 0)
		return false;
	ssize_t n = read(trial->fd, verdict, sizeof(verdict));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	trial_forget(trial);
	*status = n > 0 && (unsigned char)verdict[0] < STATUS_COUNT
			  ? (enum status)(unsigned char)verdict[0]
			  : STATUS_DEADLINE;
	size_t bytes = n > 1 ? (size_t)n - 1 : 0;
	memcpy(cause, verdict + 1, bytes);
	cause[bytes] = '\0';
	return true;
}

void trial_forget(struct trial *trial)
{
	if (trial->fd >= 0)
		(void)close(trial->fd);
	trial->fd = -1;
}

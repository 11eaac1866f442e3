/*
 * base/log_stream.c - the standard error stream. See base/log_internal.h.
 *
 * A pipe or socket is full when nobody reads it. The stream's own descriptor may be shared with a
 * supervisor and other programs, so O_NONBLOCK is set on one of our own where there can be one.
 */
#define _DEFAULT_SOURCE /* readlink */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log_internal.h"

enum { PATH_BYTES = 4096 };

static const char own_path[] = "/proc/self/fd/2";

static struct {
	enum { WAITS, IS_SOCKET, IS_PIPE, IS_TERMINAL } kind;
	int pipe;	       /* our own descriptor of it, or STDERR_FILENO */
	char path[PATH_BYTES]; /* of a file; "" of everything else */
} stream = {.kind = WAITS, .pipe = -1};

static void prepare_pipe(void)
{
	stream.kind = IS_PIPE;
	stream.pipe = open(own_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (stream.pipe >= 0)
		return;
	/* Another user has made it. What shares it is told instead of waiting, too. */
	stream.pipe = STDERR_FILENO;
	int flags = fcntl(STDERR_FILENO, F_GETFL);
	if (flags >= 0)
		(void)fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
}

void log_stream_prepare(void)
{
	struct stat is;

	if (stream.kind == IS_PIPE && stream.pipe != STDERR_FILENO)
		(void)close(stream.pipe);
	stream.kind = WAITS;
	stream.path[0] = '\0';
	if (fstat(STDERR_FILENO, &is) != 0)
		return;
	if (S_ISSOCK(is.st_mode)) {
		stream.kind = IS_SOCKET;
	} else if (S_ISFIFO(is.st_mode)) {
		prepare_pipe();
	} else if (S_ISREG(is.st_mode)) {
		ssize_t n = readlink(own_path, stream.path, sizeof(stream.path) - 1);
		stream.path[n < 0 ? 0 : n] = '\0';
	} else if (isatty(STDERR_FILENO)) {
		stream.kind = IS_TERMINAL;
	}
}

bool log_stream_reopen(void)
{
	struct stat is, there;

	if (*stream.path == '\0')
		return true;
	if (fstat(STDERR_FILENO, &is) == 0 && stat(stream.path, &there) == 0 &&
	    is.st_dev == there.st_dev && is.st_ino == there.st_ino)
		return true;
	int fd = open(stream.path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return false;
	bool done = dup2(fd, STDERR_FILENO) >= 0;
	(void)close(fd);
	return done;
}

static ssize_t write_some(const char *lines, size_t n)
{
	struct pollfd terminal = {.fd = STDERR_FILENO, .events = POLLOUT};

	switch (stream.kind) {
	case IS_SOCKET:
		return send(STDERR_FILENO, lines, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	case IS_PIPE:
		return write(stream.pipe, lines, n);
	case IS_TERMINAL:
		/* One that was stopped by Ctrl-S. */
		return poll(&terminal, 1, 0) == 1 ? write(STDERR_FILENO, lines, n) : -1;
	case WAITS:
	default:
		return write(STDERR_FILENO, lines, n);
	}
}

bool log_stream_write(const char *lines, size_t n)
{
	ssize_t written;

	errno = 0;
	do
		written = write_some(lines, n);
	while (written < 0 && errno == EINTR);
	return written == (ssize_t)n;
}

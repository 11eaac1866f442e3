/*
 * base/log_syslog.c - syslog, without waiting for it. See base/log_internal.h.
 *
 * The C library's syslog() waits while the socket's queue is full, so that a stopped logger would
 * stop every worker. The message is that of RFC 3164, as the C library writes it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/log_internal.h"

enum { MESSAGE_BYTES = 4096 + 128 };

const char *log_syslog_path = "/dev/log";
static int logger = -1;

static int open_socket(int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", log_syslog_path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	int error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

static void connect_to_logger(void)
{
	logger = open_socket(SOCK_DGRAM);
	if (logger < 0 && errno == EPROTOTYPE)
		logger = open_socket(SOCK_STREAM);
}

static bool deliver(const char *message, size_t n)
{
	ssize_t sent;

	do
		sent = send(logger, message, n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)n;
}

bool log_syslog_send(int priority, const char *program, const char *text, size_t n)
{
	char message[MESSAGE_BYTES], when[32] = "";
	time_t now = time(NULL);
	struct tm local;

	if (localtime_r(&now, &local) != NULL)
		(void)strftime(when, sizeof(when), "%h %e %T", &local);
	int length = snprintf(message, sizeof(message), "<%d>%s %s[%ld]: %.*s",
			      LOG_DAEMON | priority, when, program, (long)getpid(), (int)n, text);
	if (length >= (int)sizeof(message))
		length = (int)sizeof(message) - 1;
	/* With its terminator, which is what ends a message on a stream. */
	size_t bytes = (size_t)length + 1;
	if (logger < 0)
		connect_to_logger();
	if (logger < 0)
		return false;
	if (deliver(message, bytes))
		return true;
	if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE)
		return false; /* nobody reads it */
	/* The logger was started anew. */
	(void)close(logger);
	connect_to_logger();
	return logger >= 0 && deliver(message, bytes);
}

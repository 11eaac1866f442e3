/*
 * server/listener.c - see server/listener.h.
 */
#include "server/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/log.h"

enum { PAUSE_MS = 50, WAIT_US = 10000 };

/* The flag belongs to the socket, not to the descriptor: systemd clears it when it starts another
 * process with this socket as standard input, such as another worker or the command of a reload. */
static bool set_non_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 &&
	       ((flags & O_NONBLOCK) != 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
}

enum status listener_open(struct listener *listener, int fd)
{
	/* However short the time without the flag is, an accept in it must not wait. */
	const struct timeval wait = {.tv_usec = WAIT_US};

	*listener = (struct listener){.fd = fd};
	return set_non_blocking(fd) &&
			       setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0
		       ? STATUS_OK
		       : STATUS_INTERNAL;
}

int64_t listener_pause_ms(const struct listener *listener, int64_t now_ms)
{
	return listener->resume_ms > now_ms ? listener->resume_ms - now_ms : 0;
}

enum status listener_accept(struct listener *listener, struct fcgi *fcgi, int64_t now_ms)
{
	(void)set_non_blocking(listener->fd);
	enum status status = fcgi_accept(fcgi, listener->fd);

	if (status == STATUS_BUSY) {
		log_event(LOG_LEVEL_WARNING, "could not accept",
			  LOG_TEXT("cause", strerror(errno)));
		listener->resume_ms = now_ms + PAUSE_MS;
	}
	return status;
}

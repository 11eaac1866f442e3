/*
 * server/listener.c - see server/listener.h.
 */
#include "server/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/log.h"

enum { PAUSE_MS = 50 };

enum status listener_open(struct listener *listener, int fd)
{
	*listener = (struct listener){.fd = fd};
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0 ? STATUS_OK
									: STATUS_INTERNAL;
}

int64_t listener_pause_ms(const struct listener *listener, int64_t now_ms)
{
	return listener->resume_ms > now_ms ? listener->resume_ms - now_ms : 0;
}

enum status listener_accept(struct listener *listener, struct fcgi *fcgi, int64_t now_ms)
{
	enum status status = fcgi_accept(fcgi, listener->fd);

	if (status == STATUS_BUSY) {
		log_event(LOG_LEVEL_WARNING, "could not accept",
			  LOG_TEXT("cause", strerror(errno)));
		listener->resume_ms = now_ms + PAUSE_MS;
	}
	return status;
}

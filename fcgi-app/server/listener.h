/*
 * server/listener.h - the listening socket that spawn-fcgi, multiwatch or systemd passes to a
 * worker, and the pause after an accept for which descriptors or memory ran short.
 */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include "server/fcgi.h"

struct listener {
	int fd;
	int64_t resume_ms; /* a time of clock_now_ms(): no accept before it */
};

/* Makes the socket non-blocking. STATUS_OK or STATUS_INTERNAL. */
enum status listener_open(struct listener *listener, int fd) MUST_CHECK;

/* For how many milliseconds connections must not be accepted yet; 0: accept. */
int64_t listener_pause_ms(const struct listener *listener, int64_t now_ms);

/* As fcgi_accept(), and never waits, also if another process has made the socket blocking.
 * STATUS_BUSY is logged and begins a pause. */
enum status listener_accept(struct listener *listener, struct fcgi *fcgi,
			    int64_t now_ms) MUST_CHECK;

#endif

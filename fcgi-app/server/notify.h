/*
 * server/notify.h - tells systemd how the process is, by the protocol of sd_notify(3): a datagram
 * of VARIABLE=VALUE lines to the Unix socket named by NOTIFY_SOCKET. Without that variable nothing
 * is sent. A datagram that cannot be sent is dropped: a worker never waits for its service manager.
 */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

#include <stdint.h>

struct notify {
	int fd;		     /* a connected socket, or -1 */
	int64_t interval_ms; /* between signs of life; 0: none wanted */
	int64_t next_ms;     /* when the next one is due, a time of clock_now_ms() */
};

/*
 * Connects to the service manager, and takes from WATCHDOG_USEC, unless WATCHDOG_PID names another
 * process, how often it wants a sign of life: twice in that time.
 */
void notify_open(struct notify *notify, int64_t now_ms);

/* Sends a state: "READY=1", "STOPPING=1". */
void notify_send(const struct notify *notify, const char *state);

/* Sends that the configuration is being read again, which READY=1 ends. now_us is a time of
 * CLOCK_MONOTONIC in microseconds. */
void notify_reloading(const struct notify *notify, int64_t now_us);

/* Sends a sign of life if one is due. Returns when the next one is, INT64_MAX for never. */
int64_t notify_alive(struct notify *notify, int64_t now_ms);

#endif

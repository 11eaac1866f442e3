/*
 * server/notify.c - see server/notify.h.
 */
#include "server/notify.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or a name in the abstract namespace, written with @ for the NUL it begins with. */
static int connect_to(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t n = strlen(name);

	if ((*name != '/' && *name != '@') || n < 2 || n >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, name, n);
	if (*name == '@')
		address.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd < 0)
		return -1;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 ||
	    connect(fd, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* 0 if the variable is missing or no number. */
static long long number_of(const char *variable)
{
	const char *text = getenv(variable);

	return text == NULL ? 0 : strtoll(text, NULL, 10);
}

void notify_open(struct notify *notify, int64_t now_ms)
{
	const char *name = getenv("NOTIFY_SOCKET");
	long long watched = number_of("WATCHDOG_PID");

	*notify = (struct notify){.fd = name == NULL ? -1 : connect_to(name), .next_ms = now_ms};
	if (notify->fd >= 0 && (watched == 0 || watched == (long long)getpid()))
		notify->interval_ms = number_of("WATCHDOG_USEC") / 2000;
}

void notify_send(const struct notify *notify, const char *state)
{
	if (notify->fd >= 0)
		(void)send(notify->fd, state, strlen(state), MSG_NOSIGNAL);
}

void notify_reloading(const struct notify *notify, int64_t now_us)
{
	char state[64];

	(void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)now_us);
	notify_send(notify, state);
}

int64_t notify_alive(struct notify *notify, int64_t now_ms)
{
	if (notify->interval_ms <= 0)
		return INT64_MAX;
	if (now_ms >= notify->next_ms) {
		notify_send(notify, "WATCHDOG=1");
		notify->next_ms = now_ms + notify->interval_ms;
	}
	return notify->next_ms;
}

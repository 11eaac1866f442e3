/*
 * pg/hosts_internal.h - the addresses that a connection string stands for, one by one.
 *
 * libpq goes on to the next host when one fails, but with its asynchronous calls never when one is
 * silent. So they are tried one at a time, once that has happened.
 */
#ifndef PG_HOSTS_INTERNAL_H
#define PG_HOSTS_INTERNAL_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

enum { PG_HOSTS_MAX = 16, PG_HOST_BYTES = 256, PG_ADDRESS_BYTES = 64, PG_PORT_BYTES = 8 };

/* As libpq's options host, hostaddr and port; "" is its default. */
struct pg_host {
	char name[PG_HOST_BYTES];
	char address[PG_ADDRESS_BYTES]; /* "" of a socket's directory */
	char port[PG_PORT_BYTES];
};

struct pg_hosts {
	struct pg_host list[PG_HOSTS_MAX];
	size_t count; /* 0: the connection string as it is */
	size_t at;    /* the one that is tried, or was connected to */
	size_t tried; /* since one was connected to */
};

/*
 * Reads libpq's lists, which commas separate; NULL and "" are none. A name with several addresses
 * becomes several hosts; looking it up may wait, as libpq does for the same name. More than
 * PG_HOSTS_MAX are left out, as is a name or address that is too long.
 */
void pg_hosts_read(struct pg_hosts *hosts, const char *names, const char *addresses,
		   const char *ports);

/* Reads those of a connection, and stands at the one that it was trying. */
void pg_hosts_of(struct pg_hosts *hosts, PGconn *pg);

/* Goes on to the next. False if all have been tried; then none is left, and the connection string
 * is read anew. */
bool pg_hosts_next(struct pg_hosts *hosts);

#endif

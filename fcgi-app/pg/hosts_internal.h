/*
 * pg/hosts_internal.h - the addresses that a connection string stands for, one by one.
 *
 * libpq goes on to the next host when one fails, but with its asynchronous calls never when one is
 * silent. So they are tried one at a time, once that has happened. It also waits while it looks up
 * a name; so it is given addresses (pg/lookup_internal.h).
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
	size_t count;
	size_t at;	/* the one that is tried, or was connected to, where apart */
	size_t tried;	/* since one was connected to */
	bool apart;	/* one at a time, because one was silent; else libpq has all of them */
	bool looked_up; /* their names have been looked up */
};

/*
 * Reads libpq's lists, which commas separate; NULL and "" are none. Addresses among the names are
 * taken as such. More than PG_HOSTS_MAX are left out, as is a name or address that is too long.
 */
void pg_hosts_read(struct pg_hosts *hosts, const char *names, const char *addresses,
		   const char *ports);

/* Reads those of a connection that need not be open. */
void pg_hosts_of(struct pg_hosts *hosts, PGconn *pg);

/* Adds one; not beyond PG_HOSTS_MAX. */
void pg_hosts_add(struct pg_hosts *hosts, const struct pg_host *host);

/* Whether it has to be looked up: neither an address nor a socket's directory. */
bool pg_host_is_name(const struct pg_host *host);
bool pg_hosts_have_names(const struct pg_hosts *hosts);

/* Takes others in their place, and stands at the same one if it is among them. */
void pg_hosts_renew(struct pg_hosts *hosts, const struct pg_hosts *others);

/* From now on one at a time, beginning behind the one that the connection was trying. */
void pg_hosts_part(struct pg_hosts *hosts, PGconn *pg);

/* Goes on to the next. False if all have been tried, or if they are not tried one at a time; then
 * libpq has all of them again. */
bool pg_hosts_next(struct pg_hosts *hosts);

#endif

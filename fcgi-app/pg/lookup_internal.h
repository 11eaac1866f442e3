/*
 * pg/lookup_internal.h - looks up the names of hosts without waiting: other processes wait for the
 * resolver, one for each name, so that one name whose servers are silent does not hide the others.
 *
 * A lookup may outlast an attempt to connect: the next attempt finds what has come meanwhile.
 */
#ifndef PG_LOOKUP_INTERNAL_H
#define PG_LOOKUP_INTERNAL_H

#include <stdint.h>

#include "base/status.h"
#include "pg/hosts_internal.h"

enum { PG_LOOKUP_CAUSE_BYTES = 256 };

/* What one process says of its name: an address, or why there is none. */
struct pg_lookup_found {
	unsigned char host; /* its index */
	unsigned char failed;
	char text[PG_ADDRESS_BYTES];
};

struct pg_lookup {
	int fd; /* readable when there is something to read; -1: none is under way */
	int64_t started_ms;
	struct pg_lookup_found found[PG_HOSTS_MAX];
	size_t count;
};

/* Starts to look up the names among the hosts, unless that was started lately. STATUS_OK, or
 * STATUS_BUSY: no process can be made. */
enum status pg_lookup_start(struct pg_lookup *lookup, const struct pg_hosts *hosts) MUST_CHECK;

/*
 * Takes what has come. STATUS_AGAIN while there may be more. STATUS_OK: all has come, and each name
 * in hosts has become as many hosts as it has addresses, those without are gone.
 * STATUS_UNAVAILABLE: no host is left, and cause, which has room for PG_LOOKUP_CAUSE_BYTES, says
 * why.
 */
enum status pg_lookup_step(struct pg_lookup *lookup, struct pg_hosts *hosts,
			   char *cause) MUST_CHECK;

/* The same with what has come until now. STATUS_DEADLINE if that is nothing: the lookup goes on. */
enum status pg_lookup_hurry(struct pg_lookup *lookup, struct pg_hosts *hosts,
			    char *cause) MUST_CHECK;

/* Forgets it. */
void pg_lookup_drop(struct pg_lookup *lookup);

#endif

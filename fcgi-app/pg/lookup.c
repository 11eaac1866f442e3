/*
 * pg/lookup.c - see pg/lookup_internal.h.
 *
 * libpq waits while it looks up a name. So do the processes here, as in cancel.c nobody's children:
 * the one that starts them has ended when pg_lookup_start() returns. Each writes into the same
 * pipe, all of its addresses at once, and its end is the end of the last.
 */
#define _GNU_SOURCE /* close_range, fork, pipe2 */
#include "pg/lookup_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { LOOKUP_S = 8 };

/* A second for each of three name servers, and once more: one that is away is passed over within
 * the time for connecting, and one that comes back is soon asked again. */
#define RESOLVER_OPTIONS "timeout:1 attempts:2"

/* ---- the other processes ---- */

static void write_found(int fd, const struct pg_lookup_found *found, size_t count)
{
	ssize_t written = write(fd, found, count * sizeof(*found));

	(void)written; /* nobody may be interested any more */
}

static void write_addresses(int fd, unsigned char host, const struct addrinfo *list)
{
	struct pg_lookup_found found[PG_HOSTS_MAX];
	size_t count = 0;

	memset(found, 0, sizeof(found));
	for (; list != NULL && count < PG_HOSTS_MAX; list = list->ai_next) {
		found[count].host = host;
		if (getnameinfo(list->ai_addr, list->ai_addrlen, found[count].text,
				PG_ADDRESS_BYTES, NULL, 0, NI_NUMERICHOST) == 0)
			count++;
	}
	write_found(fd, found, count);
}

static void write_failure(int fd, unsigned char host, const char *cause)
{
	struct pg_lookup_found found = {.host = host, .failed = 1};

	(void)snprintf(found.text, sizeof(found.text), "%s", cause);
	write_found(fd, &found, 1);
}

static _Noreturn void look_up_and_exit(int fd, unsigned char host, const char *name)
{
	const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;

	/* Others wait for the end of what these are connected to. */
	if (dup2(fd, STDERR_FILENO + 1) < 0 || close_range(STDERR_FILENO + 2, ~0U, 0) != 0)
		_exit(EXIT_FAILURE);
	fd = STDERR_FILENO + 1;
	(void)alarm(LOOKUP_S);
	(void)setenv("RES_OPTIONS", RESOLVER_OPTIONS, 0);
	int failure = getaddrinfo(name, NULL, &wanted, &list);
	if (failure == 0)
		write_addresses(fd, host, list);
	else
		write_failure(fd, host, gai_strerror(failure));
	_exit(EXIT_SUCCESS);
}

static _Noreturn void look_up_all_and_exit(int fd, const struct pg_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++) {
		if (pg_host_is_name(&hosts->list[i]) && fork() == 0)
			look_up_and_exit(fd, (unsigned char)i, hosts->list[i].name);
	}
	_exit(EXIT_SUCCESS);
}

/* ---- ours ---- */

enum status pg_lookup_start(struct pg_lookup *lookup, const struct pg_hosts *hosts)
{
	int64_t now_ms = clock_now_ms();
	int ends[2];

	if (lookup->fd >= 0 && now_ms < lookup->started_ms + INT64_C(1000) * LOOKUP_S)
		return STATUS_OK;
	pg_lookup_drop(lookup);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return STATUS_BUSY;
	pid_t between = fork();
	if (between == 0)
		look_up_all_and_exit(ends[1], hosts);
	while (between > 0 && waitpid(between, NULL, 0) < 0 && errno == EINTR)
		;
	(void)close(ends[1]);
	if (between < 0) {
		(void)close(ends[0]);
		return STATUS_BUSY;
	}
	lookup->fd = ends[0];
	lookup->started_ms = now_ms;
	return STATUS_OK;
}

void pg_lookup_drop(struct pg_lookup *lookup)
{
	if (lookup->fd >= 0)
		(void)close(lookup->fd);
	lookup->fd = -1;
	lookup->count = 0;
}

static void add_found(struct pg_hosts *made, const struct pg_lookup *lookup,
		      const struct pg_hosts *hosts, size_t index)
{
	for (size_t i = 0; i < lookup->count; i++) {
		const struct pg_lookup_found *found = &lookup->found[i];
		if (found->host != index || found->failed != 0)
			continue;
		struct pg_host host = hosts->list[index];
		memcpy(host.address, found->text, sizeof(host.address));
		host.address[sizeof(host.address) - 1] = '\0';
		pg_hosts_add(made, &host);
	}
}

/* The first failure, which is of a process that has ended by itself. */
static void say_cause(const struct pg_lookup *lookup, const struct pg_hosts *hosts, char *cause)
{
	const char *why = "no answer", *name = "";

	for (size_t i = 0; i < hosts->count && *name == '\0'; i++) {
		if (pg_host_is_name(&hosts->list[i]))
			name = hosts->list[i].name;
	}
	if (lookup->count > 0 && lookup->found[0].host < hosts->count) {
		name = hosts->list[lookup->found[0].host].name;
		why = lookup->found[0].text;
	}
	(void)snprintf(cause, PG_LOOKUP_CAUSE_BYTES, "host \"%.150s\": %.*s", name,
		       PG_ADDRESS_BYTES, why);
}

/* Puts the addresses in the places of the names. */
static enum status finish(struct pg_lookup *lookup, struct pg_hosts *hosts, char *cause)
{
	struct pg_hosts made = {.tried = 1, .looked_up = true};

	for (size_t i = 0; i < hosts->count; i++) {
		if (pg_host_is_name(&hosts->list[i]))
			add_found(&made, lookup, hosts, i);
		else
			pg_hosts_add(&made, &hosts->list[i]);
	}
	if (made.count == 0) {
		say_cause(lookup, hosts, cause);
		return STATUS_UNAVAILABLE;
	}
	*hosts = made;
	return STATUS_OK;
}

/* STATUS_END: there is nothing more to come. */
static enum status read_found(struct pg_lookup *lookup)
{
	struct pg_lookup_found found[PG_HOSTS_MAX];
	ssize_t n;

	do {
		n = read(lookup->fd, found, sizeof(found));
		size_t count = n > 0 ? (size_t)n / sizeof(*found) : 0;
		for (size_t i = 0; i < count && lookup->count < PG_HOSTS_MAX; i++) {
			if (found[i].host < PG_HOSTS_MAX)
				lookup->found[lookup->count++] = found[i];
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 && errno == EAGAIN ? STATUS_AGAIN : STATUS_END;
}

enum status pg_lookup_step(struct pg_lookup *lookup, struct pg_hosts *hosts, char *cause)
{
	if (read_found(lookup) == STATUS_AGAIN)
		return STATUS_AGAIN;
	enum status status = finish(lookup, hosts, cause);
	pg_lookup_drop(lookup);
	return status;
}

enum status pg_lookup_hurry(struct pg_lookup *lookup, struct pg_hosts *hosts, char *cause)
{
	enum status status = pg_lookup_step(lookup, hosts, cause);

	if (status != STATUS_AGAIN)
		return status;
	status = finish(lookup, hosts, cause);
	if (status == STATUS_OK)
		pg_lookup_drop(lookup);
	return status == STATUS_UNAVAILABLE ? STATUS_DEADLINE : status;
}

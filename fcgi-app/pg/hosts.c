/*
 * pg/hosts.c - see pg/hosts_internal.h.
 */
#include "pg/hosts_internal.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "base/slice.h"

/* The part of a list at an index; absent behind its end. */
static struct slice part(const char *list, size_t index)
{
	if (list == NULL)
		return SLICE_ABSENT;
	for (; index > 0; index--) {
		list = strchr(list, ',');
		if (list == NULL)
			return SLICE_ABSENT;
		list++;
	}
	return (struct slice){list, strcspn(list, ",")};
}

static bool is_list(const char *list)
{
	return list != NULL && strchr(list, ',') != NULL;
}

/* False if it does not fit. */
static bool copy(char *text, size_t size, struct slice from)
{
	if (from.n >= size)
		return false;
	if (from.n > 0)
		memcpy(text, from.p, from.n);
	text[from.n] = '\0';
	return true;
}

void pg_hosts_add(struct pg_hosts *hosts, const struct pg_host *host)
{
	if (hosts->count < PG_HOSTS_MAX)
		hosts->list[hosts->count++] = *host;
}

static bool is_directory(const char *name)
{
	return *name == '\0' || *name == '/' || *name == '@';
}

bool pg_host_is_name(const struct pg_host *host)
{
	return *host->address == '\0' && !is_directory(host->name);
}

bool pg_hosts_have_names(const struct pg_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++) {
		if (pg_host_is_name(&hosts->list[i]))
			return true;
	}
	return false;
}

/* If the name is an address, which takes no looking up. */
static void take_address(struct pg_host *host)
{
	const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *found = NULL;

	if (getaddrinfo(host->name, NULL, &wanted, &found) != 0)
		return;
	if (getnameinfo(found->ai_addr, found->ai_addrlen, host->address, PG_ADDRESS_BYTES, NULL, 0,
			NI_NUMERICHOST) != 0)
		*host->address = '\0';
	freeaddrinfo(found);
}

void pg_hosts_read(struct pg_hosts *hosts, const char *names, const char *addresses,
		   const char *ports)
{
	*hosts = (struct pg_hosts){.tried = 1};
	for (size_t i = 0;; i++) {
		struct slice name = part(names, i), address = part(addresses, i);
		struct pg_host host;
		if (name.p == NULL && address.p == NULL)
			return;
		if (!copy(host.name, sizeof(host.name), name) ||
		    !copy(host.address, sizeof(host.address), address) ||
		    !copy(host.port, sizeof(host.port), part(ports, is_list(ports) ? i : 0)))
			continue;
		if (pg_host_is_name(&host))
			take_address(&host);
		pg_hosts_add(hosts, &host);
	}
}

static bool is_at(const struct pg_host *host, const PGconn *pg)
{
	const char *address = PQhostaddr(pg);

	if (*host->port != '\0' && strcmp(host->port, PQport(pg)) != 0)
		return false;
	return *host->address == '\0' ? strcmp(host->name, PQhost(pg)) == 0
				      : address != NULL && strcmp(host->address, address) == 0;
}

void pg_hosts_of(struct pg_hosts *hosts, PGconn *pg)
{
	const char *names = NULL, *addresses = NULL, *ports = NULL;
	PQconninfoOption *options = PQconninfo(pg);

	for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
		if (strcmp(o->keyword, "host") == 0)
			names = o->val;
		else if (strcmp(o->keyword, "hostaddr") == 0)
			addresses = o->val;
		else if (strcmp(o->keyword, "port") == 0)
			ports = o->val;
	}
	pg_hosts_read(hosts, names, addresses, ports);
	PQconninfoFree(options);
}

static bool is_same(const struct pg_host *one, const struct pg_host *other)
{
	return strcmp(one->name, other->name) == 0 && strcmp(one->address, other->address) == 0 &&
	       strcmp(one->port, other->port) == 0;
}

void pg_hosts_renew(struct pg_hosts *hosts, const struct pg_hosts *others)
{
	struct pg_hosts made = *others;

	made.apart = hosts->apart && made.count > 0;
	for (size_t i = 0; made.apart && i < made.count; i++) {
		if (is_same(&made.list[i], &hosts->list[hosts->at]))
			made.at = i;
	}
	made.tried = 1;
	*hosts = made;
}

void pg_hosts_part(struct pg_hosts *hosts, PGconn *pg)
{
	hosts->apart = true;
	hosts->at = 0;
	while (hosts->at < hosts->count && !is_at(&hosts->list[hosts->at], pg))
		hosts->at++;
	if (hosts->at == hosts->count)
		hosts->at = 0;
}

bool pg_hosts_next(struct pg_hosts *hosts)
{
	if (!hosts->apart || hosts->tried >= hosts->count) {
		hosts->apart = false;
		return false;
	}
	hosts->tried++;
	hosts->at = (hosts->at + 1) % hosts->count;
	return true;
}

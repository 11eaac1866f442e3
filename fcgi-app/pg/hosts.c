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

static void add(struct pg_hosts *hosts, const struct pg_host *host)
{
	if (hosts->count < PG_HOSTS_MAX)
		hosts->list[hosts->count++] = *host;
}

/* Adds a host for each address of its name. If it has none, libpq says why. */
static void add_addresses(struct pg_hosts *hosts, struct pg_host *host)
{
	const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;

	if (getaddrinfo(host->name, NULL, &wanted, &found) != 0)
		found = NULL;
	if (found == NULL)
		add(hosts, host);
	for (const struct addrinfo *one = found; one != NULL; one = one->ai_next) {
		if (getnameinfo(one->ai_addr, one->ai_addrlen, host->address, PG_ADDRESS_BYTES,
				NULL, 0, NI_NUMERICHOST) == 0)
			add(hosts, host);
	}
	if (found != NULL)
		freeaddrinfo(found);
}

static bool is_directory(const char *name)
{
	return *name == '\0' || *name == '/' || *name == '@';
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
		if (*host.address != '\0' || is_directory(host.name))
			add(hosts, &host);
		else
			add_addresses(hosts, &host);
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
	while (hosts->at < hosts->count && !is_at(&hosts->list[hosts->at], pg))
		hosts->at++;
	if (hosts->at == hosts->count)
		hosts->at = 0;
}

bool pg_hosts_next(struct pg_hosts *hosts)
{
	if (hosts->tried >= hosts->count) {
		hosts->count = 0;
		return false;
	}
	hosts->tried++;
	hosts->at = (hosts->at + 1) % hosts->count;
	return true;
}

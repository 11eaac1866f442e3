/*
 * config/check.c - pairs of limits, of which one must not exceed the other, and proxies that are no
 * such. See config/check.h.
 */
#include "config/check.h"

#include <string.h>

struct pair {
	const char *less, *more;
	const char *because;
};

static const struct pair pairs[] = {
	{"connect_timeout", "request_timeout", "no request waits that long"},
	{"database_timeout", "request_timeout", "no request waits that long"},
	{"request_timeout", "bulk_timeout", "an import has less time than one signal"},
	{"single_body", "batch_body", "an array at any path is a batch"},
	{"item_size", "single_body", "such an item cannot be sent by itself"},
	{"group_requests", "requests_in_flight", "a worker never has so many"},
	{"large_body", "buffered_bodies", "one body stops the worker from accepting others"},
};

static const struct config_setting *find(const char *key)
{
	size_t count;
	const struct config_setting *settings = config_settings(&count);

	while (strcmp(settings->key, key) != 0)
		settings++;
	return settings;
}

static int64_t value_of(const struct config *config, const struct config_setting *setting)
{
	return *(const int64_t *)(const void *)((const char *)config + setting->offset);
}

static void add_setting(struct buf *out, const struct config *config,
			const struct config_setting *setting)
{
	buf_add_format(out, "%s (", setting->key);
	config_format(config, setting, out);
	buf_add_char(out, ')');
}

/* Of a proxy that everybody can be, everybody can make up the client's address. */
static void check_proxies(const struct network_list *proxies, struct buf *out)
{
	for (size_t i = 0; i < proxies->count; i++) {
		if (proxies->items[i].bits == 0)
			buf_add_text(out,
				     "trusted_proxies has a network of all addresses: every client "
				     "may name another's as its own\n");
	}
}

void config_check(const struct config *config, struct buf *out)
{
	check_proxies(&config->trusted_proxies, out);
	for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
		const struct config_setting *less = find(pairs[i].less);
		const struct config_setting *more = find(pairs[i].more);
		if (value_of(config, less) <= value_of(config, more))
			continue;
		add_setting(out, config, less);
		buf_add_text(out, " exceeds ");
		add_setting(out, config, more);
		buf_add_format(out, ": %s\n", pairs[i].because);
	}
}

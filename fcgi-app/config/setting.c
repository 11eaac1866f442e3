/*
 * config/setting.c - the table of settings; reads and writes single values. See config/setting.h.
 */
#include "config/setting.h"

#include <string.h>

#include "base/ascii.h"
#include "base/log.h"

#define HIDDEN "********"
enum { TEXT_BYTES_MAX = 16 * 1024 };

/* ---- the table ---- */

enum { KIB = 1 << 10, MIB = 1 << 20 };
enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
#define GIB (INT64_C(1) << 30)

static const char *const log_targets[] = {
	[LOG_TARGET_STDERR] = "stderr", [LOG_TARGET_SYSLOG] = "syslog", NULL};
static const char *const log_levels[] = {[LOG_LEVEL_DEBUG] = "debug",
					 [LOG_LEVEL_INFO] = "info",
					 [LOG_LEVEL_WARNING] = "warning",
					 [LOG_LEVEL_ERROR] = "error",
					 NULL};

#define CHOICE(name, words, preset, text)                                                          \
	{                                                                                          \
		.key = #name, .type = CONFIG_CHOICE, .offset = offsetof(struct config, name),      \
		.default_text = preset, .choices = words, .help = text                             \
	}
#define NUMBER(name, kind, member, least, most, preset, text)                                      \
	{                                                                                          \
		.key = #name, .type = kind, .offset = offsetof(struct config, member),             \
		.min = least, .max = most, .default_text = preset, .help = text                    \
	}
#define DURATION(key, min, max, preset, help)                                                      \
	NUMBER(key, CONFIG_DURATION_MS, key##_ms, min, max, preset, help)
#define BYTES(key, member, min, max, preset, help)                                                 \
	NUMBER(key, CONFIG_BYTES, member, min, max, preset, help)
#define COUNT(key, min, max, preset, help) NUMBER(key, CONFIG_COUNT, key, min, max, preset, help)

/*
 * The maxima of item_size and json_number_exponent depend on each other: PostgreSQL writes 1e500
 * as 501 digits, and a row whose text exceeds 1 GiB can be stored but never read again.
 */
static const struct config_setting settings[] = {
	{.key = "database",
	 .type = CONFIG_TEXT,
	 .offset = offsetof(struct config, database),
	 .max = 900,
	 .default_text = "dbname=sluice",
	 .secret = true,
	 .help = "Where PostgreSQL is: a libpq connection string or URI. "
		 "Empty means libpq's own environment (PGHOST, PGSERVICE and so on). "
		 "Keep a password in a password file (passfile=...). "
		 "On SIGHUP a running program takes another one if it can be connected to. "
		 "A host name is looked up again for each connection, within connect_timeout; "
		 "a socket directory (host=/...) or hostaddr needs no name server."},
	CHOICE(log_target, log_targets, "stderr",
	       "Where log lines go: the standard error stream or syslog (facility daemon)."),
	CHOICE(log_level, log_levels, "info", "The least severe level that is logged."),
	COUNT(log_health_checks, 0, 1000000, "100",
	      "Health checks and requests for the metrics that go well are logged once in so many times; with 0 never."),
	{.key = "log_client_address",
	 .type = CONFIG_BOOL,
	 .offset = offsetof(struct config, log_client_address),
	 .default_text = "off",
	 .help = "Whether the line of a request has the client's address, "
		 "which may be personal data. See trusted_proxies."},
	{.key = "trusted_proxies",
	 .type = CONFIG_NETWORKS,
	 .offset = offsetof(struct config, trusted_proxies),
	 .default_text = "",
	 .help = "The proxies in front of the web server, such as 192.0.2.10, 10.0.0.0/8. "
		 "The address of a client, for the log and for the networks of a key, is the web server's peer (REMOTE_ADDR) or, "
		 "if that is one of these, the last address in X-Forwarded-For that is not. "
		 "A proxy must append its peer to that header, or set it. "
		 "Empty if there are none, or if the web server itself replaces a proxy's address by the client's."},
	{.key = "metrics_file",
	 .type = CONFIG_TEXT,
	 .offset = offsetof(struct config, metrics_file),
	 .max = 500,
	 .default_text = "/run/sluice-intake/metrics",
	 .help = "Where the workers that share a socket keep their counters, in a directory that they can write to; "
		 "best in memory (/run). "
		 "Empty, or where it cannot be made: each worker shows its own, from its start."},
	DURATION(request_timeout, 100, HOUR, "10s",
		 "Time for a whole request, from its acceptance to its answer."),
	DURATION(bulk_timeout, 100, DAY, "300s",
		 "Time for a whole bulk request, its upload included."),
	DURATION(connect_timeout, 10, 5 * MINUTE, "2s",
		 "Time to connect to PostgreSQL, for each of several hosts."),
	DURATION(database_timeout, 10, HOUR, "5s",
		 "Time for one statement, its commit included; after that it is cancelled. "
		 "PostgreSQL ends it, but for its commit, by statement_timeout of the role, 4 s."),
	BYTES(single_body, single_body_bytes, KIB, 64 * MIB, "1MiB",
	      "Largest body with a single signal, after decompression; an array is a batch."),
	BYTES(batch_body, batch_body_bytes, KIB, GIB, "8MiB",
	      "Largest body of a batch, after decompression."),
	BYTES(bulk_body, bulk_body_bytes, KIB, 1024 * GIB, "256MiB",
	      "Largest body of a bulk import, after decompression."),
	COUNT(batch_items, 1, 1000000, "5000", "Most items of one batch."),
	COUNT(bulk_items, 1, 1000000000, "1000000", "Most items of one bulk import."),
	BYTES(item_size, item_bytes, KIB, 8 * MIB, "512KiB", "Largest single item of any body."),
	COUNT(json_depth, 1, 512, "64", "Most levels of nested arrays and objects in an item."),
	COUNT(json_number_digits, 1, 1000, "400", "Most digits of a number."),
	COUNT(json_number_exponent, 0, 500, "400", "Largest exponent of a number, up or down."),
	COUNT(requests_in_flight, 1, 10000, "512",
	      "Most requests that one worker serves at a time; the others wait in the socket's queue."),
	COUNT(group_requests, 1, 10000, "512", "Most requests whose rows are committed together."),
	BYTES(group_size, group_bytes, KIB, 256 * MIB, "4MiB",
	      "Most bytes of items that are committed together."),
	BYTES(large_body, large_body_bytes, KIB, 64 * MIB, "256KiB",
	      "A larger body is read by a child process with its own database connection."),
	COUNT(large_requests, 1, 256, "4",
	      "Most child processes of one worker at a time. A large request beyond them takes the place of one whose organization or key has at least two more than its own, which is answered with 503; without such a one it is refused with 503 itself."),
	BYTES(body_rate, body_rate_bytes, 0, MIB, "500B",
	      "Least bytes a second of a body: one that comes more slowly for half of its request's time, 30 s at most, is answered with 408. "
	      "With 0 a body may take all of its request's time."),
	BYTES(buffered_bodies, buffered_bytes, KIB, 16 * GIB, "32MiB",
	      "Most bytes of bodies that wait in the memory of one worker."),
	COUNT(kept_connections, 0, 100000, "256",
	      "Most connections that web servers may keep open to one worker between requests. "
	      "With 0 each connection is closed after its answer."),
	DURATION(kept_idle, 100, HOUR, "2s",
		 "A kept connection without a request for so long is closed. "
		 "It must be longer than the web server uses an idle connection: "
		 "the files for nginx (keepalive_timeout) and Apache (ttl) say 1 s."),
	{.key = "prepared_statements",
	 .type = CONFIG_BOOL,
	 .offset = offsetof(struct config, prepared_statements),
	 .default_text = "on",
	 .help = "Prepare statements once per connection. "
		 "Off for a connection pooler that loses them."},
	{.key = "settings_trust_remote_user",
	 .type = CONFIG_BOOL,
	 .offset = offsetof(struct config, settings_trust_remote_user),
	 .default_text = "off",
	 .help = "Whether sluice-settings trusts the web server to say who the user is (REMOTE_USER). "
		 "Turn it on where the web server authenticates every request for /api/settings/. "
		 "While it is off, only requests with a token are served."},
	{.key = "public_url",
	 .type = CONFIG_TEXT,
	 .offset = offsetof(struct config, public_url),
	 .max = 500,
	 .url = true,
	 .default_text = "",
	 .help = "How senders and browsers reach this host: https://hooks.example.com. "
		 "With a path, as in https://www.example.com/hooks, all paths may begin with that. "
		 "sluice-settings shows it in curl commands and accepts changes from there only. "
		 "Empty means the host and scheme of each request; set it behind another proxy."},
};

_Static_assert(ARRAY_LENGTH(settings) <= CONFIG_SETTINGS_MAX, "each setting has an origin");

const struct config_setting *config_settings(size_t *count)
{
	*count = ARRAY_LENGTH(settings);
	return settings;
}

/* ---- numbers with units ---- */

struct unit {
	const char *name; /* NULL ends the list */
	int64_t factor;	  /* in falling order; the last is that of a bare number */
};

static const struct unit *units_of(enum config_type type)
{
	static const struct unit bytes[] = {
		{"GiB", GIB}, {"MiB", MIB}, {"KiB", KIB}, {"B", 1}, {NULL, 0}};
	static const struct unit times[] = {{"d", DAY},	   {"h", HOUR}, {"min", MINUTE},
					    {"s", SECOND}, {"ms", 1},	{NULL, 0}};
	static const struct unit counts[] = {{"", 1}, {NULL, 0}};

	if (type == CONFIG_BYTES)
		return bytes;
	return type == CONFIG_DURATION_MS ? times : counts;
}

/* False if the text is not a number with a unit of its type. INT64_MAX if it is too large. */
static bool read_number(struct slice text, enum config_type type, int64_t *value)
{
	const struct unit *unit = units_of(type);
	struct slice digits = {text.p, 0};
	int64_t number;

	while (digits.n < text.n && ascii_is_digit(text.p[digits.n]))
		digits.n++;
	if (digits.n == 0)
		return false;
	if (!slice_to_int(digits, &number))
		number = INT64_MAX;
	struct slice name = {text.p + digits.n, text.n - digits.n};
	while (name.n > 0 && name.p[0] == ' ') {
		name.p++;
		name.n--;
	}
	while (unit->name != NULL && !slice_equal(name, slice_of(unit->name)))
		unit++;
	if (unit->name == NULL && name.n > 0)
		return false;
	int64_t factor = unit->name == NULL ? 1 : unit->factor;
	*value = number > INT64_MAX / factor ? INT64_MAX : number * factor;
	return true;
}

/* ---- reading ---- */

static bool is_plain_text(struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return false;
	}
	return true;
}

/* The index among words, which ends with NULL; -1 if it is none of them. */
static int index_of(struct slice value, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (slice_equal(value, slice_of(words[i])))
			return i;
	}
	return -1;
}

/* Sets a boolean or a choice; refuses an index of -1. */
static enum status set_index(const struct config_setting *setting, int index, void *member)
{
	if (index < 0)
		return STATUS_INVALID_VALUE;
	if (setting->type == CONFIG_BOOL)
		*(bool *)member = index % 2 == 1;
	else
		*(int *)member = index;
	return STATUS_OK;
}

/* A scheme, which the page's own address begins with, and a host. */
static bool is_url(struct slice text)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++) {
		size_t n = strlen(schemes[i]);
		if (text.n > n && slice_starts(text, slice_of(schemes[i])))
			return ascii_is_alnum((unsigned char)text.p[n]) || text.p[n] == '[';
	}
	return text.n == 0;
}

static bool has_form(const struct config_setting *setting, struct slice text)
{
	return is_plain_text(text) &&
	       (!setting->url || (is_url(text) && memchr(text.p, ' ', text.n) == NULL));
}

static enum status set_text(const struct config_setting *setting, struct slice value,
			    struct arena *arena, void *member)
{
	if (value.n > (size_t)setting->max || !has_form(setting, value))
		return STATUS_INVALID_VALUE;
	char *copy = arena_copy(arena, value);
	if (copy == NULL)
		return STATUS_NO_MEMORY;
	*(const char **)member = copy;
	return STATUS_OK;
}

static enum status set_networks(struct slice value, struct network_list *member)
{
	struct network_list list;

	if (!network_list_read(value, &list))
		return STATUS_INVALID_VALUE;
	*member = list;
	return STATUS_OK;
}

enum status config_setting_read(const struct config_setting *setting, struct slice value,
				struct arena *arena, struct config *config)
{
	static const char *const bools[] = {"off", "on", "false", "true", "no", "yes", NULL};
	void *member = (char *)config + setting->offset;
	int64_t number;

	switch (setting->type) {
	case CONFIG_TEXT:
		return set_text(setting, value, arena, member);
	case CONFIG_BOOL:
		return set_index(setting, index_of(value, bools), member);
	case CONFIG_CHOICE:
		return set_index(setting, index_of(value, setting->choices), member);
	case CONFIG_NETWORKS:
		return set_networks(value, member);
	case CONFIG_COUNT:
	case CONFIG_BYTES:
	case CONFIG_DURATION_MS:
		break;
	}
	if (!read_number(value, setting->type, &number) || number < setting->min ||
	    number > setting->max)
		return STATUS_INVALID_VALUE;
	*(int64_t *)member = number;
	return STATUS_OK;
}

/* ---- writing ---- */

static void add_number(struct buf *out, enum config_type type, int64_t value)
{
	const struct unit *unit = units_of(type);

	while (unit->factor > 1 && (value == 0 || value % unit->factor != 0))
		unit++;
	buf_add_int(out, value / unit->factor);
	if (value != 0)
		buf_add_text(out, unit->name);
}

static void add_choices(struct buf *out, const char *const *choices)
{
	for (size_t i = 0; choices[i] != NULL; i++) {
		if (i > 0)
			buf_add_text(out, ", ");
		buf_add_text(out, choices[i]);
	}
}

void config_setting_range(const struct config_setting *setting, struct buf *out)
{
	switch (setting->type) {
	case CONFIG_TEXT:
		if (setting->url)
			buf_add_text(out, "nothing, or a URL with http:// or https://");
		else
			buf_add_format(out, "at most %d bytes without control characters",
				       (int)setting->max);
		break;
	case CONFIG_BOOL:
		buf_add_text(out, "on or off");
		break;
	case CONFIG_CHOICE:
		buf_add_text(out, "one of ");
		add_choices(out, setting->choices);
		break;
	case CONFIG_NETWORKS:
		buf_add_format(out, "at most %d networks, with commas between them",
			       NETWORK_LIST_MAX);
		break;
	case CONFIG_COUNT:
	case CONFIG_BYTES:
	case CONFIG_DURATION_MS:
		buf_add_text(out, setting->type == CONFIG_COUNT	  ? "a number from "
				  : setting->type == CONFIG_BYTES ? "a size from "
								  : "a duration from ");
		add_number(out, setting->type, setting->min);
		buf_add_text(out, " to ");
		add_number(out, setting->type, setting->max);
		break;
	}
}

static bool ends_with(struct slice text, struct slice end)
{
	return text.n >= end.n && slice_equal((struct slice){text.p + text.n - end.n, end.n}, end);
}

/* password and sslpassword; a percent sign may hide either. */
static bool names_password(struct slice name)
{
	return ends_with(name, SLICE("password")) ||
	       (name.n > 0 && memchr(name.p, '%', name.n) != NULL);
}

/* Where the password of a URI's "user:password@" begins and ends; 0 if there is none. */
static size_t uri_password(struct slice uri, size_t from, size_t *begin)
{
	size_t end = 0;

	*begin = 0;
	for (size_t i = from; i < uri.n; i++) {
		if (uri.p[i] == '@')
			end = i;
		else if (uri.p[i] == ':' && *begin == 0)
			*begin = i + 1;
	}
	return *begin != 0 && *begin <= end ? end : 0;
}

/* scheme://user:password@host/database?name=value&… */
static void add_uri(struct buf *out, struct slice uri, size_t scheme)
{
	size_t begin;
	size_t i = uri_password(uri, scheme, &begin);

	if (i > 0) {
		buf_add(out, uri.p, begin);
		buf_add_text(out, HIDDEN);
	}
	size_t name = 0; /* where the parameter's name begins; 0 before the first */
	for (; i < uri.n; i++) {
		char c = uri.p[i];
		buf_add_char(out, c);
		if (c == '?' || c == '&')
			name = i + 1;
		if (c != '=' || name == 0 ||
		    !names_password((struct slice){uri.p + name, i - name}))
			continue;
		buf_add_text(out, HIDDEN);
		while (i + 1 < uri.n && uri.p[i + 1] != '&')
			i++;
	}
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t skip_spaces(struct slice text, size_t i)
{
	while (i < text.n && is_space(text.p[i]))
		i++;
	return i;
}

/* The end of a libpq value, quoted or not, in which a backslash protects the next character. */
static size_t value_end(struct slice text, size_t i)
{
	bool quoted = i < text.n && text.p[i] == '\'';

	if (quoted)
		i++;
	while (i < text.n && (quoted ? text.p[i] != '\'' : !is_space(text.p[i])))
		i += text.p[i] == '\\' ? 2 : 1;
	if (quoted)
		i++;
	return i < text.n ? i : text.n;
}

/* name = value name='value' … */
static void add_keywords(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n;) {
		size_t name = skip_spaces(text, i);
		size_t end = name;
		while (end < text.n && text.p[end] != '=' && !is_space(text.p[end]))
			end++;
		size_t equals = skip_spaces(text, end);
		if (equals == text.n || text.p[equals] != '=') {
			/* libpq will refuse it; it may be anything. */
			buf_add_text(out, name == text.n ? "" : HIDDEN);
			return;
		}
		size_t value = skip_spaces(text, equals + 1);
		size_t next = value_end(text, value);
		buf_add(out, text.p + i, value - i);
		if (names_password((struct slice){text.p + name, end - name}))
			buf_add_text(out, HIDDEN);
		else
			buf_add(out, text.p + value, next - value);
		i = next;
	}
}

/* A connection string without its passwords. */
static void add_hidden(struct buf *out, struct slice text)
{
	static const char *const schemes[] = {"postgresql://", "postgres://"};

	for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++) {
		if (slice_starts(text, slice_of(schemes[i]))) {
			add_uri(out, text, strlen(schemes[i]));
			return;
		}
	}
	add_keywords(out, text);
}

/* In quotes if it would not be read back otherwise. */
static void add_quoted(struct buf *out, struct slice text)
{
	bool quotes = text.n == 0 || text.p[0] == '\'' || is_space(text.p[0]) ||
		      is_space(text.p[text.n - 1]) || memchr(text.p, '#', text.n) != NULL;

	if (!quotes) {
		buf_add_slice(out, text);
		return;
	}
	buf_add_char(out, '\'');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\'')
			buf_add_char(out, '\'');
		buf_add_char(out, text.p[i]);
	}
	buf_add_char(out, '\'');
}

static void add_text(struct buf *out, const struct config_setting *setting, struct slice text)
{
	struct buf shown = buf_make(TEXT_BYTES_MAX);

	if (setting->secret)
		add_hidden(&shown, text);
	else
		buf_add_slice(&shown, text);
	if (shown.status == STATUS_OK)
		add_quoted(out, buf_slice(&shown));
	else if (out->status == STATUS_OK)
		out->status = shown.status;
	buf_free(&shown);
}

static void add_networks(struct buf *out, const struct network_list *list)
{
	if (list->count == 0)
		buf_add_text(out, "''");
	network_list_add(out, list);
}

void config_format(const struct config *config, const struct config_setting *setting,
		   struct buf *out)
{
	const void *member = (const char *)config + setting->offset;

	switch (setting->type) {
	case CONFIG_TEXT:
		add_text(out, setting, slice_of(*(const char *const *)member));
		break;
	case CONFIG_BOOL:
		buf_add_text(out, *(const bool *)member ? "on" : "off");
		break;
	case CONFIG_CHOICE:
		buf_add_text(out, setting->choices[*(const int *)member]);
		break;
	case CONFIG_NETWORKS:
		add_networks(out, member);
		break;
	case CONFIG_COUNT:
	case CONFIG_BYTES:
	case CONFIG_DURATION_MS:
		add_number(out, setting->type, *(const int64_t *)member);
		break;
	}
}

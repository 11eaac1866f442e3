/*
 * server/metrics.c - sums over the workers' slots, and gauges of each worker that runs. See
 * server/metrics.h.
 *
 * Every series is there from the start, with 0, so that the first event is an increase; except for
 * pairs of route and status, of which only those that have occurred are.
 */
#include "server/metrics.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/stats.h"
#include "http/problem.h"
#include "server/route.h"

enum { US_PER_S = 1000000, LABELS_BYTES = 128 };

/* ---- layout ---- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
	/* FNV-1a, 64 bits; the terminator ends each text. */
	do
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	while (*text++ != '\0');
	return hash;
}

uint64_t metrics_layout(void)
{
	enum { REVISION = 3 }; /* of struct stats */
	uint64_t hash = (UINT64_C(14695981039346656037) ^ REVISION) + sizeof(struct stats);
	const char *path;

	for (int i = 0; i < STATUS_COUNT; i++)
		hash = hash_text(hash, status_name((enum status)i));
	for (unsigned i = 0; (path = route_counted(i)) != NULL; i++)
		hash = hash_text(hash, path);
	return hash;
}

/* ---- numbers ---- */

static uint64_t at(unsigned slot, size_t offset)
{
	const char *stats = (const char *)stats_slot(slot);

	return stats_get((const stats_number *)(const void *)(stats + offset));
}

static uint64_t answered(unsigned route, enum status status)
{
	return stats_sum(offsetof(struct stats, requests) +
			 (route * STATUS_COUNT + status) * sizeof(stats_number));
}

/* ---- the format ---- */

static void add_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_add_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_sample(struct buf *out, const char *name, const char *labels, uint64_t value)
{
	buf_add_format(out, "%s%s %llu\n", name, labels, (unsigned long long)value);
}

static void add_us(struct buf *out, uint64_t us)
{
	buf_add_format(out, "%llu.%06llu", (unsigned long long)(us / US_PER_S),
		       (unsigned long long)(us % US_PER_S));
}

/* A bound as short as it is usually written: 0.0025, 10. */
static void add_bound(struct buf *out, uint64_t bound, bool in_us)
{
	if (in_us)
		buf_add_format(out, "%g", (double)bound / US_PER_S);
	else
		buf_add_format(out, "%llu", (unsigned long long)bound);
}

/* label is empty or ends with a comma. */
static void add_histogram(struct buf *out, const char *name, const char *label, size_t offset,
			  const uint64_t bounds[STATS_BUCKETS])
{
	size_t buckets = offset + offsetof(struct stats_histogram, buckets);
	uint64_t total = stats_sum(offset + offsetof(struct stats_histogram, sum));
	bool in_us = bounds == stats_durations_us;
	uint64_t count = 0;
	int rest = (int)strlen(label);

	for (unsigned i = 0; i < STATS_BUCKETS; i++) {
		count += stats_sum(buckets + i * sizeof(stats_number));
		if (bounds[i] == UINT64_MAX)
			continue;
		buf_add_format(out, "%s_bucket{%sle=\"", name, label);
		add_bound(out, bounds[i], in_us);
		buf_add_format(out, "\"} %llu\n", (unsigned long long)count);
	}
	count += stats_sum(buckets + STATS_BUCKETS * sizeof(stats_number));
	buf_add_format(out, "%s_bucket{%sle=\"+Inf\"} %llu\n", name, label,
		       (unsigned long long)count);
	const char *open = rest == 0 ? "" : "{", *close = rest == 0 ? "" : "}";
	rest -= rest > 0; /* the comma */
	buf_add_format(out, "%s_sum%s%.*s%s ", name, open, rest, label, close);
	if (in_us)
		add_us(out, total);
	else
		buf_add_format(out, "%llu", (unsigned long long)total);
	buf_add_format(out, "\n%s_count%s%.*s%s %llu\n", name, open, rest, label, close,
		       (unsigned long long)count);
}

/* ---- requests ---- */

/* The sum over all ways in which an answer has this HTTP status. */
static uint64_t answered_http(unsigned route, int http)
{
	uint64_t all = 0;

	for (int i = 0; i < STATUS_COUNT; i++) {
		if (problem_of((enum status)i)->http == http)
			all += answered(route, (enum status)i);
	}
	return all;
}

static bool is_first_of_its_http(int status)
{
	for (int i = 0; i < status; i++) {
		if (problem_of((enum status)i)->http == problem_of((enum status)status)->http)
			return false;
	}
	return true;
}

static void add_requests(struct buf *out)
{
	static const char name[] = "sluice_requests_total";
	char labels[LABELS_BYTES];
	const char *path;

	add_head(out, name, "counter",
		 "Requests that were answered, by route (without the key) and HTTP status.");
	for (unsigned route = 0; (path = route_counted(route)) != NULL; route++) {
		for (int i = 0; i < STATUS_COUNT; i++) {
			int http = problem_of((enum status)i)->http;
			uint64_t count = is_first_of_its_http(i) ? answered_http(route, http) : 0;
			if (count == 0)
				continue;
			(void)snprintf(labels, sizeof(labels), "{route=\"%s\",status=\"%d\"}", path,
				       http);
			add_sample(out, name, labels, count);
		}
	}
}

/* Several ways to end may have the same code. */
static uint64_t answered_code(const char *code)
{
	uint64_t all = 0;

	for (unsigned route = 0; route_counted(route) != NULL; route++) {
		for (int i = 0; i < STATUS_COUNT; i++) {
			if (strcmp(problem_of((enum status)i)->code, code) == 0)
				all += answered(route, (enum status)i);
		}
	}
	return all;
}

static bool is_first_of_its_code(int status)
{
	for (int i = 0; i < status; i++) {
		if (problem_of((enum status)i) == problem_of((enum status)status))
			return false;
	}
	return true;
}

static void add_problems(struct buf *out)
{
	static const char name[] = "sluice_problems_total";
	char labels[LABELS_BYTES];

	add_head(out, name, "counter",
		 "Requests that were refused or failed, by the problem's code.");
	for (int i = 0; i < STATUS_COUNT; i++) {
		const struct problem *problem = problem_of((enum status)i);
		if (problem->http < 400 || !is_first_of_its_code(i))
			continue;
		(void)snprintf(labels, sizeof(labels), "{code=\"%s\"}", problem->code);
		add_sample(out, name, labels, answered_code(problem->code));
	}
}

static void add_durations(struct buf *out)
{
	static const char name[] = "sluice_request_seconds";
	char label[LABELS_BYTES];
	const char *path;

	add_head(out, name, "histogram",
		 "Time from the acceptance of a webhook request to its answer.");
	for (unsigned route = 0; (path = route_counted(route)) != NULL; route++) {
		if (!route_is_webhook(route))
			continue;
		(void)snprintf(label, sizeof(label), "route=\"%s\",", path);
		add_histogram(out, name, label,
			      offsetof(struct stats, request_us) +
				      route * sizeof(struct stats_histogram),
			      stats_durations_us);
	}
}

static void add_items(struct buf *out)
{
	static const char name[] = "sluice_items_total";

	add_head(
		out, name, "counter",
		"Items of accepted webhook requests: stored, repeated (stored before), or rejected and kept.");
	add_sample(out, name, "{outcome=\"stored\"}", stats_sum(offsetof(struct stats, stored)));
	add_sample(out, name, "{outcome=\"repeated\"}",
		   stats_sum(offsetof(struct stats, repeated)));
	add_sample(out, name, "{outcome=\"rejected\"}",
		   stats_sum(offsetof(struct stats, rejected)));
}

/* ---- the others ---- */

struct number {
	const char *name;
	size_t offset;
	const char *help;
};

#define NUMBER(name, member, help)                                                                 \
	{                                                                                          \
		"sluice_" name, offsetof(struct stats, member), help                               \
	}

static const struct number counters[] = {
	NUMBER("database_connections_total", connections,
	       "Connections that workers have made to the database."),
	NUMBER("database_connection_failures_total", connection_failures,
	       "Attempts to connect to the database that failed."),
	NUMBER("unknown_commits_total", unknown_commits,
	       "Groups of requests of which it is not known whether they were committed."),
	NUMBER("resolved_commits_total", resolved_commits,
	       "Groups whose connection was lost during the commit, and whose outcome the server told "
	       "afterwards."),
	NUMBER("early_answers_total", early_answers,
	       "Answers that were sent before the request had come to its end."),
	NUMBER("gave_way_total", gave_way,
	       "Requests that were given up while they were read, because slots, memory or children ran short."),
	NUMBER("kept_answers_total", kept_answers,
	       "Answers after which the connection to the web server was kept for the next request."),
	NUMBER("database_hangs_total", hangs,
	       "Times that the database did not answer in time, and requests were refused until it did."),
	NUMBER("refused_at_once_total", refused_at_once,
	       "Requests that were refused at once because the database was away or hung."),
	NUMBER("cancelled_statements_total", cancelled_statements,
	       "Statements that were cancelled at their limit."),
	NUMBER("expired_connections_total", expired_connections,
	       "Connections closed at their deadline: no request came, or its answer was not taken."),
	NUMBER("failed_children_total", failed_children,
	       "Child processes that ended before they had answered their request."),
	NUMBER("lost_log_lines_total", lost_log_lines, "Log lines that could not be written."),
};

static const struct number gauges[] = {
	NUMBER("worker_start_time_seconds", started_s, "When the worker started, in Unix time."),
	NUMBER("worker_slots", slots, "Requests that the worker can serve at a time."),
	NUMBER("worker_requests_in_flight", in_flight, "Requests that the worker serves."),
	NUMBER("worker_requests_waiting", waiting,
	       "Requests of the worker that wait for their commit."),
	NUMBER("worker_kept_connections", kept,
	       "Connections that web servers keep open to the worker between requests."),
	NUMBER("worker_children", children, "Child processes of the worker, each with a request."),
	NUMBER("worker_connected", is_connected,
	       "Whether the worker is connected to the database."),
};

static void add_counters(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LENGTH(counters); i++) {
		add_head(out, counters[i].name, "counter", counters[i].help);
		add_sample(out, counters[i].name, "", stats_sum(counters[i].offset));
	}
	add_head(out, "sluice_shed_requests_total", "counter",
		 "Requests that were turned away because too many were being served.");
	add_sample(out, "sluice_shed_requests_total", "",
		   answered_code(problem_of(STATUS_BUSY)->code));
}

/* Reads a short file of /proc about a worker. False if it cannot be read. */
static bool read_proc(unsigned slot, const char *name, char *text, size_t size)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%llu/%s",
		       (unsigned long long)at(slot, offsetof(struct stats, pid)), name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		(void)close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

/* The number at an index, from 0, of those that blanks separate. */
static uint64_t number_at(const char *text, int index)
{
	for (; index > 0 && text != NULL; index--) {
		text = strchr(text, ' ');
		text = text == NULL ? NULL : text + 1;
	}
	return text == NULL ? 0 : strtoull(text, NULL, 10);
}

static bool memory_of(unsigned slot, struct buf *out)
{
	enum { RESIDENT = 1 };
	char text[256];

	if (!read_proc(slot, "statm", text, sizeof(text)))
		return false;
	buf_add_int(out, (int64_t)number_at(text, RESIDENT) * sysconf(_SC_PAGESIZE));
	return true;
}

static bool cpu_of(unsigned slot, struct buf *out)
{
	/* Behind the name, which may hold blanks. */
	enum { USER = 12, SYSTEM = 13 };
	char text[512];
	const char *end = read_proc(slot, "stat", text, sizeof(text)) ? strrchr(text, ')') : NULL;

	if (end == NULL)
		return false;
	uint64_t ticks = number_at(end, USER) + number_at(end, SYSTEM);
	add_us(out, ticks * US_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
	return true;
}

static void add_proc(struct buf *out, const char *name, const char *type, const char *help,
		     bool (*add)(unsigned slot, struct buf *out))
{
	add_head(out, name, type, help);
	for (unsigned slot = 0; slot < STATS_WORKERS; slot++) {
		struct buf value = buf_make(64);
		if (stats_is_running(slot) && add(slot, &value))
			buf_add_format(out, "%s{worker=\"%u\"} %.*s\n", name, slot, (int)value.n,
				       value.p);
		buf_free(&value);
	}
}

static void add_workers(struct buf *out)
{
	char labels[LABELS_BYTES];

	for (size_t i = 0; i < ARRAY_LENGTH(gauges); i++) {
		add_head(out, gauges[i].name, "gauge", gauges[i].help);
		for (unsigned slot = 0; slot < STATS_WORKERS; slot++) {
			if (!stats_is_running(slot))
				continue;
			(void)snprintf(labels, sizeof(labels), "{worker=\"%u\"}", slot);
			add_sample(out, gauges[i].name, labels, at(slot, gauges[i].offset));
		}
	}
	add_proc(out, "sluice_worker_resident_memory_bytes", "gauge", "Memory of the worker.",
		 memory_of);
	add_proc(out, "sluice_worker_cpu_seconds_total", "counter", "CPU time of the worker.",
		 cpu_of);
}

void metrics_add(struct buf *out, bool database_up)
{
	add_head(out, "sluice_build_info", "gauge", "The version that answers.");
	add_sample(out, "sluice_build_info", "{version=\"" SLUICE_VERSION "\"}", 1);
	add_head(out, "sluice_database_up", "gauge",
		 "Whether the database has answered, and its metrics are here.");
	add_sample(out, "sluice_database_up", "", database_up);
	add_requests(out);
	add_problems(out);
	add_durations(out);
	add_items(out);
	add_head(out, "sluice_statement_seconds", "histogram",
		 "Time of the database for the statement of a group of requests, with its commit.");
	add_histogram(out, "sluice_statement_seconds", "", offsetof(struct stats, statement_us),
		      stats_durations_us);
	add_head(out, "sluice_group_requests", "histogram",
		 "Requests that were sent to the database in one statement.");
	add_histogram(out, "sluice_group_requests", "", offsetof(struct stats, group_requests),
		      stats_sizes);
	add_counters(out);
	add_workers(out);
}

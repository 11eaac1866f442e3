/*
 * ctl/top_sample.c - see ctl/top_internal.h.
 */
#include "ctl/top_internal.h"

#include "base/clock.h"
#include "http/problem.h"
#include "server/route.h"

/* Numbers of a reading are named by their place in struct stats. */
#define PLACE(member) (offsetof(struct stats, member) / sizeof(stats_number))

enum { NUMBERS = sizeof(struct stats) / sizeof(stats_number) };

void top_read(struct top_reading *reading)
{
	reading->at_us = clock_now_us();
	for (size_t i = 0; i < NUMBERS; i++)
		reading->numbers[i] = stats_sum(i * sizeof(stats_number));
}

/* The readings, and what is between them. */
struct span {
	const struct top_reading *before, *after;
	double seconds;
};

static uint64_t total(const struct span *span, size_t place)
{
	return span->after->numbers[place];
}

/* A counter that is smaller began anew. */
static uint64_t more(const struct span *span, size_t place)
{
	uint64_t before = span->before->numbers[place], after = span->after->numbers[place];

	return after < before ? after : after - before;
}

/* ---- now ---- */

static void look(struct top_sample *sample)
{
	for (unsigned i = 0; i < STATS_WORKERS; i++) {
		const struct stats *stats = stats_slot(i);
		if (!stats_is_running(i))
			continue;
		sample->workers++;
		sample->connected += stats_get(&stats->is_connected);
		sample->slots += stats_get(&stats->slots);
		sample->in_flight += stats_get(&stats->in_flight);
		sample->waiting += stats_get(&stats->waiting);
		sample->children += stats_get(&stats->children);
	}
}

/* ---- histograms ---- */

/* The bound below which a share of the values is. */
static uint64_t bound_of(const uint64_t counts[STATS_BUCKETS + 1], double share)
{
	uint64_t all = 0, below = 0;

	for (unsigned i = 0; i <= STATS_BUCKETS; i++)
		all += counts[i];
	if (all == 0)
		return 0;
	for (unsigned i = 0; i < STATS_BUCKETS; i++) {
		below += counts[i];
		if ((double)below >= share * (double)all)
			return stats_durations_us[i];
	}
	return UINT64_MAX;
}

/* Adds the buckets of a histogram: what came between the readings, or all. */
static void add_buckets(const struct span *span, size_t place, bool all,
			uint64_t counts[STATS_BUCKETS + 1])
{
	for (unsigned i = 0; i <= STATS_BUCKETS; i++)
		counts[i] += (all ? total : more)(span, place + i);
}

/* Bulk imports take as long as they are. */
static bool is_timed(unsigned route)
{
	return route_is_webhook(route) && !route_is_bulk(route);
}

static void measure_times(const struct span *span, bool all, struct top_sample *sample)
{
	enum { HISTOGRAM = sizeof(struct stats_histogram) / sizeof(stats_number) };
	uint64_t requests[STATS_BUCKETS + 1] = {0}, statements[STATS_BUCKETS + 1] = {0};

	for (unsigned route = 0; route < STATS_ROUTES; route++) {
		if (is_timed(route))
			add_buckets(span, PLACE(request_us) + route * HISTOGRAM, all, requests);
	}
	add_buckets(span, PLACE(statement_us), all, statements);
	sample->request_half_us = bound_of(requests, 0.5);
	sample->request_most_us = bound_of(requests, 0.99);
	sample->statement_half_us = bound_of(statements, 0.5);
	sample->statement_most_us = bound_of(statements, 0.99);
}

static void measure_groups(const struct span *span, bool all, struct top_sample *sample)
{
	size_t place = PLACE(group_requests);
	uint64_t counts[STATS_BUCKETS + 1] = {0}, groups = 0;

	add_buckets(span, place, all, counts);
	for (unsigned i = 0; i <= STATS_BUCKETS; i++)
		groups += counts[i];
	uint64_t requests = (all ? total : more)(span, PLACE(group_requests.sum));
	sample->group = groups == 0 ? 0 : (double)requests / (double)groups;
}

/* ---- requests and problems ---- */

static void add_problem(struct top_sample *sample, const struct top_problem *problem)
{
	unsigned at = sample->problem_count;

	while (at > 0 && (problem->rate > sample->problems[at - 1].rate ||
			  (problem->rate == sample->problems[at - 1].rate &&
			   problem->total > sample->problems[at - 1].total)))
		at--;
	if (at == TOP_PROBLEMS)
		return;
	if (sample->problem_count < TOP_PROBLEMS)
		sample->problem_count++;
	for (unsigned i = sample->problem_count - 1; i > at; i--)
		sample->problems[i] = sample->problems[i - 1];
	sample->problems[at] = *problem;
}

/* Also of requests without a route. */
static void measure_status(const struct span *span, enum status status, struct top_sample *sample)
{
	const struct problem *problem = problem_of(status);
	struct top_problem found = {.code = problem->code};
	double webhooks = 0;

	for (unsigned route = 0; route < STATS_ROUTES; route++) {
		size_t place = PLACE(requests) + route * STATUS_COUNT + status;
		double rate = (double)more(span, place) / span->seconds;
		found.rate += rate;
		found.total += total(span, place);
		if (route == 0 || route_is_webhook(route))
			webhooks += rate;
	}
	if (problem->http < 400)
		sample->accepted += webhooks;
	else if (problem->http < 500)
		sample->refused += webhooks;
	else
		sample->failed += webhooks;
	if (problem->http >= 400 && found.total > 0)
		add_problem(sample, &found);
	if (status == STATUS_BUSY)
		sample->shed = found.total;
}

void top_measure(const struct top_reading *before, const struct top_reading *after,
		 struct top_sample *sample)
{
	struct span span = {before, after, (double)(after->at_us - before->at_us) / 1e6};
	bool idle = more(&span, PLACE(group_requests.sum)) == 0;

	*sample = (struct top_sample){.workers = 0};
	look(sample);
	measure_times(&span, idle, sample);
	measure_groups(&span, idle, sample);
	for (int i = 0; i < STATUS_COUNT; i++)
		measure_status(&span, (enum status)i, sample);
	sample->stored = (double)more(&span, PLACE(stored)) / span.seconds;
	sample->connections = total(&span, PLACE(connections));
	sample->unknown = total(&span, PLACE(unknown_commits));
	sample->expired = total(&span, PLACE(expired_connections));
	sample->failed_children = total(&span, PLACE(failed_children));
	sample->lost_lines = total(&span, PLACE(lost_log_lines));
}

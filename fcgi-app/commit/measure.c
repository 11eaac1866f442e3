/*
 * commit/measure.c - see commit/measure.h.
 */
#include "commit/measure.h"

#include "base/clock.h"
#include "base/stats.h"

enum { TROUBLE_MS = 10000 };

void commit_measure_sent(struct commit_measure *measure)
{
	measure->sent_us = clock_now_us();
}

void commit_measure_ended(const struct commit_measure *measure, size_t requests)
{
	struct stats *stats = stats_mine();

	stats_observe(&stats->statement_us, stats_durations_us,
		      (uint64_t)(clock_now_us() - measure->sent_us));
	stats_observe(&stats->group_requests, stats_sizes, requests);
}

void commit_measure_outcome(struct commit_measure *measure, enum status status, int64_t now_ms)
{
	if (status == STATUS_OUTCOME_UNKNOWN)
		stats_add(&stats_mine()->unknown_commits, 1);
	/* What a payload causes says nothing about the database. */
	if (status == STATUS_INVALID_VALUE)
		return;
	measure->trouble = status;
	measure->trouble_ms = now_ms;
}

enum status commit_measure_trouble(const struct commit_measure *measure, int64_t now_ms)
{
	return now_ms < measure->trouble_ms + TROUBLE_MS ? measure->trouble : STATUS_OK;
}

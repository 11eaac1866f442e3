/*
 * ctl/top_internal.h - what `sluicectl top` measures between two readings of the workers' counters.
 */
#ifndef CTL_TOP_INTERNAL_H
#define CTL_TOP_INTERNAL_H

#include "base/stats.h"
#include "base/status.h"

/* All counters, summed over the workers. */
struct top_reading {
	int64_t at_us; /* on the clock of clock_now_us() */
	uint64_t numbers[sizeof(struct stats) / sizeof(stats_number)];
};

struct top_problem {
	const char *code;
	double rate;	/* a second, between the readings */
	uint64_t total; /* since counting began */
};

enum { TOP_PROBLEMS = 5 };

struct top_sample {
	/* Now. */
	unsigned workers;
	uint64_t connected, slots, in_flight, waiting, children;
	/* A second, between the readings. */
	double accepted, refused, failed, stored;
	/* Bounds of histograms, 0 when nothing was measured and UINT64_MAX beyond the last; of what
	 * came between the readings, or if that is nothing, ever. */
	uint64_t request_half_us, request_most_us, statement_half_us, statement_most_us;
	double group; /* requests, on average */
	/* Since counting began. */
	uint64_t connections, unknown, shed, expired, failed_children, lost_lines;
	struct top_problem problems[TOP_PROBLEMS]; /* the most frequent first */
	unsigned problem_count;
};

void top_read(struct top_reading *reading);

/* What two readings say, the second taken later. */
void top_measure(const struct top_reading *before, const struct top_reading *after,
		 struct top_sample *sample);

#endif

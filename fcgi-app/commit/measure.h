/*
 * commit/measure.h - how the database does: the time and the size of each group for the metrics,
 * and whether it has lately failed one.
 */
#ifndef COMMIT_MEASURE_H
#define COMMIT_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct commit_measure {
	int64_t sent_us;     /* when the group was sent, on the clock of clock_now_us() */
	enum status trouble; /* how the last group failed; STATUS_OK once one is committed */
	int64_t trouble_ms;  /* when */
};

/* A group was sent; and its statement has ended, in whatever way. */
void commit_measure_sent(struct commit_measure *measure);
void commit_measure_ended(const struct commit_measure *measure, size_t requests);

/* The group is committed (STATUS_OK), or has failed for good. */
void commit_measure_outcome(struct commit_measure *measure, enum status status, int64_t now_ms);

/* How the last group failed if that was in the last ten seconds; else STATUS_OK. So a worker that
 * is sent nothing while it is not ready becomes ready again. */
enum status commit_measure_trouble(const struct commit_measure *measure, int64_t now_ms);

#endif

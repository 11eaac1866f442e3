/*
 * server/pace.c - see server/pace.h.
 */
#include "server/pace.h"

#include "base/clock.h"

enum { GRACE_PARTS = 2, GRACE_MS_MAX = 30000, SECOND_US = 1000000 };

void pace_start(struct pace *pace, int64_t rate, int64_t timeout_ms, int64_t now_us)
{
	int64_t grace_ms = clock_earlier(timeout_ms / GRACE_PARTS, GRACE_MS_MAX);

	*pace = (struct pace){.rate = rate, .grace_us = grace_ms * 1000, .until_us = INT64_MAX};
	if (rate > 0)
		pace->until_us = now_us + pace->grace_us;
}

void pace_receive(struct pace *pace, size_t n, int64_t now_us)
{
	if (pace->rate == 0)
		return;
	/* More than a grace's worth adds no more than that. */
	int64_t most = pace->rate * pace->grace_us / SECOND_US + 1;
	int64_t bytes = (int64_t)n < most ? (int64_t)n : most;
	pace->until_us = clock_earlier(pace->until_us + bytes * SECOND_US / pace->rate,
				       now_us + pace->grace_us);
}

void pace_pause(struct pace *pace, int64_t us)
{
	if (pace->rate > 0)
		pace->until_us += us;
}

/*
 * base/stats.h - what a worker counts, in memory that the workers of one service share.
 *
 * Each worker adds to a slot of its own, without locks; its children add to the same one. The
 * counters stay in their file when a worker ends, and its successor goes on with them. How they are
 * shown is decided by server/metrics.
 */
#ifndef BASE_STATS_H
#define BASE_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { STATS_ROUTES = 16, STATS_BUCKETS = 13, STATS_WORKERS = 32 };

typedef _Atomic uint64_t stats_number;

/* How many values were at most the bound of each bucket and above that of the one before; the last
 * has no bound. */
struct stats_histogram {
	stats_number buckets[STATS_BUCKETS + 1];
	stats_number sum;
};

/* Bounds of durations in microseconds, 1 ms to 10 s, and of numbers of requests. Unused bounds are
 * UINT64_MAX. */
extern const uint64_t stats_durations_us[STATS_BUCKETS];
extern const uint64_t stats_sizes[STATS_BUCKETS];

struct stats {
	/* Counters, which never decrease. */
	stats_number requests[STATS_ROUTES][STATUS_COUNT]; /* answered, by their status */
	struct stats_histogram request_us[STATS_ROUTES];
	struct stats_histogram statement_us;	       /* of groups, with commit */
	struct stats_histogram group_requests;	       /* in each group that was sent */
	stats_number stored, repeated, rejected;       /* items of accepted requests */
	stats_number connections, connection_failures; /* to the database */
	stats_number unknown_commits;
	stats_number resolved_commits;	   /* whose connection was lost, but not their outcome */
	stats_number hangs;		   /* times that requests began to be refused at once */
	stats_number refused_at_once;	   /* because the database was away or hung */
	stats_number cancelled_statements; /* at their limit */
	stats_number early_answers;	   /* before the request had come to its end */
	stats_number gave_way;		   /* closed or refused because slots or bytes ran short */
	stats_number kept_answers;	   /* after which the connection was kept */
	stats_number expired_connections;  /* closed at their deadline without a whole answer */
	stats_number failed_children;
	stats_number lost_log_lines;

	/* What holds now, of a worker that runs. */
	stats_number pid;
	stats_number started_s; /* Unix time */
	stats_number slots, in_flight;
	stats_number kept;    /* connections without a request */
	stats_number waiting; /* requests in the commit queue */
	stats_number children;
	stats_number is_connected; /* to the database: 0 or 1 */

	/* What the workers of a socket tell each other (server/share). Times are of clock_now_us().
	 */
	stats_number socket; /* that it listens on; 0: none */
	stats_number seen_us, kept_up_us;
	stats_number is_light; /* 0 or 1 */
};

enum stats_user {
	STATS_WORKER, /* takes a slot that no other worker has */
	STATS_PASSING /* one request, such as plain CGI: adds to any slot */
};

/*
 * Maps the file, making it if need be; "" is none. layout tells whether its numbers mean what the
 * caller's mean: a file with another one is replaced. Without a usable file, which is logged, the
 * process counts for itself and its children alone.
 */
void stats_open(const char *path, uint64_t layout, enum stats_user user);

/* Unmaps the file. What is added from then on is seen by nobody. */
void stats_close(void);

/* The process's own slot, also before stats_open(). */
struct stats *stats_mine(void);

/* Maps the file for reading, for other programs. STATUS_OK, or STATUS_NO_SUCH_ROW when there is
 * none of this layout that can be read. */
enum status stats_attach(const char *path, uint64_t layout) MUST_CHECK;

/* The slot at an index below STATS_WORKERS, to be read only; and whether a worker has it. */
const struct stats *stats_slot(unsigned index);
bool stats_is_running(unsigned index);

/* The sum of a number, by its offset in struct stats, over all slots. */
uint64_t stats_sum(size_t offset);

static inline void stats_add(stats_number *number, uint64_t more)
{
	(void)atomic_fetch_add_explicit(number, more, memory_order_relaxed);
}

static inline void stats_set(stats_number *number, uint64_t value)
{
	atomic_store_explicit(number, value, memory_order_relaxed);
}

static inline uint64_t stats_get(const stats_number *number)
{
	return atomic_load_explicit(number, memory_order_relaxed);
}

/* Counts a value in the bucket of the first bound that is not below it. */
void stats_observe(struct stats_histogram *histogram, const uint64_t bounds[STATS_BUCKETS],
		   uint64_t value);

#endif

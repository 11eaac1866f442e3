/*
 * commit/health.c - the connection, and whether the database can be expected to answer. See
 * commit/queue_internal.h.
 *
 * Once a group or an attempt to connect has taken too long, requests are refused at once, so that
 * none waits for a database that does not answer. A probe, which stores like a group but leaves
 * nothing, finds out when it does.
 */
#include <string.h>

#include "base/log.h"
#include "base/stats.h"
#include "commit/queue_internal.h"
#include "key/random.h"

enum {
	BACKOFF_FIRST_MS = 100, /* between attempts to connect, doubling … */
	BACKOFF_LAST_MS = 600,	/* … up to this, each with jitter */
	PROBE_MS = 1000,
	PROBE_PAUSE_MS = 100,
	PROBE_STUCK_MS = 30000
};

static const struct pg_statement probe = {
	.name = "probe",
	.sql = "SELECT sluice.intake_probe()",
	.columns = 1,
	.rows = 1,
	.answer = STATUS_DEADLINE,
};

/* ---- connecting ---- */

/* Workers that lost the same server should not all come back at once. */
static int64_t jitter(int64_t ms)
{
	uint32_t random = 0;

	if (random_bytes(&random, sizeof(random)) != STATUS_OK)
		return ms;
	return ms / 2 + (int64_t)(random % (uint64_t)(ms + 1));
}

void commit_health_connect_later(struct commit_queue *queue, enum status outage, int64_t now_ms)
{
	queue->outage = outage;
	queue->backoff_ms = queue->backoff_ms == 0 ? BACKOFF_FIRST_MS : queue->backoff_ms * 2;
	if (queue->backoff_ms > BACKOFF_LAST_MS)
		queue->backoff_ms = BACKOFF_LAST_MS;
	queue->connect_ms = now_ms + jitter(queue->backoff_ms);
}

void commit_health_connect(struct commit_queue *queue, int64_t now_ms)
{
	enum status status = pg_start_connect(queue->db);

	queue->deadline_ms = now_ms + queue->config->connect_timeout_ms;
	if (status != STATUS_OK)
		commit_health_connect_later(queue, status, now_ms);
}

/* What waits is sent there; what is known of keys and of the server was the other one's. */
void commit_health_follow(struct commit_queue *queue, int64_t now_ms)
{
	bool in_flight = pg_state(queue->db) == PG_BUSY && !queue->probing;

	if (in_flight || queue->group.first != NULL ||
	    pg_redirect(queue->db, queue->config->database) != STATUS_OK)
		return;
	queue->probing = false;
	queue->health = COMMIT_SOUND;
	memset(&queue->last_used, 0, sizeof(queue->last_used));
	queue->outage = STATUS_OK;
	queue->backoff_ms = 0;
	queue->connect_ms = now_ms;
	queue->redirected = true;
}

void commit_health_connected(struct commit_queue *queue, enum status status, int64_t now_ms)
{
	queue->redirected = false;
	if (status == STATUS_OK) {
		log_event(LOG_LEVEL_INFO, "connected to the database",
			  LOG_INT("waiting", commit_queue_pending(queue)));
		stats_add(&stats_mine()->connections, 1);
		queue->backoff_ms = 0;
		return;
	}
	stats_add(&stats_mine()->connection_failures, 1);
	commit_health_connect_later(queue, status, now_ms);
}

/* ---- probing ---- */

void commit_health_doubt(struct commit_queue *queue, int64_t now_ms)
{
	if (queue->health == COMMIT_SOUND)
		queue->health = COMMIT_DOUBTFUL;
	queue->probe_ms = now_ms;
}

void commit_health_hang(struct commit_queue *queue, int64_t now_ms)
{
	queue->probe_ms = now_ms;
	if (queue->health == COMMIT_HUNG)
		return;
	queue->health = COMMIT_HUNG;
	stats_add(&stats_mine()->hangs, 1);
	log_event(LOG_LEVEL_ERROR, "the database hangs: requests are refused until it answers",
		  LOG_INT("waiting", commit_queue_pending(queue)));
}

void commit_health_probe(struct commit_queue *queue, int64_t now_ms)
{
	if (now_ms < queue->probe_ms)
		return;
	enum status status = pg_send(queue->db, &probe, NULL);
	if (status != STATUS_OK)
		return; /* the connection is lost */
	queue->probing = true;
	queue->probed_to_ms = now_ms + PROBE_STUCK_MS;
	commit_queue_limit(queue, now_ms, now_ms + PROBE_MS);
}

/* Whatever else the server says, it answers, and will tell requests the same. */
void commit_health_probed(struct commit_queue *queue, enum status status, int64_t now_ms)
{
	queue->probing = false;
	if (status == STATUS_DEADLINE || status == STATUS_OUTCOME_UNKNOWN) {
		commit_health_hang(queue, now_ms);
		queue->probe_ms = now_ms + PROBE_PAUSE_MS;
	} else if (status != STATUS_UNAVAILABLE) {
		if (queue->health == COMMIT_HUNG)
			log_event(LOG_LEVEL_INFO, "the database answers again",
				  LOG_TEXT("code", status_name(status)));
		queue->health = COMMIT_SOUND;
	}
}

void commit_health_probe_overdue(struct commit_queue *queue, int64_t now_ms)
{
	commit_health_hang(queue, now_ms);
	if (now_ms < queue->probed_to_ms && pg_has_been_read(queue->db)) {
		queue->deadline_ms = now_ms + PROBE_MS;
		return;
	}
	pg_drop(queue->db);
	commit_health_probed(queue, STATUS_DEADLINE, now_ms);
}

/* ---- refusing ---- */

static bool is_refusing(const struct commit_queue *queue)
{
	enum pg_state state = pg_state(queue->db);

	return queue->health == COMMIT_HUNG || state == PG_CLOSED ||
	       (state == PG_CONNECTING && queue->backoff_ms > 0);
}

void commit_health_refuse(struct commit_queue *queue)
{
	size_t count = queue->isolated.requests + queue->waiting.requests;
	enum status why = queue->health == COMMIT_HUNG ? STATUS_DEADLINE : queue->outage;

	if (count == 0 || !is_refusing(queue))
		return;
	stats_add(&stats_mine()->refused_at_once, count);
	commit_queue_complete(queue, &queue->isolated, why);
	commit_queue_complete(queue, &queue->waiting, why);
}

/*
 * server/scrape.c - see server/scrape.h.
 */
#include "server/scrape.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "store/metrics.h"

enum {
	HOST_MS = SCRAPE_MS / 2, /* so that one silent host of several is not all there is */
	STUCK_LOOK_MS = 1000,
	STUCK_MS = 30000
};

struct scrape {
	const struct config *config;
	struct pg_connection *db; /* NULL: no look-up is under way */
	bool is_awaited;
	int64_t due_ms;	    /* until then */
	int64_t look_ms;    /* nobody waits: whether the server is still at it is looked for … */
	int64_t gave_up_ms; /* … until so long after this */
	struct pg_query_result result;
};

enum status scrape_open(struct scrape **scrape, const struct config *config)
{
	*scrape = calloc(1, sizeof(**scrape));
	if (*scrape == NULL)
		return STATUS_NO_MEMORY;
	(*scrape)->config = config;
	return STATUS_OK;
}

static void disconnect(struct scrape *scrape)
{
	pg_close(scrape->db);
	scrape->db = NULL;
}

void scrape_close(struct scrape *scrape)
{
	if (scrape == NULL)
		return;
	disconnect(scrape);
	pg_result_free(&scrape->result);
	free(scrape);
}

void scrape_abandon(struct scrape *scrape)
{
	if (scrape->db != NULL)
		pg_abandon(scrape->db);
}

/* ---- a look-up ---- */

static enum status begin(struct scrape *scrape, int64_t now_ms)
{
	struct pg_options options = {.conninfo = scrape->config->database,
				     .host_timeout_ms = HOST_MS,
				     .application_name = "sluice-intake"};
	enum status status = pg_open(&scrape->db, &options);

	pg_result_free(&scrape->result);
	if (status == STATUS_OK)
		status = pg_start_connect(scrape->db);
	if (status != STATUS_OK)
		disconnect(scrape);
	scrape->is_awaited = status == STATUS_OK;
	scrape->due_ms = now_ms + SCRAPE_MS;
	return status;
}

bool scrape_ask(struct scrape *scrape, int64_t now_ms)
{
	if (scrape->db == NULL)
		return begin(scrape, now_ms) == STATUS_OK;
	return scrape->is_awaited;
}

/* STATUS_AGAIN: it goes on. */
static enum status advance(struct scrape *scrape)
{
	bool was_connecting = pg_state(scrape->db) == PG_CONNECTING;
	enum status status = pg_step(scrape->db, &scrape->result);

	if (status != STATUS_OK || !was_connecting)
		return status;
	status = pg_send(scrape->db, &metrics_statement, NULL);
	return status == STATUS_OK ? STATUS_AGAIN : status;
}

/* Nobody waits for it any longer. */
static enum status give_up(struct scrape *scrape, int64_t now_ms)
{
	log_event(LOG_LEVEL_ERROR, "the database did not answer in time",
		  LOG_TEXT("during", "metrics"));
	if (pg_state(scrape->db) != PG_BUSY)
		return STATUS_DEADLINE;
	stats_add(&stats_mine()->cancelled_statements, 1);
	pg_cancel(scrape->db);
	scrape->gave_up_ms = now_ms;
	scrape->look_ms = now_ms + STUCK_LOOK_MS;
	return STATUS_AGAIN;
}

/* Whether the server has not even taken the statement, or does not come to the end of it. */
static enum status look(struct scrape *scrape, int64_t now_ms)
{
	scrape->look_ms = now_ms + STUCK_LOOK_MS;
	return now_ms - scrape->gave_up_ms < STUCK_MS && pg_has_been_read(scrape->db)
		       ? STATUS_AGAIN
		       : STATUS_DEADLINE;
}

static bool host_is_overdue(const struct scrape *scrape, int64_t now_ms)
{
	return pg_state(scrape->db) == PG_CONNECTING && now_ms >= pg_host_deadline_ms(scrape->db);
}

bool scrape_step(struct scrape *scrape, int64_t now_ms)
{
	bool was_awaited = scrape->is_awaited;
	enum status status = STATUS_AGAIN;

	if (scrape->db == NULL)
		return false;
	if (pg_has_events(scrape->db))
		status = advance(scrape);
	if (status == STATUS_AGAIN && host_is_overdue(scrape, now_ms)) {
		status = pg_give_up_host(scrape->db);
		status = status == STATUS_OK ? STATUS_AGAIN : status;
	}
	if (status == STATUS_AGAIN && was_awaited && now_ms >= scrape->due_ms) {
		status = give_up(scrape, now_ms);
		scrape->is_awaited = false;
	} else if (status == STATUS_AGAIN && !was_awaited && now_ms >= scrape->look_ms) {
		status = look(scrape, now_ms);
	}
	if (status != STATUS_AGAIN) {
		disconnect(scrape);
		scrape->is_awaited = false;
	}
	return was_awaited && !scrape->is_awaited;
}

struct slice scrape_text(const struct scrape *scrape)
{
	return scrape->result.pg == NULL ? SLICE_ABSENT : pg_result_value(&scrape->result, 0, 0);
}

/* ---- waiting ---- */

int scrape_fd(const struct scrape *scrape)
{
	return scrape->db == NULL ? -1 : pg_fd(scrape->db);
}

short scrape_events(const struct scrape *scrape)
{
	return scrape->db == NULL ? 0 : pg_events(scrape->db);
}

int64_t scrape_wake_ms(const struct scrape *scrape)
{
	if (scrape->db == NULL)
		return INT64_MAX;
	if (pg_state(scrape->db) == PG_CONNECTING)
		return clock_earlier(scrape->due_ms, pg_host_deadline_ms(scrape->db));
	return scrape->is_awaited ? scrape->due_ms : scrape->look_ms;
}

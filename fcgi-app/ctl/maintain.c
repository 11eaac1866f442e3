/*
 * ctl/maintain.c - sluicectl maintain. See ctl/ctl_internal.h.
 *
 * Calls the steps that the database lists, in order, each until nothing is left to do. A table that
 * is in use is no failure, nor is a step that another run is at: after a few attempts it is left to
 * the next run. A step that fails does not stop the others.
 */
#include "ctl/ctl_internal.h"

#include <poll.h>

#include "base/clock.h"
#include "store/maintenance.h"

enum {
	CALL_ROWS = 5000, /* locks rows, or a default partition, for less than a second */
	ATTEMPTS = 3,
	PAUSE_MS = 500, /* between attempts, to let the queue behind the lock go ahead */
	/* Less than the ten minutes after which a timer starts the next run. */
	RUN_MS = 8 * 60 * 1000,
	CALL_TIMEOUT_MS = 10 * 60 * 1000,
};

enum result { RESULT_DONE, RESULT_MORE, RESULT_BUSY, RESULT_FAILED };

/* As in sluice.maintenance_run. */
static const char *const results[] = {
	[RESULT_DONE] = "done",
	[RESULT_MORE] = "more",
	[RESULT_BUSY] = "busy",
	[RESULT_FAILED] = "failed",
};

/* What became of a step. */
struct outcome {
	struct slice step;
	struct slice result; /* of results */
	int64_t worked;
	struct slice unit;
	struct slice message; /* why it was busy or failed; else absent */
};

static const struct store_column columns[] = {
	STORE_COLUMN(struct outcome, step, .member = "step", .heading = "STEP"),
	STORE_COLUMN(struct outcome, result, .member = "result", .heading = "RESULT"),
	STORE_COLUMN(struct outcome, worked, .member = "worked", .heading = "WORKED"),
	STORE_COLUMN(struct outcome, unit, .member = "unit", .heading = "UNIT"),
	STORE_COLUMN(struct outcome, message, .member = "message", .heading = "MESSAGE",
		     .whole = true),
};
static const struct store_entity outcome_entity = STORE_ENTITY(struct outcome, columns);

/* ---- one step ---- */

/* Keeps the database's message; without memory it is absent, and the result stands. */
static enum result with_message(struct ctl *ctl, struct outcome *outcome, enum result result)
{
	outcome->message = slice_of(arena_copy(&ctl->arena, slice_of(pg_message(ctl->db))));
	return result;
}

/* Calls a step until it is done or the run's time is up. Returns a failure only when nothing more
 * can be asked of the database; any other is a *result. */
static enum status do_step(struct ctl *ctl, struct outcome *outcome, int64_t end_ms,
			   enum result *result)
{
	int attempt = 0;

	while (true) {
		int64_t worked;
		ctl->store.deadline_ms = clock_now_ms() + CALL_TIMEOUT_MS;
		enum status status =
			store_maintenance_do(&ctl->store, outcome->step, CALL_ROWS, &worked);
		outcome->worked += worked;
		if (status == STATUS_OK && (worked == 0 || clock_now_ms() >= end_ms)) {
			*result = worked == 0 ? RESULT_DONE : RESULT_MORE;
			return STATUS_OK;
		}
		if (status == STATUS_OK) {
			attempt = 0;
			continue;
		}
		if (status == STATUS_NO_MEMORY || pg_state(ctl->db) != PG_READY)
			return status;
		bool busy = store_maintenance_is_busy(&ctl->store);
		if (!busy || ++attempt == ATTEMPTS) {
			*result = with_message(ctl, outcome, busy ? RESULT_BUSY : RESULT_FAILED);
			return STATUS_OK;
		}
		(void)poll(NULL, 0, PAUSE_MS);
	}
}

static enum status do_and_record(struct ctl *ctl, const struct store_step *step, int64_t end_ms,
				 struct outcome *outcome, enum result *result)
{
	*outcome = (struct outcome){.step = step->name, .unit = step->unit};
	enum status status = do_step(ctl, outcome, end_ms, result);
	if (status != STATUS_OK)
		return status;
	outcome->result = slice_of(results[*result]);
	ctl->store.deadline_ms = ctl_deadline();
	return store_maintenance_record(&ctl->store, outcome->step, outcome->result,
					outcome->worked, outcome->message);
}

/* ---- the command ---- */

/* Adds to *outcomes those of the steps that have ended. */
static enum ctl_exit do_all(struct ctl *ctl, const struct store_list *steps, int64_t end_ms,
			    struct store_list *outcomes)
{
	const struct store_step *step = steps->items;
	struct outcome *outcome = outcomes->items;
	enum ctl_exit exit = CTL_FINE;

	for (size_t i = 0; i < steps->count; i++) {
		enum result result = RESULT_DONE;
		enum status status = do_and_record(ctl, &step[i], end_ms, &outcome[i], &result);
		if (status != STATUS_OK)
			return ctl_fail_status(ctl, status);
		outcomes->count++;
		if (result == RESULT_FAILED)
			exit = ctl_fail(CTL_FAILED, NULL, "step \"%s\" failed: %s",
					outcome[i].step.p,
					outcome[i].message.p == NULL ? "" : outcome[i].message.p);
	}
	return exit;
}

static enum ctl_exit add_report_json(struct ctl *ctl, const struct store_list *outcomes,
				     const struct store_list *archived)
{
	struct json_tree tree = {0};
	struct json_object *root = json_tree_object(&tree, NULL, NULL);

	store_list_json(outcomes, &tree, json_tree_array(&tree, root, "steps"));
	if (ctl_has(ctl, CTL_ARCHIVE))
		store_list_json(archived, &tree, json_tree_array(&tree, root, "archived"));
	return ctl_add_tree(ctl, &tree);
}

static enum ctl_exit add_report(struct ctl *ctl, const struct store_list *outcomes,
				const struct store_list *archived)
{
	if (ctl_has(ctl, CTL_JSON))
		return add_report_json(ctl, outcomes, archived);
	enum ctl_exit result = ctl_add_list(ctl, outcomes);
	if (result == CTL_FINE && archived->count > 0) {
		buf_add_text(&ctl->out, "\n");
		result = ctl_add_list(ctl, archived);
	}
	return result;
}

enum ctl_exit ctl_maintain(struct ctl *ctl)
{
	struct store_list steps = {0}, outcomes = {.entity = &outcome_entity};
	struct store_list archived = {.entity = &ctl_archived_entity};
	int64_t end_ms = clock_now_ms() + RUN_MS;
	enum status status = STATUS_OK;

	/* What the primary's run does comes here by replication, and a timer goes on after a
	 * failover. */
	if (pg_is_standby(ctl->db))
		ctl_warn("the server is a standby: nothing is done");
	else
		status = store_maintenance_steps(&ctl->store, &steps);

	outcomes.items = arena_array(&ctl->arena, steps.count, sizeof(struct outcome));
	if (status == STATUS_OK && outcomes.items == NULL && steps.count > 0)
		status = STATUS_NO_MEMORY;
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	enum ctl_exit exit = do_all(ctl, &steps, end_ms, &outcomes);
	if (ctl_has(ctl, CTL_ARCHIVE) && steps.count > 0 && pg_state(ctl->db) == PG_READY) {
		enum ctl_exit result = ctl_archive(ctl, end_ms, &archived);
		exit = exit == CTL_FINE ? result : exit;
	}
	/* After a failure too: what was done stays done. */
	enum ctl_exit reported = add_report(ctl, &outcomes, &archived);
	return exit != CTL_FINE ? exit : reported;
}

/*
 * ctl/maintain.c - sluicectl maintain. See ctl/ctl.h.
 *
 * Calls the steps that the database lists, one after the other, each until nothing is left of it.
 * A table that is in use is no failure: it is tried again a few times and then left to the next
 * run. A step that fails does not keep the others from being done.
 */
#include "ctl/ctl.h"

#include <inttypes.h>
#include <poll.h>

#include "base/clock.h"
#include "store/maintenance.h"

enum {
	CALL_ROWS = 5000, /* locks rows, or a default partition, for less than a second */
	ATTEMPTS = 3,
	PAUSE_MS = 500, /* between attempts: those who queued behind the lock go on */
	/* Less than the ten minutes after which a timer runs it again. */
	RUN_MS = 8 * 60 * 1000,
	CALL_TIMEOUT_MS = 10 * 60 * 1000,
};

enum result { RESULT_DONE, RESULT_MORE, RESULT_BUSY, RESULT_FAILED };

/* As maintenance_run has them. */
static const char *const results[] = {
	[RESULT_DONE] = "done",
	[RESULT_MORE] = "more",
	[RESULT_BUSY] = "busy",
	[RESULT_FAILED] = "failed",
};

struct outcome {
	const struct store_step *step;
	enum result result;
	int64_t worked;
	struct slice message; /* why it was busy or failed; else absent */
};

/* ---- one step ---- */

/* Keeps the database's message; without memory it is absent, and the result stands. */
static void end_with_message(struct ctl *ctl, struct outcome *outcome, enum result result)
{
	struct slice message = slice_of(pg_message(ctl->db));

	outcome->result = result;
	outcome->message.p = arena_copy(&ctl->arena, message);
	outcome->message.n = outcome->message.p == NULL ? 0 : message.n;
}

/* Returns what lost the connection; all else is in *outcome. */
static enum status do_step(struct ctl *ctl, struct outcome *outcome, int64_t end_ms)
{
	int attempt = 0;

	while (true) {
		int64_t worked;
		ctl->store.deadline_ms = clock_now_ms() + CALL_TIMEOUT_MS;
		enum status status =
			store_maintenance_do(&ctl->store, outcome->step->name, CALL_ROWS, &worked);
		outcome->worked += worked;
		if (status == STATUS_OK && worked == 0) {
			outcome->result = RESULT_DONE;
			return STATUS_OK;
		}
		if (status == STATUS_OK && clock_now_ms() >= end_ms) {
			outcome->result = RESULT_MORE;
			return STATUS_OK;
		}
		if (status == STATUS_OK) {
			attempt = 0;
			continue;
		}
		if (status == STATUS_NO_MEMORY || pg_state(ctl->db) != PG_READY)
			return status;
		if (!store_maintenance_is_busy(&ctl->store)) {
			end_with_message(ctl, outcome, RESULT_FAILED);
			return STATUS_OK;
		}
		if (++attempt == ATTEMPTS) {
			end_with_message(ctl, outcome, RESULT_BUSY);
			return STATUS_OK;
		}
		(void)poll(NULL, 0, PAUSE_MS);
	}
}

static enum status do_and_record(struct ctl *ctl, struct outcome *outcome, int64_t end_ms)
{
	enum status status = do_step(ctl, outcome, end_ms);

	if (status != STATUS_OK)
		return status;
	ctl->store.deadline_ms = ctl_deadline();
	return store_maintenance_record(&ctl->store, outcome->step->name,
					slice_of(results[outcome->result]), outcome->worked,
					outcome->message);
}

/* ---- the report ---- */

static void add_report_json(struct buf *out, bool already_running, const struct outcome *outcomes,
			    size_t count)
{
	buf_add_char(out, '{');
	json_write_member_bool(out, "already_running", already_running);
	json_write_member_json(out, "steps", SLICE("["));
	for (size_t i = 0; i < count; i++) {
		json_write_comma(out);
		buf_add_char(out, '{');
		json_write_member(out, "step", outcomes[i].step->name);
		json_write_member(out, "result", slice_of(results[outcomes[i].result]));
		json_write_member_int(out, "worked", outcomes[i].worked);
		json_write_member(out, "unit", outcomes[i].step->unit);
		json_write_member(out, "message", outcomes[i].message);
		buf_add_char(out, '}');
	}
	buf_add_text(out, "]}\n");
}

static enum ctl_exit add_report(struct ctl *ctl, const struct outcome *outcomes, size_t count)
{
	static const char *const heads[] = {"RESULT", "STEP", "WORKED", "UNIT", "MESSAGE"};
	enum { COLUMNS = ARRAY_LENGTH(heads) };
	struct slice *cells = arena_array(&ctl->arena, count * COLUMNS, sizeof(*cells));

	if (cells == NULL && count > 0)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	for (size_t i = 0; i < count; i++) {
		struct slice *row = cells + i * COLUMNS;
		row[0] = slice_of(results[outcomes[i].result]);
		row[1] = outcomes[i].step->name;
		row[2] = arena_int(&ctl->arena, outcomes[i].worked);
		row[3] = outcomes[i].step->unit;
		row[4] = outcomes[i].message;
	}
	ctl_add_table(&ctl->out, heads, COLUMNS, cells, count);
	return CTL_FINE;
}

/* ---- the command ---- */

static enum ctl_exit do_all(struct ctl *ctl, const struct store_steps *steps,
			    struct outcome *outcomes, size_t *count)
{
	int64_t end_ms = clock_now_ms() + RUN_MS;
	enum ctl_exit exit = CTL_FINE;

	for (*count = 0; *count < steps->count; (*count)++) {
		struct outcome *outcome = &outcomes[*count];
		*outcome = (struct outcome){.step = &steps->items[*count]};
		enum status status = do_and_record(ctl, outcome, end_ms);
		if (status != STATUS_OK)
			return ctl_fail_status(ctl, status);
		if (outcome->result == RESULT_FAILED)
			exit = ctl_fail(CTL_FAILED, NULL, "step \"%s\" failed: %s",
					outcome->step->name.p,
					outcome->message.p == NULL ? "" : outcome->message.p);
	}
	return exit;
}

enum ctl_exit ctl_maintain(struct ctl *ctl)
{
	struct store_steps steps = {NULL, 0};
	struct outcome *outcomes = NULL;
	size_t count = 0;
	bool locked = false;
	enum ctl_exit exit = CTL_FINE;
	enum status status = store_maintenance_lock(&ctl->store, &locked);

	if (status == STATUS_OK && locked)
		status = store_maintenance_steps(&ctl->store, &steps);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (!locked && !ctl_has(ctl, CTL_JSON)) {
		buf_add_text(&ctl->out, "another run is under way, and does it all\n");
		return CTL_FINE;
	}
	outcomes = arena_array(&ctl->arena, steps.count, sizeof(*outcomes));
	if (outcomes == NULL && steps.count > 0)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	exit = do_all(ctl, &steps, outcomes, &count);
	/* After a failure too: what was done stays done. */
	if (ctl_has(ctl, CTL_JSON))
		add_report_json(&ctl->out, !locked, outcomes, count);
	else if (add_report(ctl, outcomes, count) != CTL_FINE)
		return CTL_FAILED;
	return exit;
}

/*
 * commit/outcome.c - outcomes of senders and results of items, back to the requests. See
 * commit/outcome.h.
 */
#include "commit/outcome.h"

#include "pg/array.h"

/* Of a sender: elements of sluice.intake_result's outcomes. */
enum outcome { UNKNOWN_KEY = 1, FIRST_REFUSAL = 2, AT_LIMIT = 7, OUTCOME_COUNT = 9 };

static const enum status by_outcome[OUTCOME_COUNT] = {
	STATUS_ACCEPTED,	/* 0 */
	STATUS_UNAUTHENTICATED, /* 1 unknown key */
	STATUS_UNAUTHENTICATED, /* 2 deactivated */
	STATUS_UNAUTHENTICATED, /* 3 expired */
	STATUS_UNAUTHENTICATED, /* 4 secret missing */
	STATUS_UNAUTHENTICATED, /* 5 secret wrong */
	STATUS_WRONG_ENDPOINT,	/* 6 */
	STATUS_LIMIT_REACHED,	/* 7 */
	STATUS_CONFLICT,	/* 8 a bulk import of the key is about to commit */
};

/* The arrays of the result. */
struct answer {
	struct pg_array_reader outcomes, key_ids, ids, repeated, cold, templates;
};

/* In the order of sluice.intake_result. */
static struct answer open_answer(const struct pg_query_result *result)
{
	struct pg_array_reader record = pg_record_open(pg_result_value(result, 0, 0), 6);
	struct answer answer = {.outcomes = pg_array_open(pg_record_next(&record), PG_INT2)};

	answer.key_ids = pg_array_open(pg_record_next(&record), PG_INT8);
	answer.ids = pg_array_open(pg_record_next(&record), PG_INT8);
	answer.repeated = pg_array_open(pg_record_next(&record), PG_BOOL);
	answer.cold = pg_array_open(pg_record_next(&record), PG_BOOL);
	answer.templates = pg_array_open(pg_record_next(&record), PG_TEXT);
	answer.outcomes.broken |= record.broken;
	return answer;
}

static bool is_broken(const struct answer *answer)
{
	return answer->outcomes.broken || answer->key_ids.broken || answer->ids.broken ||
	       answer->repeated.broken || answer->cold.broken || answer->templates.broken;
}

static bool has(const struct pg_array_reader *array, size_t count)
{
	return array->end == NULL || array->left == count;
}

/* True when there is an outcome for each sender and, unless null, an element for each item. */
static bool fits(const struct answer *answer, const struct commit_list *requests)
{
	size_t senders = 0;

	for (const struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next)
		senders += request->sender.first == request;
	return answer->outcomes.left == senders && answer->key_ids.left == senders &&
	       has(&answer->ids, requests->rows) && has(&answer->repeated, requests->rows) &&
	       has(&answer->cold, requests->rows);
}

/* When the whole array is null, no flag is set. */
static bool next_flag(struct pg_array_reader *flags)
{
	return flags->end != NULL && pg_array_next(flags, 1, 0) != 0;
}

static void take_sender(struct answer *answer, struct commit_request *request)
{
	if (request->sender.first == request) {
		request->sender.outcome = (int)pg_array_next(&answer->outcomes, 2, -1);
		request->out.key_id = pg_array_next(&answer->key_ids, 8, 0);
		if (request->sender.outcome < 0 || request->sender.outcome >= OUTCOME_COUNT) {
			answer->outcomes.broken = true;
			request->sender.outcome = UNKNOWN_KEY;
		}
	}
	request->sender.outcome = request->sender.first->sender.outcome;
	request->out.key_id = request->sender.first->out.key_id;
	request->out.status = by_outcome[request->sender.outcome];
}

static void take_items(struct answer *answer, struct commit_request *request)
{
	size_t count = commit_request_items(request), missing = 0;

	for (size_t i = 0; i < count; i++) {
		struct commit_result *result = &request->results[i];
		bool stored = answer->ids.end != NULL;
		result->id = stored ? pg_array_next(&answer->ids, 8, 0) : 0;
		result->repeated = next_flag(&answer->repeated);
		result->cold = next_flag(&answer->cold);
		missing += result->id == 0;
	}
	if (request->out.status == STATUS_ACCEPTED && missing > 0)
		answer->ids.broken = true;
	/* Items that were all accepted before are answered as then, also at the limit. */
	if (request->sender.outcome == AT_LIMIT && count > 0 && missing == 0 &&
	    commit_request_rejects(request) == 0)
		request->out.status = STATUS_ACCEPTED;
}

/* STATUS_OK or STATUS_NO_MEMORY. */
static enum status take_template(struct answer *answer, struct commit_request *request)
{
	if (!request->wants_template)
		return STATUS_OK;
	struct slice text = pg_array_next_bytes(&answer->templates);
	if (text.p == NULL)
		return STATUS_OK;
	request->out.template = (struct slice){arena_copy(request->arena, text), text.n};
	/* At the limit, too: its items are yet to come and may all be repeated. */
	request->out.status = STATUS_ACCEPTED;
	return request->out.template.p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status commit_outcome_take(const struct pg_query_result *result,
				const struct commit_list *requests, struct refusal_tally *refusals,
				int64_t due_ms)
{
	struct answer answer = open_answer(result);

	if (!fits(&answer, requests))
		return STATUS_INTERNAL;
	for (struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next) {
		take_sender(&answer, request);
		take_items(&answer, request);
		if (take_template(&answer, request) != STATUS_OK)
			request->out.status = STATUS_NO_MEMORY;
		if (request->out.status == STATUS_ACCEPTED && request->queue.as_rejects)
			request->out.status = STATUS_INVALID_VALUE;
		if (request->sender.outcome >= FIRST_REFUSAL &&
		    request->sender.outcome <= AT_LIMIT &&
		    request->out.status == by_outcome[request->sender.outcome])
			refusal_add(refusals, request->out.key_id, request->sender.outcome, due_ms);
	}
	return is_broken(&answer) ? STATUS_INTERNAL : STATUS_OK;
}

enum status commit_outcome_await(struct pg_connection *db, const struct commit_list *requests,
				 struct refusal_tally *refusals, int64_t deadline_ms)
{
	struct pg_query_result result = {0};
	enum status status = pg_await(db, &result, deadline_ms);

	if (status == STATUS_OK)
		status = commit_outcome_take(&result, requests, refusals, 0);
	pg_result_free(&result);
	return status;
}

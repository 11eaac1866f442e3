/*
 * commit/outcome.c - hands outcomes of senders and results of items to the requests. See
 * commit/outcome.h.
 */
#include "commit/outcome.h"

#include "pg/array.h"

/* ---- an ordinary group ---- */

static void take_ids(struct commit_request *request, int64_t *id)
{
	for (size_t i = 0; i < request->item_count; i++)
		request->results[i] = (struct commit_result){.id = (*id)++};
	request->out.status = STATUS_ACCEPTED;
}

enum status commit_outcome_take_ordinary(const struct pg_query_result *result,
					 const struct commit_list *requests)
{
	enum { ID_BYTES = 8 };
	struct slice first_id = pg_result_value(result, 0, 0);
	uint64_t value = 0;

	if (first_id.p == NULL)
		return STATUS_AGAIN;
	if (first_id.n != ID_BYTES)
		return STATUS_INTERNAL;
	for (size_t i = 0; i < ID_BYTES; i++)
		value = value << 8 | (unsigned char)first_id.p[i];
	int64_t id = (int64_t)value;
	for (struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next)
		take_ids(request, &id);
	return STATUS_OK;
}

/* ---- any group ---- */

/* Labels of sluice.intake_outcome. */
static const struct outcome {
	const char *label;
	enum status status;
	bool is_counted; /* as a refusal */
} outcomes[] = {
	{"accepted", STATUS_ACCEPTED, false},
	{"other_template", STATUS_ACCEPTED, false},
	{"unknown_key", STATUS_UNAUTHENTICATED, false},
	{"deactivated", STATUS_UNAUTHENTICATED, true},
	{"expired", STATUS_UNAUTHENTICATED, true},
	{"secret_missing", STATUS_UNAUTHENTICATED, true},
	{"secret_wrong", STATUS_UNAUTHENTICATED, true},
	{"wrong_endpoint", STATUS_WRONG_ENDPOINT, true},
	{"wrong_network", STATUS_WRONG_NETWORK, true},
	{"limit_reached", STATUS_LIMIT_REACHED, true},
};

/* NULL for an unknown label. */
static const struct outcome *outcome_of(struct slice label)
{
	for (size_t i = 0; i < ARRAY_LENGTH(outcomes); i++) {
		if (slice_equal(label, slice_of(outcomes[i].label)))
			return &outcomes[i];
	}
	return NULL;
}

/* The arrays of the result, in the order of sluice.intake_result. */
struct answer {
	struct pg_array_reader outcomes, key_ids, organization_ids, templates, template_versions,
		ids, repeated, cold;
};

static struct answer open_answer(const struct pg_query_result *result)
{
	struct pg_array_reader record = pg_record_open(pg_result_value(result, 0, 0), 8);
	struct answer answer = {.outcomes = pg_array_open(pg_record_next(&record), PG_OTHER)};

	answer.key_ids = pg_array_open(pg_record_next(&record), PG_INT8);
	answer.organization_ids = pg_array_open(pg_record_next(&record), PG_INT8);
	answer.templates = pg_array_open(pg_record_next(&record), PG_TEXT);
	answer.template_versions = pg_array_open(pg_record_next(&record), PG_INT8);
	answer.ids = pg_array_open(pg_record_next(&record), PG_INT8);
	answer.repeated = pg_array_open(pg_record_next(&record), PG_BOOL);
	answer.cold = pg_array_open(pg_record_next(&record), PG_BOOL);
	answer.outcomes.broken |= record.broken;
	return answer;
}

static bool is_broken(const struct answer *answer)
{
	return answer->outcomes.broken || answer->key_ids.broken ||
	       answer->organization_ids.broken || answer->templates.broken ||
	       answer->template_versions.broken || answer->ids.broken || answer->repeated.broken ||
	       answer->cold.broken;
}

/* True if the array has so many elements or is null. */
static bool has(const struct pg_array_reader *array, size_t count)
{
	return array->end == NULL || array->left == count;
}

/* True if the arrays are as long as the group. */
static bool fits(const struct answer *answer, const struct commit_list *requests)
{
	size_t senders = 0, signals = 0;

	for (const struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next) {
		senders += request->sender.first == request;
		signals += request->product_orgs == NULL ? commit_request_items(request) : 0;
	}
	return answer->outcomes.left == senders && has(&answer->organization_ids, senders) &&
	       has(&answer->templates, senders) && has(&answer->template_versions, senders) &&
	       has(&answer->ids, requests->rows) && has(&answer->repeated, requests->rows) &&
	       has(&answer->cold, signals);
}

/* False if the whole array is null. */
static bool next_flag(struct pg_array_reader *flags)
{
	return flags->end != NULL && pg_array_next(flags, 1, 0) != 0;
}

/* 0 if the whole array is null. */
static int64_t next_number(struct pg_array_reader *numbers)
{
	return numbers->end == NULL ? 0 : pg_array_next(numbers, 8, 0);
}

/* A sender's answer is kept in its first request. */
static void take_sender(struct answer *answer, struct commit_request *request)
{
	if (request->sender.first == request) {
		const struct outcome *outcome = outcome_of(pg_array_next_bytes(&answer->outcomes));
		if (outcome == NULL)
			answer->outcomes.broken = true;
		bool known = outcome != NULL;
		request->answer.status = known ? outcome->status : STATUS_INTERNAL;
		request->answer.refusal = known && outcome->is_counted ? outcome->label : NULL;
		request->answer.template = answer->templates.end == NULL
						   ? SLICE_ABSENT
						   : pg_array_next_bytes(&answer->templates);
		request->answer.template_version = next_number(&answer->template_versions);
		request->answer.organization_id = next_number(&answer->organization_ids);
	}
	request->out.status = request->sender.first->answer.status;
	request->out.organization_id = request->sender.first->answer.organization_id;
}

static void take_items(struct answer *answer, struct commit_request *request)
{
	size_t count = commit_request_items(request), missing = 0;

	for (size_t i = 0; i < count; i++) {
		struct commit_result *result = &request->results[i];
		result->id = next_number(&answer->ids);
		result->repeated = next_flag(&answer->repeated);
		result->cold = request->product_orgs == NULL && next_flag(&answer->cold);
		missing += result->id == 0;
	}
	if (request->sender.first->answer.template.p != NULL)
		return;
	if (request->out.status == STATUS_ACCEPTED && missing > 0)
		answer->ids.broken = true;
	/* A request whose items are all repeats is accepted even at the limit. */
	if (request->out.status == STATUS_LIMIT_REACHED && count > 0 && missing == 0 &&
	    commit_request_rejects(request) == 0)
		request->out.status = STATUS_ACCEPTED;
}

/* STATUS_OK, STATUS_NO_MEMORY, or STATUS_INTERNAL: there should be one. */
static enum status take_template(struct commit_request *request)
{
	const struct commit_request *first = request->sender.first;
	struct slice text = first->answer.template;

	if (text.p == NULL) {
		bool has_none = request->needs_template && request->template_version == 0;
		bool accepted = request->out.status == STATUS_ACCEPTED;
		return has_none && accepted ? STATUS_INTERNAL : STATUS_OK;
	}
	request->out.template = (struct slice){arena_copy(request->arena, text), text.n};
	request->out.template_version = first->answer.template_version;
	return request->out.template.p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static void settle(struct commit_request *request, struct refusal_tally *refusals, int64_t due_ms)
{
	const struct commit_request *first = request->sender.first;

	enum status status = take_template(request);

	if (status != STATUS_OK)
		request->out.status = status;
	if (request->out.status == STATUS_ACCEPTED && request->queue.as_rejects)
		request->out.status = STATUS_INVALID_VALUE;
	if (first->answer.refusal != NULL && request->out.status == first->answer.status)
		refusal_add(refusals, &request->key_hash, first->answer.refusal, due_ms);
}

enum status commit_outcome_take(const struct pg_query_result *result,
				const struct commit_list *requests, struct refusal_tally *refusals,
				int64_t due_ms)
{
	if (pg_result_value(result, 0, 0).p == NULL)
		return STATUS_AGAIN;
	struct answer answer = open_answer(result);
	if (!fits(&answer, requests))
		return STATUS_INTERNAL;
	for (struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next)
		take_sender(&answer, request);
	/* Signals come first, then product orgs, each in the order of their requests. */
	for (struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next) {
		if (request->product_orgs == NULL)
			take_items(&answer, request);
	}
	for (struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next) {
		if (request->product_orgs != NULL)
			take_items(&answer, request);
	}
	if (is_broken(&answer))
		return STATUS_INTERNAL;
	for (struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next)
		settle(request, refusals, due_ms);
	return STATUS_OK;
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

/*
 * commit/statement.c - requests to columns. See commit/statement.h.
 */
#include "commit/statement.h"

#include <stdlib.h>

#include "http/problem.h"
#include "pg/array.h"

/* The parameters in the function's order. */
enum column {
	KEY_HASHES,
	SECRET_HASHES,
	REQUEST_IDS,
	ITEM_REQUESTS,
	SOURCES,
	EVENT_TYPES,
	EVENT_NAMES,
	EMAILS,
	USER_IDS,
	ANONYMOUS_IDS,
	MESSAGE_IDS,
	OCCURRED_AT,
	COLD,
	PAYLOADS,
	PAYLOADS_RAW,
	REJECT_REQUESTS,
	REJECT_POSITIONS,
	REJECT_CODES,
	REJECT_DETAILS,
	REJECT_KINDS,
	REJECT_SOURCES,
	REJECT_PAYLOADS,
	REJECT_LENGTHS,
	REFUSED_KEY_IDS,
	REFUSALS,
	REFUSAL_COUNTS,
	IN_BULK, /* not an array */
	FOR_PRODUCT_ORGS,
	TEMPLATE_SENDERS,
	PRODUCT_ORG_IDS,
	NAMES,
	PLAN_IDS,
	PLAN_NAMES,
	USER_COUNTS,
	MRRS,
	TRIAL_STATUSES,
	LAST_ACTIVE_AT,
	FEATURE_FLAGS,
	CUSTOMS,
	WARNINGS,
	REQUEST_SENDERS,
	RECENTLY_USED, /* not an array */
	PARAMS
};

static const uint32_t param_types[PARAMS] = {
	[KEY_HASHES] = PG_BYTEA_ARRAY,
	[SECRET_HASHES] = PG_BYTEA_ARRAY,
	[REQUEST_IDS] = PG_TEXT_ARRAY,
	[ITEM_REQUESTS] = PG_INT4_ARRAY,
	[SOURCES] = PG_TEXT_ARRAY,
	[EVENT_TYPES] = PG_TEXT_ARRAY,
	[EVENT_NAMES] = PG_TEXT_ARRAY,
	[EMAILS] = PG_TEXT_ARRAY,
	[USER_IDS] = PG_TEXT_ARRAY,
	[ANONYMOUS_IDS] = PG_TEXT_ARRAY,
	[MESSAGE_IDS] = PG_TEXT_ARRAY,
	[OCCURRED_AT] = PG_TIMESTAMPTZ_ARRAY,
	[COLD] = PG_BOOL_ARRAY,
	[PAYLOADS] = PG_TEXT_ARRAY,
	[PAYLOADS_RAW] = PG_BYTEA_ARRAY,
	[REJECT_REQUESTS] = PG_INT4_ARRAY,
	[REJECT_POSITIONS] = PG_INT8_ARRAY,
	[REJECT_CODES] = PG_TEXT_ARRAY,
	[REJECT_DETAILS] = PG_TEXT_ARRAY,
	[REJECT_KINDS] = PG_TEXT_ARRAY,
	[REJECT_SOURCES] = PG_TEXT_ARRAY,
	[REJECT_PAYLOADS] = PG_BYTEA_ARRAY,
	[REJECT_LENGTHS] = PG_INT8_ARRAY,
	[REFUSED_KEY_IDS] = PG_INT8_ARRAY,
	[REFUSALS] = PG_INT2_ARRAY,
	[REFUSAL_COUNTS] = PG_INT4_ARRAY,
	[IN_BULK] = PG_BOOL,
	[FOR_PRODUCT_ORGS] = PG_BOOL_ARRAY,
	[TEMPLATE_SENDERS] = PG_INT4_ARRAY,
	[PRODUCT_ORG_IDS] = PG_TEXT_ARRAY,
	[NAMES] = PG_TEXT_ARRAY,
	[PLAN_IDS] = PG_TEXT_ARRAY,
	[PLAN_NAMES] = PG_TEXT_ARRAY,
	[USER_COUNTS] = PG_INT8_ARRAY,
	[MRRS] = PG_INT8_ARRAY,
	[TRIAL_STATUSES] = PG_TEXT_ARRAY,
	[LAST_ACTIVE_AT] = PG_TIMESTAMPTZ_ARRAY,
	[FEATURE_FLAGS] = PG_TEXT_ARRAY,
	[CUSTOMS] = PG_TEXT_ARRAY,
	[WARNINGS] = PG_TEXT_ARRAY,
	[REQUEST_SENDERS] = PG_INT4_ARRAY,
	[RECENTLY_USED] = PG_BOOL,
};

static uint32_t element_type(int column)
{
	switch (param_types[column]) {
	case PG_BOOL_ARRAY:
		return PG_BOOL;
	case PG_BYTEA_ARRAY:
		return PG_BYTEA;
	case PG_INT2_ARRAY:
		return PG_INT2;
	case PG_INT4_ARRAY:
		return PG_INT4;
	case PG_INT8_ARRAY:
		return PG_INT8;
	case PG_TIMESTAMPTZ_ARRAY:
		return PG_TIMESTAMPTZ;
	case PG_TEXT_ARRAY:
	default:
		return PG_TEXT;
	}
}

const struct pg_statement commit_statement_sql = {
	/* Behind a pooler, workers of other versions share connections: the name changes with
	 * the parameters. */
	.name = "intake_senders",
	/* One value: columns of a FROM clause cost 5 % more. */
	.sql = "SELECT sluice.intake($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
	       " $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30,"
	       " $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42)",
	.param_count = PARAMS,
	.param_types = param_types,
	.binary = true,
	.columns = 1,
	.rows = 1,
};

/* A hash table of senders, by the first byte of their key's hash. */
enum { SENDER_HEADS = 256 };

struct commit_statement {
	struct pg_array columns[PARAMS]; /* those of IN_BULK and RECENTLY_USED are not used */
	struct commit_request *senders[SENDER_HEADS]; /* while encoding: first requests */
};

enum {
	COLUMN_BYTES_MAX = 512 << 20, /* a backstop; groups are capped in commit/queue.c */
	COLUMN_BYTES_KEPT = 256 << 10
};

enum status commit_statement_open(struct commit_statement **statement)
{
	*statement = calloc(1, sizeof(**statement));
	if (*statement == NULL)
		return STATUS_NO_MEMORY;
	for (int i = 0; i < PARAMS; i++)
		(*statement)->columns[i].bytes = buf_make(COLUMN_BYTES_MAX);
	return STATUS_OK;
}

void commit_statement_close(struct commit_statement *statement)
{
	if (statement == NULL)
		return;
	for (int i = 0; i < PARAMS; i++)
		buf_free(&statement->columns[i].bytes);
	free(statement);
}

/* ---- encoding ---- */

static void add_hash(struct pg_array *out, const struct credential_hash *hash)
{
	pg_array_add_bytes(out, (struct slice){(const char *)hash->bytes, sizeof(hash->bytes)});
}

/* Negative numbers are null. */
static void add_count(struct pg_array *out, int64_t value)
{
	if (value < 0)
		pg_array_add_null(out);
	else
		pg_array_add_int8(out, value);
}

/* For the columns of the other kind of items. */
static void add_nulls(struct pg_array *columns, int first, int last)
{
	for (int i = first; i <= last; i++)
		pg_array_add_null(&columns[i]);
}

static void add_signal(struct pg_array *columns, const struct signal *signal)
{
	pg_array_add_bytes(&columns[SOURCES], signal->source);
	pg_array_add_bytes(&columns[EVENT_TYPES], signal->event_type);
	pg_array_add_bytes(&columns[EVENT_NAMES], signal->event_name);
	pg_array_add_bytes(&columns[EMAILS], signal->email);
	pg_array_add_bytes(&columns[USER_IDS], signal->user_id);
	pg_array_add_bytes(&columns[ANONYMOUS_IDS], signal->anonymous_id);
	pg_array_add_timestamp(&columns[OCCURRED_AT], signal->occurred_at_us);
	if (signal->cold)
		pg_array_add_bool(&columns[COLD], true);
	else
		pg_array_add_null(&columns[COLD]);
	add_nulls(columns, PRODUCT_ORG_IDS, WARNINGS);
}

static void add_number(struct pg_array *out, struct product_org_number number)
{
	if (number.given)
		pg_array_add_int8(out, number.value);
	else
		pg_array_add_null(out);
}

static void add_product_org(struct pg_array *columns, const struct product_org *row)
{
	add_nulls(columns, SOURCES, ANONYMOUS_IDS);
	add_nulls(columns, OCCURRED_AT, COLD);
	pg_array_add_bytes(&columns[PRODUCT_ORG_IDS], row->product_org_id);
	pg_array_add_bytes(&columns[NAMES], row->name);
	pg_array_add_bytes(&columns[PLAN_IDS], row->plan_id);
	pg_array_add_bytes(&columns[PLAN_NAMES], row->plan_name);
	add_number(&columns[USER_COUNTS], row->user_count);
	add_number(&columns[MRRS], row->mrr);
	pg_array_add_bytes(&columns[TRIAL_STATUSES], row->trial_status);
	pg_array_add_timestamp(&columns[LAST_ACTIVE_AT], row->last_active_at_us);
	pg_array_add_bytes(&columns[FEATURE_FLAGS], row->feature_flags);
	pg_array_add_bytes(&columns[CUSTOMS], row->custom);
	pg_array_add_bytes(&columns[WARNINGS], row->warnings_text);
}

/* All columns of an item except the number of its request. */
static void add_item(struct pg_array *columns, const struct commit_request *request, size_t i)
{
	struct commit_item item = commit_request_item(request, i);

	if (request->product_orgs != NULL)
		add_product_org(columns, &request->product_orgs[i]);
	else
		add_signal(columns, &request->signals[i]);
	pg_array_add_bytes(&columns[MESSAGE_IDS], item.message_id);
	pg_array_add_bytes(&columns[PAYLOADS], item.payload);
	pg_array_add_bytes(&columns[PAYLOADS_RAW], item.payload_raw);
}

static void add_reject(struct pg_array *columns, const struct commit_reject *reject,
		       struct slice given_source, uint32_t request)
{
	pg_array_add_int4(&columns[REJECT_REQUESTS], request);
	add_count(&columns[REJECT_POSITIONS], reject->position);
	pg_array_add_bytes(&columns[REJECT_CODES], slice_of(problem_of(reject->status)->code));
	pg_array_add_bytes(&columns[REJECT_DETAILS], reject->detail);
	pg_array_add_bytes(&columns[REJECT_KINDS], slice_of(reject->kind));
	pg_array_add_bytes(&columns[REJECT_SOURCES], given_source);
	pg_array_add_bytes(&columns[REJECT_PAYLOADS], reject->payload);
	add_count(&columns[REJECT_LENGTHS], reject->length);
}

/* An item that the database cannot hold becomes a reject, as it was received. */
static void add_unstorable(struct pg_array *columns, struct commit_item item,
			   struct slice given_source, uint32_t request)
{
	struct slice received = item.payload_raw.p == NULL ? item.payload : item.payload_raw;
	struct commit_reject reject = {
		.position = item.position,
		.kind = item.position < 0 ? REJECT_KIND_SINGLE : REJECT_KIND_ITEM,
		.status = STATUS_INVALID_VALUE,
		.detail = slice_of(problem_of(STATUS_INVALID_VALUE)->detail),
		.payload = received,
		.length = (int64_t)received.n,
	};

	add_reject(columns, &reject, given_source, request);
}

static void add_sender(struct pg_array *columns, const struct commit_request *request)
{
	add_hash(&columns[KEY_HASHES], &request->key_hash);
	if (request->has_secret)
		add_hash(&columns[SECRET_HASHES], &request->secret_hash);
	else
		pg_array_add_null(&columns[SECRET_HASHES]);
	if (request->for_product_orgs)
		pg_array_add_bool(&columns[FOR_PRODUCT_ORGS], true);
	else
		pg_array_add_null(&columns[FOR_PRODUCT_ORGS]);
}

static uint32_t sender_number(const struct commit_request *request)
{
	return request->sender.first->sender.number;
}

static void add_request(struct pg_array *columns, const struct commit_request *request,
			uint32_t number)
{
	pg_array_add_bytes(&columns[REQUEST_IDS], request->request_id);
	pg_array_add_int4(&columns[REQUEST_SENDERS], sender_number(request));
	if (request->wants_template)
		pg_array_add_int4(&columns[TEMPLATE_SENDERS], sender_number(request));
	for (size_t i = 0; i < request->item_count; i++) {
		if (request->queue.as_rejects) {
			add_unstorable(columns, commit_request_item(request, i),
				       request->given_source, number);
		} else {
			pg_array_add_int4(&columns[ITEM_REQUESTS], number);
			add_item(columns, request, i);
		}
	}
	for (size_t i = 0; i < request->reject_count; i++)
		add_reject(columns, &request->rejects[i], request->given_source, number);
}

static void add_refusals(struct pg_array *columns, const struct refusal_tally *refusals)
{
	for (size_t i = 0; i < refusals->count; i++) {
		const struct refusal *refusal = &refusals->items[i];
		pg_array_add_int8(&columns[REFUSED_KEY_IDS], refusal->key_id);
		pg_array_add_int2(&columns[REFUSALS], (int16_t)refusal->outcome);
		pg_array_add_int4(&columns[REFUSAL_COUNTS], refusal->count);
	}
}

/* Any other column is sent as SQL NULL when all its elements are null. */
static bool is_mandatory(int column)
{
	return column == KEY_HASHES || column == REQUEST_IDS || column == REQUEST_SENDERS ||
	       column == ITEM_REQUESTS || column == SOURCES || column == PAYLOADS;
}

/* The columns from first to last as parameters. STATUS_INTERNAL when one lacks an element: the
 * database would take it for null. */
static enum status take_params(struct pg_array *columns, int first, int last, pg_param *params)
{
	for (int i = first; i <= last; i++) {
		if (!pg_array_is_whole(&columns[i]))
			return STATUS_INTERNAL;
		bool absent = pg_array_is_null(&columns[i]) && !is_mandatory(i);
		*params++ = absent ? SLICE_ABSENT : pg_array_end(&columns[i]);
		if (columns[i].bytes.status != STATUS_OK)
			return STATUS_NO_MEMORY;
	}
	return STATUS_OK;
}

static void start_columns(struct pg_array *columns, int first, int last, size_t count)
{
	for (int i = first; i <= last; i++)
		pg_array_start(&columns[i], element_type(i), count, COLUMN_BYTES_KEPT);
}

/* As add_item() fills them. */
static void start_items(struct pg_array *columns, size_t count)
{
	start_columns(columns, SOURCES, PAYLOADS_RAW, count);
	start_columns(columns, PRODUCT_ORG_IDS, WARNINGS, count);
}

enum status commit_statement_items(struct commit_statement *statement,
				   const struct commit_request *request,
				   pg_param params[COMMIT_STATEMENT_ITEM_ARRAYS])
{
	struct pg_array *columns = statement->columns;
	enum { FIRST_ARRAYS = PAYLOADS_RAW - SOURCES + 1 };

	start_items(columns, request->item_count);
	for (size_t i = 0; i < request->item_count; i++)
		add_item(columns, request, i);
	enum status status = take_params(columns, SOURCES, PAYLOADS_RAW, params);
	if (status == STATUS_OK)
		status = take_params(columns, PRODUCT_ORG_IDS, WARNINGS, params + FIRST_ARRAYS);
	return status;
}

static struct slice bool_param(bool value)
{
	return (struct slice){value ? "\1" : "", 1};
}

static bool is_same_sender(const struct commit_request *a, const struct commit_request *b)
{
	return a->has_secret == b->has_secret && a->for_product_orgs == b->for_product_orgs &&
	       credential_hash_is_same(&a->key_hash, &b->key_hash) &&
	       (!a->has_secret || credential_hash_is_same(&a->secret_hash, &b->secret_hash));
}

/* Numbers the senders in the order of their first requests; returns how many there are. */
static uint32_t number_senders(struct commit_statement *statement,
			       const struct commit_list *requests)
{
	uint32_t count = 0;

	for (int i = 0; i < SENDER_HEADS; i++)
		statement->senders[i] = NULL;
	for (struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next) {
		struct commit_request **head = &statement->senders[request->key_hash.bytes[0]];
		struct commit_request *known = *head;
		while (known != NULL && !is_same_sender(known, request))
			known = known->sender.next;
		request->sender.first = known == NULL ? request : known;
		if (known != NULL)
			continue;
		request->sender.number = ++count;
		request->sender.next = *head;
		*head = request;
	}
	return count;
}

/* Each column with as many elements as the requests have for it. */
static void start_all(struct pg_array *columns, const struct commit_list *requests,
		      uint32_t senders, const struct refusal_tally *refusals)
{
	size_t wanted = 0;

	for (const struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next)
		wanted += request->wants_template;
	start_columns(columns, KEY_HASHES, SECRET_HASHES, senders);
	start_columns(columns, FOR_PRODUCT_ORGS, FOR_PRODUCT_ORGS, senders);
	start_columns(columns, REQUEST_IDS, REQUEST_IDS, requests->requests);
	start_columns(columns, REQUEST_SENDERS, REQUEST_SENDERS, requests->requests);
	start_columns(columns, TEMPLATE_SENDERS, TEMPLATE_SENDERS, wanted);
	start_columns(columns, ITEM_REQUESTS, ITEM_REQUESTS, requests->rows);
	start_items(columns, requests->rows);
	start_columns(columns, REJECT_REQUESTS, REJECT_LENGTHS, requests->rejects);
	start_columns(columns, REFUSED_KEY_IDS, REFUSAL_COUNTS,
		      refusals == NULL ? 0 : refusals->count);
}

static enum status encode(struct commit_statement *statement, const struct commit_list *requests,
			  const struct refusal_tally *refusals, bool recently_used,
			  pg_param params[PARAMS])
{
	struct pg_array *columns = statement->columns;
	uint32_t number = 0;

	start_all(columns, requests, number_senders(statement, requests), refusals);
	for (const struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next) {
		if (request->sender.first == request)
			add_sender(columns, request);
		add_request(columns, request, ++number);
	}
	if (refusals != NULL)
		add_refusals(columns, refusals);
	params[IN_BULK] = bool_param(requests->first != NULL && requests->first->in_bulk);
	params[RECENTLY_USED] = bool_param(recently_used);
	enum status status = take_params(columns, 0, IN_BULK - 1, params);
	if (status == STATUS_OK)
		status = take_params(columns, IN_BULK + 1, REQUEST_SENDERS, params + IN_BULK + 1);
	return status;
}

enum status commit_statement_send(struct commit_statement *statement, struct pg_connection *db,
				  const struct commit_list *requests,
				  const struct refusal_tally *refusals, bool recently_used)
{
	pg_param params[PARAMS];
	enum status status = encode(statement, requests, refusals, recently_used, params);

	return status != STATUS_OK ? status : pg_send(db, &commit_statement_sql, params);
}

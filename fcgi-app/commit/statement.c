/*
 * commit/statement.c - requests to records. See commit/statement.h.
 */
#include "commit/statement.h"

#include <stdlib.h>

#include "http/problem.h"
#include "key/fingerprint.h"
#include "pg/array.h"

/* The types of the arrays of sluice.intake(), in their order: composite but for the envelopes and
 * the addresses, which come last. */
enum type { SENDER, SIGNAL, PRODUCT_ORG, ENVELOPE, REJECT, REFUSAL, ADDRESS, TYPES };

/* To ask what became of the transaction if the connection is lost: commit/resolve. Each column
 * costs 3,500 instructions. */
#define XACT ", pg_current_xact_id_if_assigned(), now()"

enum { SENDERS, SIGNALS, WITH_MESSAGE_IDS, WITH_VISITORS, ENVELOPES, ORDINARY_PARAMS };

const struct pg_statement commit_statement_ordinary = {
	.name = "intake_ordinary_group",
	.sql = "SELECT sluice.intake_ordinary($1::sluice.intake_sender[],"
	       " $2::sluice.intake_signal[], $3::boolean, $4::boolean, $5::jsonb[])" XACT,
	.param_count = ORDINARY_PARAMS,
	.binary = true,
	.columns = COMMIT_COLUMNS,
	.rows = 1,
	.answer = STATUS_NOT_UNIQUE,
};

enum { IN_BULK = REFUSAL + 1, RECENTLY_USED, ADDRESSES, ANY_PARAMS };

const struct pg_statement commit_statement_any = {
	/* Workers of other versions may share the connection behind a pooler, so other
	 * parameters or columns need another name. */
	.name = "intake_any_group",
	/* Selects one composite value, because returning columns costs 5 % more. */
	.sql = "SELECT sluice.intake($1::sluice.intake_sender[], $2::sluice.intake_signal[],"
	       " $3::sluice.intake_product_org[], $4::jsonb[], $5::sluice.intake_reject[],"
	       " $6::sluice.intake_refusal[], $7::boolean, $8::boolean, $9::inet[])" XACT,
	.param_count = ANY_PARAMS,
	.binary = true,
	.columns = COMMIT_COLUMNS,
	.rows = 1,
};

/* A hash table of senders, by the first byte of their key's hash. */
enum { SENDER_HEADS = 256 };

struct commit_statement {
	struct pg_array arrays[TYPES];
	struct commit_request *senders[SENDER_HEADS]; /* while encoding: first requests */
};

enum {
	ARRAY_BYTES_MAX = 512 << 20, /* a backstop; groups are capped in commit/queue.c */
	ARRAY_BYTES_KEPT = 512 << 10,
	ORDINARY_ROWS_MAX = 1024 /* the ids that sluice.intake_ordinary() takes at once */
};

enum status commit_statement_open(struct commit_statement **statement)
{
	*statement = calloc(1, sizeof(**statement));
	if (*statement == NULL)
		return STATUS_NO_MEMORY;
	for (int i = 0; i < TYPES; i++)
		(*statement)->arrays[i].bytes = buf_make(ARRAY_BYTES_MAX);
	return STATUS_OK;
}

void commit_statement_close(struct commit_statement *statement)
{
	if (statement == NULL)
		return;
	for (int i = 0; i < TYPES; i++)
		buf_free(&statement->arrays[i].bytes);
	free(statement);
}

/* ---- what a group has ---- */

static bool is_ordinary(const struct commit_request *request)
{
	if (request->for_product_orgs || request->in_bulk)
		return false;
	for (size_t i = 0; i < request->item_count; i++) {
		if (request->signals[i].cold)
			return false;
	}
	return true;
}

bool commit_statement_is_ordinary(const struct commit_list *requests)
{
	if (requests->rows == 0 || requests->rows > ORDINARY_ROWS_MAX || requests->rejects > 0)
		return false;
	for (const struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next) {
		if (!is_ordinary(request))
			return false;
	}
	return true;
}

static bool has_message_id(const struct signal *signal)
{
	return signal->message_id.p != NULL;
}

static bool has_visitor(const struct signal *signal)
{
	return signal->anonymous_id.p != NULL &&
	       (signal->email.p != NULL || signal->user_id.p != NULL ||
		signal->product_user_id.p != NULL || signal->crm_id.p != NULL ||
		signal->marketing_automation_id.p != NULL || signal->phone.p != NULL);
}

static bool any_signal(const struct commit_list *requests, bool (*is)(const struct signal *signal))
{
	for (const struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next) {
		for (size_t i = 0;
		     request->product_orgs == NULL && i < commit_request_items(request); i++) {
			if (is(&request->signals[i]))
				return true;
		}
	}
	return false;
}

bool commit_statement_has_visitors(const struct commit_list *requests)
{
	return any_signal(requests, has_visitor);
}

/* ---- records, with the columns of their types ---- */

static void add_hash(struct pg_array *out, const struct credential_hash *hash)
{
	pg_array_add_bytea(out, (struct slice){(const char *)hash->bytes, sizeof(hash->bytes)});
}

/* Null stands for false. */
static void add_flag(struct pg_array *out, bool value)
{
	if (value)
		pg_array_add_bool(out, true);
	else
		pg_array_add_null(out, PG_BOOL);
}

/* Negative numbers are null. */
static void add_count(struct pg_array *out, int64_t value)
{
	if (value < 0)
		pg_array_add_null(out, PG_INT8);
	else
		pg_array_add_int8(out, value);
}

static void add_number(struct pg_array *out, struct product_org_number number)
{
	if (number.given)
		pg_array_add_int8(out, number.value);
	else
		pg_array_add_null(out, PG_INT8);
}

static void add_sender(struct pg_array *out, const struct commit_request *request)
{
	enum { COLUMNS = 4 };

	pg_array_start_record(out, COLUMNS);
	add_hash(out, &request->key_hash);
	if (request->has_secret)
		add_hash(out, &request->secret_hash);
	else
		pg_array_add_null(out, PG_BYTEA);
	add_flag(out, request->for_product_orgs);
	if (request->needs_template)
		pg_array_add_int8(out, request->template_version);
	else
		pg_array_add_null(out, PG_INT8);
	pg_array_end_record(out);
}

/* The fields that items and rejects begin with. */
static void start_item(struct pg_array *out, const struct commit_request *request, size_t columns)
{
	pg_array_start_record(out, columns);
	pg_array_add_int4(out, request->sender.first->sender.number);
	pg_array_add_text(out, request->request_id);
}

static void add_envelope(struct pg_array *out, const struct commit_request *request,
			 bool in_envelope)
{
	if (in_envelope && request->envelope_number > 0)
		pg_array_add_int4(out, request->envelope_number);
	else
		pg_array_add_null(out, PG_INT4);
}

/* Without one, because it could not be made, the array ends with STATUS_INTERNAL. */
static void add_fingerprint(struct pg_array *out, enum status status,
			    const struct fingerprint *fingerprint)
{
	if (status == STATUS_OK)
		pg_array_add_uuid(out, fingerprint->bytes);
}

/* What is compared byte by byte is what was received. */
static struct slice received(struct slice payload, struct slice payload_raw)
{
	return payload_raw.p == NULL ? payload : payload_raw;
}

static void add_signal_fingerprint(struct pg_array *out, const struct signal *signal)
{
	struct fingerprint made;

	if (signal->message_id.p == NULL)
		pg_array_add_null(out, PG_UUID);
	else if (signal->repeat_by_bytes)
		add_fingerprint(out,
				fingerprint_of_bytes(signal->message_id,
						     received(signal->payload, signal->payload_raw),
						     &made),
				&made);
	else
		add_fingerprint(out,
				fingerprint_of_event(signal->message_id, signal->event_type,
						     signal->event_name, &made),
				&made);
}

static void add_product_org_fingerprint(struct pg_array *out, const struct product_org *row)
{
	struct fingerprint made;

	if (row->message_id.p == NULL)
		pg_array_add_null(out, PG_UUID);
	else if (row->repeat_by_bytes)
		add_fingerprint(out,
				fingerprint_of_bytes(row->message_id,
						     received(row->payload, row->payload_raw),
						     &made),
				&made);
	else
		add_fingerprint(
			out,
			fingerprint_of_product_org(row->message_id, row->product_org_id, &made),
			&made);
}

static void add_signal(struct pg_array *out, const struct commit_request *request,
		       const struct signal *signal)
{
	enum { COLUMNS = 22 };

	start_item(out, request, COLUMNS);
	pg_array_add_text(out, signal->source);
	pg_array_add_text(out, signal->event_type);
	pg_array_add_text(out, signal->event_name);
	pg_array_add_text(out, signal->email);
	pg_array_add_text(out, signal->user_id);
	pg_array_add_text(out, signal->anonymous_id);
	pg_array_add_text(out, signal->product_user_id);
	pg_array_add_text(out, signal->crm_id);
	pg_array_add_text(out, signal->marketing_automation_id);
	pg_array_add_text(out, signal->phone);
	pg_array_add_text(out, signal->product_org_id);
	pg_array_add_text(out, signal->message_id);
	add_signal_fingerprint(out, signal);
	pg_array_add_timestamp(out, signal->occurred_at_us);
	pg_array_add_text(out, signal->payload);
	pg_array_add_bytea(out, signal->payload_raw);
	add_envelope(out, request, signal->in_envelope);
	pg_array_add_jsonb(out, signal->warnings);
	add_flag(out, signal->cold);
	pg_array_add_text(out, request->traceparent);
	pg_array_end_record(out);
}

static void add_product_org(struct pg_array *out, const struct commit_request *request,
			    const struct product_org *row)
{
	enum { COLUMNS = 19 };

	start_item(out, request, COLUMNS);
	pg_array_add_text(out, row->product_org_id);
	pg_array_add_text(out, row->name);
	pg_array_add_text(out, row->plan_id);
	pg_array_add_text(out, row->plan_name);
	add_number(out, row->user_count);
	add_number(out, row->mrr);
	pg_array_add_text(out, row->trial_status);
	pg_array_add_timestamp(out, row->last_active_at_us);
	pg_array_add_text(out, row->feature_flags);
	pg_array_add_text(out, row->custom);
	pg_array_add_jsonb(out, row->warnings_text);
	pg_array_add_text(out, row->message_id);
	add_product_org_fingerprint(out, row);
	pg_array_add_text(out, row->payload);
	pg_array_add_bytea(out, row->payload_raw);
	add_envelope(out, request, row->in_envelope);
	pg_array_add_text(out, request->traceparent);
	pg_array_end_record(out);
}

static void add_reject(struct pg_array *out, const struct commit_request *request,
		       const struct commit_reject *reject)
{
	enum { COLUMNS = 11 };

	start_item(out, request, COLUMNS);
	add_count(out, reject->position);
	add_count(out, reject->length);
	pg_array_add_text(out, slice_of(reject->kind));
	pg_array_add_text(out, slice_of(problem_of(reject->status)->code));
	pg_array_add_text(out, reject->detail);
	pg_array_add_text(out, request->given_source);
	pg_array_add_bytea(out, reject->payload);
	add_envelope(out, request, reject->in_envelope);
	add_count(out, reject->bad_byte);
	pg_array_end_record(out);
}

/* Turns an item that the database cannot hold into a reject with the received bytes. */
static void add_unstorable(struct pg_array *out, const struct commit_request *request, size_t i)
{
	struct commit_item item = commit_request_item(request, i);
	struct slice bytes = received(item.payload, item.payload_raw);
	struct commit_reject reject = {
		.position = item.position,
		.kind = item.position < 0 ? REJECT_KIND_SINGLE : REJECT_KIND_ITEM,
		.status = STATUS_INVALID_VALUE,
		.detail = slice_of(problem_of(STATUS_INVALID_VALUE)->detail),
		.payload = bytes,
		.length = (int64_t)bytes.n,
		.in_envelope = item.in_envelope,
		.bad_byte = -1,
	};

	add_reject(out, request, &reject);
}

static void add_refusal(struct pg_array *out, const struct refusal *refusal)
{
	enum { COLUMNS = 3 };

	pg_array_start_record(out, COLUMNS);
	add_hash(out, &refusal->key_hash);
	pg_array_add_text(out, slice_of(refusal->outcome));
	pg_array_add_int8(out, refusal->count);
	pg_array_end_record(out);
}

/* ---- senders ---- */

static bool is_same_sender(const struct commit_request *a, const struct commit_request *b,
			   bool with_addresses)
{
	return (!with_addresses || address_is_same(&a->client, &b->client)) &&
	       a->has_secret == b->has_secret && a->for_product_orgs == b->for_product_orgs &&
	       a->needs_template == b->needs_template &&
	       a->template_version == b->template_version &&
	       credential_hash_is_same(&a->key_hash, &b->key_hash) &&
	       (!a->has_secret || credential_hash_is_same(&a->secret_hash, &b->secret_hash));
}

/* Numbers the senders in the order of their first requests; returns how many there are. */
static uint32_t number_senders(struct commit_statement *statement,
			       const struct commit_list *requests, bool with_addresses)
{
	uint32_t count = 0;

	for (int i = 0; i < SENDER_HEADS; i++)
		statement->senders[i] = NULL;
	for (struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next) {
		struct commit_request **head = &statement->senders[request->key_hash.bytes[0]];
		struct commit_request *known = *head;
		while (known != NULL && !is_same_sender(known, request, with_addresses))
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

/* ---- arrays ---- */

static void start_arrays(struct commit_statement *statement, enum type first, enum type last,
			 const size_t counts[TYPES])
{
	for (int i = (int)first; i <= (int)last; i++)
		pg_array_start(&statement->arrays[i],
			       i == ENVELOPE  ? PG_JSONB
			       : i == ADDRESS ? PG_INET
					      : PG_OTHER,
			       counts[i], ARRAY_BYTES_KEPT);
}

static void add_items(struct pg_array *arrays, const struct commit_request *request)
{
	for (size_t i = 0; i < request->item_count; i++) {
		if (request->queue.as_rejects)
			add_unstorable(&arrays[REJECT], request, i);
		else if (request->product_orgs != NULL)
			add_product_org(&arrays[PRODUCT_ORG], request, &request->product_orgs[i]);
		else
			add_signal(&arrays[SIGNAL], request, &request->signals[i]);
	}
}

static void add_requests(struct pg_array *arrays, const struct commit_list *requests)
{
	for (const struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next) {
		if (request->sender.first == request)
			add_sender(&arrays[SENDER], request);
		if (request->envelope_number > 0)
			pg_array_add_jsonb(&arrays[ENVELOPE], request->envelope);
		add_items(arrays, request);
		for (size_t i = 0; i < request->reject_count; i++)
			add_reject(&arrays[REJECT], request, &request->rejects[i]);
	}
}

/* Takes the arrays from first to last as parameters, an empty one as SQL NULL. STATUS_INTERNAL if
 * an element is missing. */
static enum status take_params(struct pg_array *arrays, enum type first, enum type last,
			       pg_param *params)
{
	for (int i = (int)first; i <= (int)last; i++) {
		struct slice bytes = pg_array_end(&arrays[i]);
		enum status status = arrays[i].bytes.status;
		if (status != STATUS_OK)
			return status == STATUS_INTERNAL ? status : STATUS_NO_MEMORY;
		*params++ = arrays[i].count == 0 ? SLICE_ABSENT : bytes;
	}
	return STATUS_OK;
}

enum status commit_statement_items(struct commit_statement *statement,
				   const struct commit_request *request,
				   pg_param params[COMMIT_STATEMENT_ITEM_ARRAYS])
{
	struct commit_request alone = *request;
	bool product_orgs = request->product_orgs != NULL;
	const size_t counts[TYPES] = {
		[SIGNAL] = product_orgs ? 0 : request->item_count,
		[PRODUCT_ORG] = product_orgs ? request->item_count : 0,
		[ENVELOPE] = request->envelope.p != NULL,
	};

	alone.sender.first = &alone;
	alone.sender.number = 1;
	alone.envelope_number = (uint32_t)counts[ENVELOPE];
	start_arrays(statement, SIGNAL, ENVELOPE, counts);
	if (counts[ENVELOPE] > 0)
		pg_array_add_jsonb(&statement->arrays[ENVELOPE], alone.envelope);
	add_items(statement->arrays, &alone);
	return take_params(statement->arrays, SIGNAL, ENVELOPE, params);
}

static struct slice bool_param(bool value)
{
	return (struct slice){value ? "\1" : "", 1};
}

/* Of the senders, in their order. */
static void add_addresses(struct pg_array *out, const struct commit_list *requests)
{
	for (const struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next) {
		if (request->sender.first == request)
			pg_array_add_inet(out, &request->client);
	}
}

/* Encodes the group as arrays, up to the last type: an ordinary one has no rejects and refusals. */
static void encode(struct commit_statement *statement, const struct commit_list *requests,
		   const struct refusal_tally *refusals, enum type last, bool with_addresses)
{
	size_t counts[TYPES] = {
		[SENDER] = number_senders(statement, requests, with_addresses),
		[REJECT] = requests->rejects,
		[REFUSAL] = refusals == NULL ? 0 : refusals->count,
	};

	for (struct commit_request *request = requests->first; request != NULL;
	     request = request->queue.next) {
		size_t items = commit_request_items(request);
		bool enveloped =
			request->envelope.p != NULL && items + commit_request_rejects(request) > 0;
		counts[request->product_orgs != NULL ? PRODUCT_ORG : SIGNAL] += items;
		counts[ENVELOPE] += enveloped;
		request->envelope_number = enveloped ? (uint32_t)counts[ENVELOPE] : 0;
	}
	counts[ADDRESS] = with_addresses ? counts[SENDER] : 0;
	start_arrays(statement, SENDER, last, counts);
	add_requests(statement->arrays, requests);
	if (with_addresses)
		add_addresses(&statement->arrays[ADDRESS], requests);
	for (size_t i = 0; i < counts[REFUSAL]; i++)
		add_refusal(&statement->arrays[REFUSAL], &refusals->items[i]);
}

enum status commit_statement_send_ordinary(struct commit_statement *statement,
					   struct pg_connection *db,
					   const struct commit_list *requests)
{
	pg_param params[ORDINARY_PARAMS];

	encode(statement, requests, NULL, ENVELOPE, false);
	enum status status = take_params(statement->arrays, SENDER, SIGNAL, params);
	if (status == STATUS_OK)
		status = take_params(statement->arrays, ENVELOPE, ENVELOPE, &params[ENVELOPES]);
	params[WITH_MESSAGE_IDS] = bool_param(any_signal(requests, has_message_id));
	params[WITH_VISITORS] = bool_param(any_signal(requests, has_visitor));
	return status != STATUS_OK ? status : pg_send(db, &commit_statement_ordinary, params);
}

enum status commit_statement_send(struct commit_statement *statement, struct pg_connection *db,
				  const struct commit_list *requests,
				  const struct refusal_tally *refusals, bool recently_used,
				  bool with_addresses)
{
	pg_param params[ANY_PARAMS];

	encode(statement, requests, refusals, ADDRESS, with_addresses);
	enum status status = take_params(statement->arrays, SENDER, REFUSAL, params);
	if (status == STATUS_OK)
		status = take_params(statement->arrays, ADDRESS, ADDRESS, &params[ADDRESSES]);
	params[IN_BULK] = bool_param(requests->first != NULL && requests->first->in_bulk);
	params[RECENTLY_USED] = bool_param(recently_used);
	return status != STATUS_OK ? status : pg_send(db, &commit_statement_any, params);
}

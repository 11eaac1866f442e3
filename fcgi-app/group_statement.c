/*
 * group_statement.c - binary arrays out, binary arrays in. See group_statement.h.
 *
 * Formats: PostgreSQL's array_send and the send functions of bytea, text, int4, timestamptz, bool
 * and jsonb (src/backend/utils/adt). All integers are big-endian.
 */
#include "group_statement.h"

#include <stdlib.h>
#include <string.h>

enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_INT8 = 20,
	OID_TEXT = 25,
	OID_TIMESTAMPTZ = 1184,
	OID_JSONB = 3802
};

enum { JSONB_VERSION = 1 };

/* Microseconds from 1970-01-01 to 2000-01-01, PostgreSQL's epoch. */
static const int64_t POSTGRES_EPOCH_US = INT64_C(946684800) * 1000000;

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
	COLUMNS
};

static const uint32_t array_types[COLUMNS] = {
	[KEY_HASHES] = 1001,
	[SECRET_HASHES] = 1001,
	[REQUEST_IDS] = 1009,
	[ITEM_REQUESTS] = 1007,
	[SOURCES] = 1009,
	[EVENT_TYPES] = 1009,
	[EVENT_NAMES] = 1009,
	[EMAILS] = 1009,
	[USER_IDS] = 1009,
	[ANONYMOUS_IDS] = 1009,
	[MESSAGE_IDS] = 1009,
	[OCCURRED_AT] = 1185,
	[COLD] = 1000,
	[PAYLOADS] = 3807,
	[PAYLOADS_RAW] = 1001,
	[REJECT_REQUESTS] = 1007,
	[REJECT_POSITIONS] = 1016,
	[REJECT_CODES] = 1009,
	[REJECT_DETAILS] = 1009,
	[REJECT_KINDS] = 1009,
	[REJECT_SOURCES] = 1009,
	[REJECT_PAYLOADS] = 1001,
	[REJECT_LENGTHS] = 1016,
};

static const uint32_t element_types[COLUMNS] = {
	[KEY_HASHES] = OID_BYTEA,
	[SECRET_HASHES] = OID_BYTEA,
	[REQUEST_IDS] = OID_TEXT,
	[ITEM_REQUESTS] = OID_INT4,
	[SOURCES] = OID_TEXT,
	[EVENT_TYPES] = OID_TEXT,
	[EVENT_NAMES] = OID_TEXT,
	[EMAILS] = OID_TEXT,
	[USER_IDS] = OID_TEXT,
	[ANONYMOUS_IDS] = OID_TEXT,
	[MESSAGE_IDS] = OID_TEXT,
	[OCCURRED_AT] = OID_TIMESTAMPTZ,
	[COLD] = OID_BOOL,
	[PAYLOADS] = OID_JSONB,
	[PAYLOADS_RAW] = OID_BYTEA,
	[REJECT_REQUESTS] = OID_INT4,
	[REJECT_POSITIONS] = OID_INT8,
	[REJECT_CODES] = OID_TEXT,
	[REJECT_DETAILS] = OID_TEXT,
	[REJECT_KINDS] = OID_TEXT,
	[REJECT_SOURCES] = OID_TEXT,
	[REJECT_PAYLOADS] = OID_BYTEA,
	[REJECT_LENGTHS] = OID_INT8,
};

const struct db_statement group_statement_sql = {
	/* Not the name that older workers use: behind a pooler they share connections. */
	.name = "intake_signals_rejects",
	.sql = "SELECT outcomes, ids FROM sluice.intake_signals($1, $2, $3, $4, $5, $6, $7, $8,"
	       " $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)",
	.param_count = COLUMNS,
	.param_types = array_types,
	.binary = true,
	.columns = 2,
	.rows = 1,
};

struct group_statement {
	struct buf columns[COLUMNS];
};

enum {
	COLUMN_BYTES_MAX = 512 << 20, /* a backstop; groups are capped in group.c */
	COLUMN_BYTES_KEPT = 256 << 10
};

enum status group_statement_open(struct group_statement **statement)
{
	*statement = calloc(1, sizeof(**statement));
	if (*statement == NULL)
		return STATUS_NO_MEMORY;
	for (int i = 0; i < COLUMNS; i++)
		(*statement)->columns[i] = buf_make(COLUMN_BYTES_MAX);
	return STATUS_OK;
}

void group_statement_close(struct group_statement *statement)
{
	if (statement == NULL)
		return;
	for (int i = 0; i < COLUMNS; i++)
		buf_free(&statement->columns[i]);
	free(statement);
}

/* ---- encoding ---- */

/* An array's header; elements follow. All arrays may hold nulls: the flag costs nothing. */
static void start_array(struct buf *out, uint32_t element, size_t count)
{
	buf_add_be32(out, count == 0 ? 0 : 1); /* dimensions */
	buf_add_be32(out, 1);		       /* may hold nulls */
	buf_add_be32(out, element);
	if (count > 0) {
		buf_add_be32(out, (uint32_t)count);
		buf_add_be32(out, 1); /* lower bound */
	}
}

static void add_null(struct buf *out)
{
	buf_add_be32(out, UINT32_MAX);
}

static void add_bytes(struct buf *out, struct slice value)
{
	if (value.p == NULL) {
		add_null(out);
		return;
	}
	buf_add_be32(out, (uint32_t)value.n);
	buf_add_slice(out, value);
}

static void add_hash(struct buf *out, const struct credential_hash *hash)
{
	add_bytes(out, (struct slice){(const char *)hash->bytes, sizeof(hash->bytes)});
}

static void add_instant(struct buf *out, int64_t unix_us)
{
	if (unix_us == INT64_MIN) {
		add_null(out);
		return;
	}
	buf_add_be32(out, 8);
	buf_add_be64(out, (uint64_t)(unix_us - POSTGRES_EPOCH_US));
}

static void add_bool(struct buf *out, bool value)
{
	buf_add_be32(out, 1);
	buf_add_char(out, value ? 1 : 0);
}

static void add_jsonb(struct buf *out, struct slice text)
{
	buf_add_be32(out, (uint32_t)text.n + 1);
	buf_add_char(out, JSONB_VERSION);
	buf_add_slice(out, text);
}

static void add_request(struct buf *out, uint32_t request)
{
	buf_add_be32(out, 4);
	buf_add_be32(out, request);
}

/* A number that is null when it is negative. */
static void add_count(struct buf *out, int64_t value)
{
	if (value < 0) {
		add_null(out);
		return;
	}
	buf_add_be32(out, 8);
	buf_add_be64(out, (uint64_t)value);
}

/* What an item holds beside the number of its request. */
static void add_signal(struct buf *columns, const struct signal *signal)
{
	add_bytes(&columns[SOURCES], signal->source);
	add_bytes(&columns[EVENT_TYPES], signal->event_type);
	add_bytes(&columns[EVENT_NAMES], signal->event_name);
	add_bytes(&columns[EMAILS], signal->email);
	add_bytes(&columns[USER_IDS], signal->user_id);
	add_bytes(&columns[ANONYMOUS_IDS], signal->anonymous_id);
	add_bytes(&columns[MESSAGE_IDS], signal->message_id);
	add_instant(&columns[OCCURRED_AT], signal->occurred_at_us);
	add_bool(&columns[COLD], signal->cold);
	add_jsonb(&columns[PAYLOADS], signal->payload);
	add_bytes(&columns[PAYLOADS_RAW], signal->payload_raw);
}

static void add_reject(struct buf *columns, const struct group_reject *reject,
		       struct slice given_source, uint32_t request)
{
	add_request(&columns[REJECT_REQUESTS], request);
	add_count(&columns[REJECT_POSITIONS], reject->position);
	add_bytes(&columns[REJECT_CODES], slice_of(status_code(reject->status)));
	add_bytes(&columns[REJECT_DETAILS], reject->detail);
	add_bytes(&columns[REJECT_KINDS], slice_of(reject->kind));
	add_bytes(&columns[REJECT_SOURCES], given_source);
	add_bytes(&columns[REJECT_PAYLOADS], reject->payload);
	add_count(&columns[REJECT_LENGTHS], reject->length);
}

/* A signal that the database has refused, as it was received. */
static void add_refused(struct buf *columns, const struct signal *signal, struct slice given_source,
			uint32_t request)
{
	struct slice received =
		signal->payload_raw.p == NULL ? signal->payload : signal->payload_raw;
	struct group_reject reject = {
		.position = signal->position,
		.kind = signal->position < 0 ? GROUP_KIND_SINGLE : GROUP_KIND_ITEM,
		.status = STATUS_INVALID_VALUE,
		.detail = slice_of(status_detail(STATUS_INVALID_VALUE)),
		.payload = received,
		.length = (int64_t)received.n,
	};

	add_reject(columns, &reject, given_source, request);
}

static void add_member(struct buf *columns, const struct group_member *member, uint32_t request)
{
	add_hash(&columns[KEY_HASHES], &member->key_hash);
	if (member->has_secret)
		add_hash(&columns[SECRET_HASHES], &member->secret_hash);
	else
		add_null(&columns[SECRET_HASHES]);
	add_bytes(&columns[REQUEST_IDS], member->request_id);
	for (size_t i = 0; i < member->signal_count; i++) {
		if (member->refused) {
			add_refused(columns, &member->signals[i], member->given_source, request);
		} else {
			add_request(&columns[ITEM_REQUESTS], request);
			add_signal(columns, &member->signals[i]);
		}
	}
	for (size_t i = 0; i < member->reject_count; i++)
		add_reject(columns, &member->rejects[i], member->given_source, request);
}

/* Elements of a column. */
static size_t column_count(int column, const struct group_list *members)
{
	if (column <= REQUEST_IDS)
		return members->members;
	return column < REJECT_REQUESTS ? members->rows : members->rejects;
}

enum status group_statement_items(struct group_statement *statement, const struct signal *signals,
				  size_t count, db_param params[GROUP_STATEMENT_ITEM_ARRAYS])
{
	struct buf *columns = statement->columns;

	for (int i = SOURCES; i <= PAYLOADS_RAW; i++) {
		buf_reset(&columns[i], COLUMN_BYTES_KEPT);
		start_array(&columns[i], element_types[i], count);
	}
	for (size_t i = 0; i < count; i++)
		add_signal(columns, &signals[i]);
	for (int i = SOURCES; i <= PAYLOADS_RAW; i++) {
		if (columns[i].status != STATUS_OK)
			return STATUS_NO_MEMORY;
		params[i - SOURCES] = buf_slice(&columns[i]);
	}
	return STATUS_OK;
}

static enum status encode(struct group_statement *statement, const struct group_list *members,
			  db_param params[COLUMNS])
{
	struct buf *columns = statement->columns;
	uint32_t request = 0;
	/* Nearly no group has rejects: nulls cost the server less than empty arrays. */
	int count = members->rejects > 0 ? COLUMNS : REJECT_REQUESTS;

	for (int i = 0; i < count; i++) {
		buf_reset(&columns[i], COLUMN_BYTES_KEPT);
		start_array(&columns[i], element_types[i], column_count(i, members));
	}
	for (const struct group_member *m = members->first; m != NULL; m = m->next)
		add_member(columns, m, ++request);
	for (int i = 0; i < count; i++) {
		if (columns[i].status != STATUS_OK)
			return STATUS_NO_MEMORY;
		params[i] = buf_slice(&columns[i]);
	}
	for (int i = count; i < COLUMNS; i++)
		params[i] = (struct slice){NULL, 0};
	return STATUS_OK;
}

enum status group_statement_send(struct group_statement *statement, struct db *db,
				 const struct group_list *members)
{
	db_param params[COLUMNS];
	enum status status = encode(statement, members, params);

	return status != STATUS_OK ? status : db_send(db, &group_statement_sql, params);
}

enum status group_statement_run(struct group_statement *statement, struct db *db,
				const struct group_list *members, struct db_result *result,
				int64_t deadline_ms)
{
	db_param params[COLUMNS];
	enum status status = encode(statement, members, params);

	return status != STATUS_OK ? status
				   : db_run(db, &group_statement_sql, params, result, deadline_ms);
}

/* ---- decoding ---- */

/* Walks the elements of a one-dimensional binary array. */
struct elements {
	const unsigned char *p, *end;
	size_t left;
	bool broken; /* the bytes were not what array_send makes */
};

static uint32_t read_be32(struct elements *e)
{
	if (e->end - e->p < 4) {
		e->broken = true;
		return 0;
	}
	uint32_t value = (uint32_t)e->p[0] << 24 | (uint32_t)e->p[1] << 16 |
			 (uint32_t)e->p[2] << 8 | e->p[3];
	e->p += 4;
	return value;
}

static struct elements open_array(struct slice bytes, uint32_t element)
{
	struct elements e = {.p = (const unsigned char *)bytes.p};

	e.end = e.p == NULL ? NULL : e.p + bytes.n;
	uint32_t dimensions = read_be32(&e);
	(void)read_be32(&e);
	if (read_be32(&e) != element || dimensions > 1)
		e.broken = true;
	if (dimensions == 1 && !e.broken) {
		e.left = read_be32(&e);
		(void)read_be32(&e);
	}
	return e;
}

/* The next element as an integer of the given width; fallback for null. */
static int64_t next_int(struct elements *e, uint32_t width, int64_t fallback)
{
	if (e->left == 0) {
		e->broken = true;
		return fallback;
	}
	e->left--;
	uint32_t n = read_be32(e);
	if (n == UINT32_MAX || e->broken)
		return fallback;
	if (n != width || e->end - e->p < (ptrdiff_t)width) {
		e->broken = true;
		return fallback;
	}
	uint64_t value = 0;
	for (uint32_t i = 0; i < width; i++)
		value = value << 8 | *e->p++;
	return (int64_t)value;
}

/* outcomes[] of sluice.intake_signals(), by value. */
static const enum status by_outcome[] = {STATUS_ACCEPTED, STATUS_UNAUTHENTICATED,
					 STATUS_WRONG_ENDPOINT};

enum status group_statement_results(const struct db_result *result,
				    const struct group_list *members)
{
	struct elements outcomes = open_array(db_result_value(result, 0, 0), OID_INT2);
	struct elements ids = open_array(db_result_value(result, 0, 1), OID_INT8);

	if (outcomes.left != members->members || ids.left != members->rows)
		return STATUS_INTERNAL;
	for (struct group_member *m = members->first; m != NULL; m = m->next) {
		int64_t outcome = next_int(&outcomes, 2, -1);
		if (outcome < 0 || outcome >= (int64_t)(sizeof(by_outcome) / sizeof(*by_outcome)))
			return STATUS_INTERNAL;
		m->status = by_outcome[outcome];
		for (size_t i = 0; i < group_member_signals(m); i++) {
			m->ids[i] = next_int(&ids, 8, 0);
			if (m->status == STATUS_ACCEPTED && m->ids[i] == 0)
				ids.broken = true;
		}
		if (m->status == STATUS_ACCEPTED && m->refused)
			m->status = STATUS_INVALID_VALUE;
	}
	return outcomes.broken || ids.broken ? STATUS_INTERNAL : STATUS_OK;
}

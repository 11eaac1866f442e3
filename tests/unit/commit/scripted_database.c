/*
 * scripted_database.c - see scripted_database.h.
 */
#include "scripted_database.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pg/array.h"

/* ---- the question ---- */

/* Parameters by their place. */
enum {
	KEY_HASHES = 0,
	REQUEST_IDS = 2,
	ITEM_REQUESTS = 3,
	SOURCES = 4,
	PAYLOADS = 13,
	REJECT_REQUESTS = 15,
	REJECT_KINDS = 19,
	REFUSED_KEY_IDS = 23,
	REFUSALS = 24,
	REFUSAL_COUNTS = 25,
	IN_BULK = 26,
	REQUEST_SENDERS = 40,
	FOR_PRODUCT_ORGS = 27,
	RECENTLY_USED = 41,
	PARAMETERS = 42
};

enum { SHOWN_MAX = 16 };

struct text {
	char *p;
	size_t n, size;
};

static void add(struct text *text, const char *bytes, size_t n)
{
	if (text->n + n >= text->size)
		ck_abort_msg("the question is too long to be shown");
	memcpy(text->p + text->n, bytes, n);
	text->n += n;
	text->p[text->n] = '\0';
}

static void add_number(struct text *text, int64_t number, char behind)
{
	char digits[32];
	int n = snprintf(digits, sizeof(digits), "%" PRId64 "%c", number, behind);

	add(text, digits, (size_t)n - (behind == '\0' ? 1 : 0));
}

static void add_numbers(struct text *text, const char *what, struct slice array)
{
	struct pg_array_reader reader = pg_array_open(array, PG_INT4);

	if (reader.left > 0)
		add(text, what, strlen(what));
	if (reader.left > SHOWN_MAX) {
		add(text, "#", 1);
		add_number(text, (int64_t)reader.left, '\0');
		return;
	}
	while (reader.left > 0) {
		int64_t number = pg_array_next(&reader, 4, -1);
		add_number(text, number, reader.left > 0 ? ',' : '\0');
	}
}

static void add_kinds(struct text *text, struct slice array)
{
	struct pg_array_reader kinds = pg_array_open(array, PG_TEXT);

	while (kinds.left > 0) {
		struct slice kind = pg_array_next_bytes(&kinds);
		if (slice_equal(kind, SLICE("item")))
			continue;
		add(text, " kind ", 6);
		add(text, kind.p, kind.n);
	}
}

/* The function counts their elements. */
static void check_mandatory(const struct slice *params)
{
	static const int mandatory[] = {KEY_HASHES, REQUEST_IDS, ITEM_REQUESTS,
					SOURCES,    PAYLOADS,	 REQUEST_SENDERS};

	for (size_t i = 0; i < ARRAY_LENGTH(mandatory); i++) {
		if (params[mandatory[i]].p == NULL)
			ck_abort_msg("parameter %d is null", mandatory[i] + 1);
	}
}

static void add_refusals(struct text *text, const struct slice *params)
{
	struct pg_array_reader keys = pg_array_open(params[REFUSED_KEY_IDS], PG_INT8);
	struct pg_array_reader outcomes = pg_array_open(params[REFUSALS], PG_INT2);
	struct pg_array_reader counts = pg_array_open(params[REFUSAL_COUNTS], PG_INT4);

	while (keys.left > 0) {
		add(text, " refused ", 9);
		add_number(text, pg_array_next(&keys, 8, -1), ':');
		add_number(text, pg_array_next(&outcomes, 2, -1), '*');
		add_number(text, pg_array_next(&counts, 4, -1), '\0');
	}
}

void database_question(const char *what, int count, const char *const *values, const int *lengths,
		       const int *formats, char *out, size_t size)
{
	struct slice params[PARAMETERS];
	struct text text = {out, 0, size};

	if (count != PARAMETERS) {
		libpq_show_text(what, count, values, lengths, formats, out, size);
		return;
	}
	*out = '\0';
	for (int i = 0; i < count; i++)
		params[i] = (struct slice){values[i], (size_t)lengths[i]};
	check_mandatory(params);
	struct pg_array_reader ids = pg_array_open(params[REQUEST_IDS], PG_TEXT);
	while (ids.left > 0) {
		struct slice id = pg_array_next_bytes(&ids);
		add(&text, id.p, id.n);
		if (ids.left > 0)
			add(&text, ",", 1);
	}
	add_numbers(&text, " items ", params[ITEM_REQUESTS]);
	add_numbers(&text, " rejects ", params[REJECT_REQUESTS]);
	add_kinds(&text, params[REJECT_KINDS]);
	add_refusals(&text, params);
	struct pg_array_reader for_orgs = pg_array_open(params[FOR_PRODUCT_ORGS], PG_BOOL);
	while (for_orgs.left > 0) {
		if (pg_array_next(&for_orgs, 1, 0) == 1)
			add(&text, " orgs", 5);
	}
	if (params[RECENTLY_USED].p[0] == 1)
		add(&text, " recently", 9);
	if (params[IN_BULK].p[0] == 1)
		add(&text, " bulk", 5);
}

/* ---- the answer ---- */

enum { RECORD_BYTES = 64 << 10, ANSWERS = 32, FIELDS = 6 };

static int field; /* that was added last, from 1 */
static int wrong_type;

/* One field of the record: its type, its length and the array; or null. */
static void add_field(struct buf *record, struct pg_array *array, bool is_null)
{
	struct slice bytes = pg_array_end(array);

	if (++field == wrong_type)
		array->bytes.p[11] ^= 1; /* the type of its elements */
	buf_add_be32(record, 0);	 /* nothing looks at the type */
	buf_add_be32(record, is_null ? UINT32_MAX : (uint32_t)bytes.n);
	if (!is_null)
		buf_add_slice(record, bytes);
}

static void add_senders(struct buf *record, struct pg_array *array,
			const struct database_answer *answer)
{
	pg_array_start(array, PG_INT2, (size_t)answer->senders, RECORD_BYTES);
	for (int i = 0; i < answer->senders; i++)
		pg_array_add_int2(array, (int16_t)answer->outcomes[i]);
	add_field(record, array, false);
	pg_array_start(array, PG_INT8, (size_t)answer->senders, RECORD_BYTES);
	for (int i = 0; i < answer->senders; i++) {
		if (answer->key_ids[i] == 0)
			pg_array_add_null(array);
		else
			pg_array_add_int8(array, answer->key_ids[i]);
	}
	add_field(record, array, false);
}

static void add_flags(struct buf *record, struct pg_array *array, const bool *flags, int count)
{
	pg_array_start(array, PG_BOOL, (size_t)count, RECORD_BYTES);
	for (int i = 0; i < count; i++)
		pg_array_add_bool(array, flags[i]);
	add_field(record, array, count == 0);
}

static void add_items(struct buf *record, struct pg_array *array,
		      const struct database_answer *answer)
{
	pg_array_start(array, PG_INT8, (size_t)answer->items, RECORD_BYTES);
	for (int i = 0; i < answer->items; i++) {
		if (answer->first_id != 0)
			pg_array_add_int8(array, answer->first_id + i);
		else if (answer->ids[i] == 0)
			pg_array_add_null(array);
		else
			pg_array_add_int8(array, answer->ids[i]);
	}
	add_field(record, array, answer->items == 0);
	int flags = answer->first_id != 0 ? 0 : answer->items;
	add_flags(record, array, answer->repeated, flags);
	add_flags(record, array, answer->cold, flags);
}

static void add_templates(struct buf *record, struct pg_array *array,
			  const struct database_answer *answer)
{
	size_t count = 0;

	while (answer->templates[count] != NULL)
		count++;
	pg_array_start(array, PG_TEXT, count, RECORD_BYTES);
	for (size_t i = 0; i < count; i++) {
		if (*answer->templates[i] == '\0')
			pg_array_add_null(array);
		else
			pg_array_add_bytes(array, slice_of(answer->templates[i]));
	}
	add_field(record, array, count == 0);
}

const struct libpq_result *database_answer(const struct database_answer *answer)
{
	static char records[ANSWERS][RECORD_BYTES];
	static struct libpq_value values[ANSWERS];
	static struct libpq_result results[ANSWERS];
	static int made;
	struct buf record = buf_make(RECORD_BYTES);
	struct pg_array array = {.bytes = buf_make(RECORD_BYTES)};

	ck_assert_int_lt(made, ANSWERS);
	field = 0;
	wrong_type = answer->wrong_type;
	buf_add_be32(&record, (uint32_t)(answer->fields == 0 ? FIELDS : answer->fields));
	add_senders(&record, &array, answer);
	add_items(&record, &array, answer);
	add_templates(&record, &array, answer);
	ck_assert_int_eq(record.status, STATUS_OK);
	memcpy(records[made], record.p, record.n);
	values[made] = (struct libpq_value){records[made], (int)(record.n - answer->cut)};
	results[made] = (struct libpq_result){
		.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &values[made]};
	buf_free(&record);
	buf_free(&array.bytes);
	return &results[made++];
}

/*
 * scripted_database.c - see scripted_database.h.
 */
#include "scripted_database.h"

#include <arpa/inet.h>
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pg/array.h"

/* ---- the question: allocates nothing, as scripted_libpq.h wants it ---- */

/* Parameters by their place, and columns of the types. */
enum {
	SENDERS,
	SIGNALS,
	PRODUCT_ORGS,
	ENVELOPES,
	REJECTS,
	REFUSALS,
	IN_BULK,
	RECENTLY_USED,
	ADDRESSES,
	ANY_PARAMS
};
enum { WITH_MESSAGE_IDS = 2, WITH_VISITORS, ORDINARY_ENVELOPES, ORDINARY_PARAMS };
enum {
	SENDER_COLUMNS = 4,
	SIGNAL_COLUMNS = 22,
	PRODUCT_ORG_COLUMNS = 19,
	REJECT_COLUMNS = 11,
	REFUSAL_COLUMNS = 3,
	REJECT_KIND = 4,
	REJECT_ENVELOPE = 9,
	COLUMNS_MAX = SIGNAL_COLUMNS
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

static void add_text(struct text *text, const char *what)
{
	add(text, what, strlen(what));
}

static int64_t number_of(struct slice bytes)
{
	int64_t number = 0;

	for (size_t i = 0; i < bytes.n; i++)
		number = number << 8 | (unsigned char)bytes.p[i];
	return number;
}

static void add_number(struct text *text, int64_t number)
{
	char digits[SLICE_INT_CHARS];
	struct slice shown = slice_of_int(number, digits);

	add(text, shown.p, shown.n);
}

/* The columns of the next record. */
static void next_record(struct pg_array_reader *array, size_t count,
			struct slice columns[COLUMNS_MAX])
{
	struct pg_array_reader record = pg_record_open(pg_array_next_bytes(array), count);

	for (size_t i = 0; i < count; i++)
		columns[i] = pg_record_next(&record);
	if (record.broken || array->broken || record.p != record.end)
		ck_abort_msg("a record is broken");
}

static void add_key(struct text *text, struct slice hash)
{
	char letter = (char)('a' - 1 + *hash.p);

	if (hash.n != CREDENTIAL_HASH_BYTES)
		ck_abort_msg("a hash of %zu bytes", hash.n);
	if (letter >= 'a' && letter <= 'z' && memcmp(hash.p, hash.p + 1, 15) == 0)
		add(text, &letter, 1);
	else
		add_text(text, "key");
}

static void add_senders(struct text *text, struct slice array)
{
	struct pg_array_reader senders = pg_array_open(array, PG_OTHER);
	struct slice columns[COLUMNS_MAX];

	while (senders.left > 0) {
		next_record(&senders, SENDER_COLUMNS, columns);
		add_key(text, columns[0]);
		add_text(text, columns[1].p != NULL ? "+secret" : "");
		add_text(text, columns[2].p != NULL ? "+orgs" : "");
		add_text(text, columns[3].p != NULL ? "+template" : "");
		add_text(text, senders.left > 0 ? "," : "");
	}
}

/* The numbers of the items' senders, the first column. */
static void add_items(struct text *text, const char *what, struct slice array, size_t count)
{
	struct pg_array_reader items = pg_array_open(array, PG_OTHER);
	struct slice columns[COLUMNS_MAX];
	bool many = items.left > SHOWN_MAX;

	if (items.left > 0)
		add_text(text, what);
	if (many) {
		add_text(text, "#");
		add_number(text, (int64_t)items.left);
	}
	while (items.left > 0) {
		next_record(&items, count, columns);
		if (many)
			continue;
		add_number(text, number_of(columns[0]));
		add_text(text, items.left > 0 ? "," : "");
	}
}

static void add_rejects(struct text *text, struct slice array)
{
	struct pg_array_reader rejects = pg_array_open(array, PG_OTHER);
	struct slice columns[COLUMNS_MAX];

	while (rejects.left > 0) {
		next_record(&rejects, REJECT_COLUMNS, columns);
		if (columns[REJECT_ENVELOPE].p != NULL) {
			add_text(text, " in ");
			add_number(text, number_of(columns[REJECT_ENVELOPE]));
		}
		if (slice_equal(columns[REJECT_KIND], SLICE("item")))
			continue;
		add_text(text, " kind ");
		add(text, columns[REJECT_KIND].p, columns[REJECT_KIND].n);
	}
}

static void add_refusals(struct text *text, struct slice array)
{
	struct pg_array_reader refusals = pg_array_open(array, PG_OTHER);
	struct slice columns[COLUMNS_MAX];

	while (refusals.left > 0) {
		next_record(&refusals, REFUSAL_COLUMNS, columns);
		add_text(text, " refused ");
		add_key(text, columns[0]);
		add_text(text, ":");
		add(text, columns[1].p, columns[1].n);
		add_text(text, "*");
		add_number(text, number_of(columns[2]));
	}
}

static void add_flag(struct text *text, const char *what, struct slice param)
{
	if (param.n != 1)
		ck_abort_msg("a flag of %zu bytes", param.n);
	add_text(text, *param.p == 1 ? what : "");
}

static void add_envelopes(struct text *text, struct slice param)
{
	struct pg_array_reader array = pg_array_open(param, PG_JSONB);

	while (array.left > 0) {
		struct slice envelope = pg_array_next_bytes(&array);
		add_text(text, " envelope ");
		add(text, envelope.p + 1, envelope.n - 1);
	}
	if (array.broken)
		ck_abort_msg("the envelopes are broken");
}

/* inet_send: family, bits, whether it is a cidr, size, bytes. */
static void add_address(struct text *text, struct slice inet)
{
	enum { FAMILY_IPV6 = 3, HEAD = 4 };
	char shown[INET6_ADDRSTRLEN] = "-";
	bool is_ipv6 = inet.n > HEAD && inet.p[0] == FAMILY_IPV6;
	int size = is_ipv6 ? 16 : 4;

	if (inet.p != NULL &&
	    (inet.n != (size_t)HEAD + (size_t)size || (unsigned char)inet.p[1] != size * 8 ||
	     inet.p[2] != 0 || inet.p[3] != size ||
	     inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, inet.p + HEAD, shown, sizeof(shown)) == NULL))
		ck_abort_msg("an address of %zu bytes", inet.n);
	add_text(text, shown);
}

static void add_addresses(struct text *text, struct slice param, size_t senders)
{
	struct pg_array_reader known = pg_array_open(param, PG_INET), array = known;
	bool any = false;

	if (known.left != 0 && known.left != senders)
		ck_abort_msg("%zu addresses for %zu senders", known.left, senders);
	while (known.left > 0)
		any |= pg_array_next_bytes(&known).p != NULL;
	for (size_t i = 0; any && array.left > 0; i++) {
		add_text(text, i == 0 ? " from " : ",");
		add_address(text, pg_array_next_bytes(&array));
	}
	if (known.broken || array.broken)
		ck_abort_msg("the addresses are broken");
}

static void show_ordinary(struct text *text, const struct slice *params)
{
	add_text(text, "ordinary ");
	add_senders(text, params[SENDERS]);
	add_items(text, " signals ", params[SIGNALS], SIGNAL_COLUMNS);
	add_flag(text, " ids", params[WITH_MESSAGE_IDS]);
	add_flag(text, " visitors", params[WITH_VISITORS]);
	add_envelopes(text, params[ORDINARY_ENVELOPES]);
}

static void show_any(struct text *text, const struct slice *params)
{
	add_senders(text, params[SENDERS]);
	add_items(text, " signals ", params[SIGNALS], SIGNAL_COLUMNS);
	add_items(text, " orgs ", params[PRODUCT_ORGS], PRODUCT_ORG_COLUMNS);
	add_envelopes(text, params[ENVELOPES]);
	add_items(text, " rejects ", params[REJECTS], REJECT_COLUMNS);
	add_rejects(text, params[REJECTS]);
	add_refusals(text, params[REFUSALS]);
	add_addresses(text, params[ADDRESSES], pg_array_open(params[SENDERS], PG_OTHER).left);
	add_flag(text, " recently", params[RECENTLY_USED]);
	add_flag(text, " bulk", params[IN_BULK]);
}

void database_question(const char *what, int count, const char *const *values, const int *lengths,
		       const int *formats, char *out, size_t size)
{
	struct slice params[ANY_PARAMS];
	struct text text = {out, 0, size};
	bool ordinary = strstr(what, "intake_ordinary") != NULL;

	if (!ordinary && strstr(what, "sluice.intake(") == NULL &&
	    strcmp(what, "intake_any_group") != 0) {
		libpq_show_text(what, count, values, lengths, formats, out, size);
		return;
	}
	*out = '\0';
	if (count != (ordinary ? ORDINARY_PARAMS : ANY_PARAMS))
		ck_abort_msg("%d parameters", count);
	for (int i = 0; i < count; i++)
		params[i] = (struct slice){values[i], (size_t)lengths[i]};
	if (ordinary)
		show_ordinary(&text, params);
	else
		show_any(&text, params);
}

/* ---- the answer ---- */

enum { RECORD_BYTES = 64 << 10, ANSWERS = 32, FIELDS = 8, ID_BYTES = 8 };

static char values_bytes[ANSWERS][RECORD_BYTES];
static struct libpq_value values[ANSWERS][COMMIT_COLUMNS];
static struct libpq_result results[ANSWERS];
static int made;
static const char *xact = DATABASE_XACT;

void database_write_nothing(void)
{
	xact = NULL;
}

static const struct libpq_result *make_result(struct slice value)
{
	ck_assert_int_lt(made, ANSWERS);
	if (value.p != NULL)
		memcpy(values_bytes[made], value.p, value.n);
	values[made][COMMIT_ANSWER] =
		(struct libpq_value){value.p == NULL ? NULL : values_bytes[made], (int)value.n};
	values[made][COMMIT_XACT] = (struct libpq_value){xact, xact == NULL ? 0 : ID_BYTES};
	values[made][COMMIT_NOW] = (struct libpq_value){DATABASE_NOW, ID_BYTES};
	results[made] = (struct libpq_result){.status = PGRES_TUPLES_OK,
					      .rows = 1,
					      .columns = COMMIT_COLUMNS,
					      .values = values[made]};
	return &results[made++];
}

const struct libpq_result *database_first_id(int64_t id)
{
	char bytes[ID_BYTES];

	for (int i = 0; i < ID_BYTES; i++)
		bytes[i] = (char)((uint64_t)id >> (8 * (ID_BYTES - 1 - i)));
	return make_result(id == 0 ? SLICE_ABSENT : (struct slice){bytes, ID_BYTES});
}

static int field; /* that was added last, from 1 */
static int wrong_type;

/* One field of the record: its type, its length and the array; or null. */
static void add_field(struct buf *record, struct pg_array *array, bool is_null)
{
	struct slice bytes = pg_array_end(array);

	ck_assert_int_eq(array->bytes.status, STATUS_OK);
	if (++field == wrong_type)
		array->bytes.p[11] ^= 1; /* the type of its elements */
	buf_add_be32(record, 0);	 /* nothing looks at the type */
	buf_add_be32(record, is_null ? UINT32_MAX : (uint32_t)bytes.n);
	if (!is_null)
		buf_add_slice(record, bytes);
}

static void add_outcomes(struct buf *record, struct pg_array *array,
			 const struct database_answer *answer)
{
	enum { AN_ENUM = 16384 };

	pg_array_start(array, AN_ENUM, (size_t)answer->senders, RECORD_BYTES);
	for (int i = 0; i < answer->senders; i++)
		pg_array_add_text(array,
				  slice_of(answer->outcomes[i] == NULL ? OUTCOME_ACCEPTED
								       : answer->outcomes[i]));
	add_field(record, array, false);
	pg_array_start(array, PG_INT8, (size_t)answer->senders, RECORD_BYTES);
	for (int i = 0; i < answer->senders; i++)
		pg_array_add_int8(array, 42);
	add_field(record, array, false);
	pg_array_start(array, PG_INT8, (size_t)answer->senders, RECORD_BYTES);
	for (int i = 0; i < answer->senders; i++)
		pg_array_add_int8(array, DATABASE_ORGANIZATION);
	add_field(record, array, false);
}

static void add_templates(struct buf *record, struct pg_array *array,
			  const struct database_answer *answer)
{
	size_t count = 0;

	while (answer->templates[count] != NULL)
		count++;
	pg_array_start(array, PG_TEXT, count, RECORD_BYTES);
	for (size_t i = 0; i < count; i++)
		pg_array_add_text(array, *answer->templates[i] == '\0'
						 ? SLICE_ABSENT
						 : slice_of(answer->templates[i]));
	add_field(record, array, count == 0);
	pg_array_start(array, PG_INT8, count, RECORD_BYTES);
	for (size_t i = 0; i < count; i++)
		pg_array_add_int8(array, DATABASE_TEMPLATE_VERSION);
	add_field(record, array, count == 0);
}

static void add_flags(struct buf *record, struct pg_array *array, const bool *flags, int count)
{
	pg_array_start(array, PG_BOOL, (size_t)count, RECORD_BYTES);
	for (int i = 0; i < count; i++)
		pg_array_add_bool(array, flags[i]);
	add_field(record, array, count == 0);
}

static void add_results(struct buf *record, struct pg_array *array,
			const struct database_answer *answer)
{
	pg_array_start(array, PG_INT8, (size_t)answer->items, RECORD_BYTES);
	for (int i = 0; i < answer->items; i++) {
		if (answer->first_id != 0)
			pg_array_add_int8(array, answer->first_id + i);
		else if (answer->ids[i] == 0)
			pg_array_add_null(array, PG_INT8);
		else
			pg_array_add_int8(array, answer->ids[i]);
	}
	add_field(record, array, answer->items == 0);
	int flags = answer->first_id != 0 ? 0 : answer->items;
	add_flags(record, array, answer->repeated, flags);
	add_flags(record, array, answer->cold, flags == 0 ? 0 : flags - answer->product_orgs);
}

const struct libpq_result *database_answer(const struct database_answer *answer)
{
	struct buf record = buf_make(RECORD_BYTES);
	struct pg_array array = {.bytes = buf_make(RECORD_BYTES)};

	field = 0;
	wrong_type = answer->wrong_type;
	buf_add_be32(&record, (uint32_t)(answer->fields == 0 ? FIELDS : answer->fields));
	add_outcomes(&record, &array, answer);
	add_templates(&record, &array, answer);
	add_results(&record, &array, answer);
	ck_assert_int_eq(record.status, STATUS_OK);
	const struct libpq_result *result =
		make_result((struct slice){record.p, record.n - answer->cut});
	buf_free(&record);
	buf_free(&array.bytes);
	return result;
}

/*
 * fuzz_template.c - payload templates: the first line is the template, the rest the payload. The
 * first line is also taken for one path alone.
 *
 * What a path leads to is what a second, plain reading finds there; a template that compiles says
 * so at every byte; what is read from a payload is what PostgreSQL takes.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "json/path.h"
#include "model/template.h"
#include "oracle.h"

#define SECOND_US   INT64_C(1000000)
#define RECEIVED_US (INT64_C(1790000000) * SECOND_US)
#define EARLIEST_US (INT64_C(631152000) * SECOND_US) /* 1990-01-01 */
#define LATEST_US   (RECEIVED_US + 86400 * SECOND_US)

/* ---- paths, read a second time ---- */

/* Takes a step off a good path. */
static struct buf next_step(struct slice *path)
{
	struct buf step = buf_make(SIZE_MAX / 2);
	size_t i = 0;

	buf_add_text(&step, "");
	for (; i < path->n && path->p[i] != '.'; i++) {
		i += path->p[i] == '\\';
		buf_add_char(&step, path->p[i]);
	}
	i += i < path->n;
	*path = (struct slice){path->p + i, path->n - i};
	return step;
}

static struct slice member_at(struct slice object, struct slice name)
{
	struct oracle oracle = oracle_of(object);
	struct oracle_members members;
	struct slice value = SLICE_ABSENT;

	CHECK(oracle_members(&oracle, &members));
	const struct oracle_member *member = oracle_find(&members, name);
	if (member != NULL)
		value = member->value;
	oracle_members_free(&members);
	return value;
}

/* The index as PostgreSQL and people write it; SIZE_MAX for another step. */
static size_t index_of(struct slice step)
{
	size_t index = 0;

	for (size_t i = 0; i < step.n; i++) {
		if (step.p[i] < '0' || step.p[i] > '9' || index > 99999999)
			return SIZE_MAX;
		index = index * 10 + (size_t)(step.p[i] - '0');
	}
	return step.n == 0 || (step.n > 1 && step.p[0] == '0') ? SIZE_MAX : index;
}

static struct slice element_at(struct slice array, size_t index)
{
	struct oracle oracle = oracle_of((struct slice){array.p + 1, array.n - 1});

	if (index == SIZE_MAX || slice_trim((struct slice){array.p + 1, array.n - 2}).n == 0)
		return SLICE_ABSENT;
	for (size_t i = 0;; i++) {
		const char *start = (const char *)oracle.p;
		CHECK(oracle_value(&oracle));
		struct slice value = {start, (size_t)((const char *)oracle.p - start)};
		if (i == index)
			return slice_trim(value);
		while (slice_is_blank((char)*oracle.p))
			oracle.p++;
		if (*oracle.p++ == ']')
			return SLICE_ABSENT;
	}
}

/* What a good path leads to; absent when there is nothing. */
static struct slice value_at(struct slice text, struct slice path)
{
	text = slice_trim(text);
	while (path.n > 0 && text.p != NULL) {
		struct buf step = next_step(&path);
		if (*text.p == '{')
			text = member_at(text, buf_slice(&step));
		else if (*text.p == '[')
			text = element_at(text, index_of(buf_slice(&step)));
		else
			text = SLICE_ABSENT;
		buf_free(&step);
	}
	return text;
}

/* True when every step has something, and every backslash something to escape. */
static bool is_good_path(struct slice path)
{
	size_t in_step = 0;

	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] == '.') {
			if (in_step == 0)
				return false;
			in_step = 0;
			continue;
		}
		if (path.p[i] == '\\' && (++i == path.n || (path.p[i] != '.' && path.p[i] != '\\')))
			return false;
		in_step++;
	}
	return in_step > 0 && path.n <= JSON_PATH_BYTES;
}

static void check_path(struct slice path, struct slice text)
{
	struct arena arena = {0};
	struct json_paths *paths = json_paths_make(&arena);
	struct slice found, want;
	const char *reason = NULL;
	size_t slot = SIZE_MAX;

	CHECK(paths != NULL);
	enum status status = json_paths_add(paths, path, &slot, &reason);
	CHECK((status == STATUS_OK) == is_good_path(path));
	CHECK((status == STATUS_OK) == (reason == NULL));
	if (status == STATUS_OK && text.p != NULL) {
		CHECK(slot == 0 && json_paths_slots(paths) == 1);
		CHECK(json_paths_find(paths, &arena, text, &found) == STATUS_OK);
		want = value_at(text, path);
		CHECK(found.p == want.p && found.n == want.n);
	}
	arena_free(&arena);
}

/* ---- templates ---- */

static struct template *compile(struct arena *arena, struct slice text)
{
	struct template *compiled = NULL;
	struct template_fault fault;
	enum status status = template_compile(arena, text, &compiled, &fault);

	if (status == STATUS_OK)
		return compiled;
	CHECK(status == STATUS_INVALID_TEMPLATE && compiled == NULL);
	CHECK(fault.offset <= text.n && fault.message.n > 0);
	CHECK(memchr(fault.message.p, '\0', fault.message.n) == NULL);
	return NULL;
}

/* The path that a template has for a field. */
static bool path_of(const struct oracle_members *members, const char *field, struct buf *path)
{
	const struct oracle_member *member = oracle_find(members, slice_of(field));

	if (member == NULL)
		return false;
	struct oracle oracle = oracle_of(member->value);
	CHECK(oracle_string(&oracle, path));
	CHECK(is_good_path(buf_slice(path)));
	return true;
}

/* What a good template's path for a field leads to. */
static struct slice mapped(const struct oracle_members *members, const char *field,
			   struct slice payload)
{
	struct buf path = buf_make(SIZE_MAX / 2);
	struct slice value = SLICE_ABSENT;

	if (path_of(members, field, &path))
		value = value_at(payload, buf_slice(&path));
	buf_free(&path);
	return value.p == NULL || *value.p == 'n' ? SLICE_ABSENT : value;
}

static bool warned(const struct product_org *row, const char *field)
{
	size_t count = 0;

	for (size_t i = 0; i < row->warning_count; i++)
		count += slice_equal(row->warnings[i].field, slice_of(field));
	CHECK(count <= 1);
	return count == 1;
}

/* ---- rows ---- */

/* Valid UTF-8 without byte 0, and just what the value means. */
static void check_text(struct slice value, struct slice got)
{
	struct buf quoted = buf_make(SIZE_MAX / 2), meant = buf_make(SIZE_MAX / 2);
	struct oracle oracle = oracle_of(value);

	CHECK(got.n > 0 && got.n <= PRODUCT_ORG_TEXT_BYTES && memchr(got.p, '\0', got.n) == NULL);
	if (*value.p == '"')
		CHECK(oracle_string(&oracle, &meant) && slice_equal(got, buf_slice(&meant)));
	else
		CHECK(slice_equal(got, value));
	buf_reset(&meant, SIZE_MAX);
	buf_add_json(&quoted, got);
	oracle = oracle_of(buf_slice(&quoted));
	CHECK(oracle_string(&oracle, &meant) && slice_equal(got, buf_slice(&meant)));
	buf_free(&quoted);
	buf_free(&meant);
}

/* An integer of up to 18 digits is taken as it is. */
static void check_number(struct slice value, struct product_org_number got)
{
	bool negative = value.n > 0 && *value.p == '-';
	int64_t number = 0;

	CHECK(got.given || got.value == 0);
	if (value.n - negative == 0 || value.n - negative > 18)
		return;
	for (size_t i = negative; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return;
		number = number * 10 + value.p[i] - '0';
	}
	CHECK(got.given && got.value == (negative ? -number : number));
}

static void check_fields(const struct oracle_members *members, const struct product_org *row)
{
	const struct {
		const char *name;
		struct slice got;
	} texts[] = {{"product_org_id", row->product_org_id},
		     {"name", row->name},
		     {"plan_id", row->plan_id},
		     {"plan_name", row->plan_name},
		     {"trial_status", row->trial_status}};
	struct slice value;

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		value = mapped(members, texts[i].name, row->payload);
		CHECK(warned(row, texts[i].name) == (value.p != NULL && texts[i].got.p == NULL));
		CHECK(value.p != NULL || texts[i].got.p == NULL);
		if (texts[i].got.p != NULL)
			check_text(value, texts[i].got);
	}
	value = mapped(members, "user_count", row->payload);
	CHECK(warned(row, "user_count") == (value.p != NULL && !row->user_count.given));
	check_number(value, row->user_count);
	value = mapped(members, "mrr", row->payload);
	CHECK(warned(row, "mrr") == (value.p != NULL && !row->mrr.given));
	check_number(value, row->mrr);
	value = mapped(members, "last_active_at", row->payload);
	bool when = row->last_active_at_us != INT64_MIN;
	CHECK(warned(row, "last_active_at") == (value.p != NULL && !when));
	CHECK(!when ||
	      (row->last_active_at_us >= EARLIEST_US && row->last_active_at_us <= LATEST_US));
	value = mapped(members, "feature_flags", row->payload);
	CHECK(warned(row, "feature_flags") == (value.p != NULL && *value.p != '{'));
	CHECK(row->feature_flags.p == (value.p != NULL && *value.p == '{' ? value.p : NULL));
}

/* Each member of the custom object is what its path leads to; the rest warned or is not there. */
static void check_customs(const struct oracle_members *members, const struct product_org *row)
{
	const struct oracle_member *custom = oracle_find(members, SLICE("custom"));
	struct oracle_members names = {0}, got = {0};
	struct oracle oracle = oracle_of(row->custom.p == NULL ? SLICE("{}") : row->custom);
	size_t found = 0, warnings = 0;

	CHECK(oracle_members(&oracle, &got) && (got.count > 0) == (row->custom.p != NULL));
	if (custom != NULL) {
		oracle = oracle_of(custom->value);
		CHECK(oracle_members(&oracle, &names));
	}
	for (size_t i = 0; i < names.count; i++) {
		char *name = fuzz_copy(buf_slice(&names.list[i].name));
		struct slice value = mapped(&names, name, row->payload);
		const struct oracle_member *member = oracle_find(&got, slice_of(name));
		CHECK(member == NULL || slice_equal(member->value, value));
		found += value.p != NULL;
		free(name);
	}
	for (size_t i = 0; i < row->warning_count; i++)
		warnings += slice_starts(row->warnings[i].field, SLICE("custom."));
	CHECK(found == got.count + warnings);
	oracle_members_free(&names);
	oracle_members_free(&got);
}

static void check_row(const struct template *compiled, struct slice text, struct slice payload,
		      bool needs_repair)
{
	struct arena arena = {0};
	struct oracle oracle = oracle_of(slice_trim(text));
	struct oracle_members members;
	struct product_org row;
	enum status status =
		template_apply(compiled, &arena, payload, needs_repair, RECEIVED_US, &row);

	CHECK(oracle_members(&oracle, &members));
	CHECK((row.payload_raw.p != NULL) == needs_repair);
	if (status == STATUS_MISSING_PRODUCT_ORG_ID) {
		CHECK(row.product_org_id.p == NULL && row.warning_count == 1);
		CHECK(warned(&row, "product_org_id"));
	} else {
		CHECK(status == STATUS_OK && row.product_org_id.p != NULL);
		check_fields(&members, &row);
		check_customs(&members, &row);
	}
	oracle_members_free(&members);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice payload = {(const char *)data, n};
	struct slice text = fuzz_take(&payload, '\n');
	struct arena arena = {0};
	bool needs_repair = false;

	payload = slice_trim(payload);
	if (payload.n == 0 || *payload.p != '{' ||
	    json_text_check(payload, &fuzz_limits, NULL, NULL, &needs_repair) != STATUS_OK)
		payload = SLICE_ABSENT;
	check_path(text, payload);
	const struct template *compiled = compile(&arena, text);
	if (compiled != NULL && payload.p != NULL)
		check_row(compiled, text, payload, needs_repair);
	arena_free(&arena);
	return 0;
}

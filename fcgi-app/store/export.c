/*
 * store/export.c - see store/export.h.
 */
#include "store/export.h"

#include <stdio.h>
#include <string.h>

#include "json/path.h"
#include "json/text.h"

enum { PATH_BYTES = 64 };

const char store_formats[] = "ndjson csv ";

static const char *const signal_columns[] = {
	"id",	  "received_at", "occurred_at",	 "source",     "event_type", "event_name",
	"email",  "user_id",	 "anonymous_id", "message_id", "status",     "error",
	"key_id", "key_name",	 "request_id",	 "payload",
};

static const char *const product_org_columns[] = {
	"product_org_id", "name",     "plan_id",      "plan_name",	"user_count",	 "mrr",
	"mrr_amount",	  "currency", "trial_status", "last_active_at", "feature_flags", "custom",
	"received_at",	  "id",	      "key_id",	      "key_name",
};

static const char *const update_columns[] = {
	"id",		"product_org_id", "name",
	"plan_id",	"plan_name",	  "user_count",
	"mrr",		"mrr_amount",	  "currency",
	"trial_status", "last_active_at", "feature_flags",
	"custom",	"warnings",	  "received_at",
	"status",	"error",	  "key_id",
	"key_name",	"request_id",	  "payload",
};

static const char *const reject_columns[] = {
	"id",	       "received_at", "organization",  "key_id",       "key_name",
	"source",      "kind",	      "code",	       "why",	       "detail",
	"position",    "bad_byte",    "payload_bytes", "request_id",   "state",
	"replayed_at", "replayed_by", "discarded_at",  "discarded_by", "truncated",
	"preview",
};

const struct store_export store_export_signals = {"signals", "signals", signal_columns,
						  ARRAY_LENGTH(signal_columns)};
const struct store_export store_export_product_orgs = {
	"product_orgs", "product-orgs", product_org_columns, ARRAY_LENGTH(product_org_columns)};
const struct store_export store_export_updates = {"product_orgs", "product-org-updates",
						  update_columns, ARRAY_LENGTH(update_columns)};
const struct store_export store_export_rejects = {"rejects", "rejects", reject_columns,
						  ARRAY_LENGTH(reject_columns)};

/* ---- values ---- */

enum status store_answer_meaning(struct arena *arena, struct slice value, struct slice *text)
{
	*text = value;
	if (value.p == NULL || slice_equal(value, SLICE("null")))
		*text = SLICE_ABSENT;
	else if (*value.p == '"')
		return json_text_string(arena, value, text);
	return STATUS_OK;
}

enum status store_answer_rows(struct arena *arena, struct slice answer, const char *array,
			      const char *const members[], size_t per_row, struct slice *values)
{
	struct json_paths *paths = json_paths_make(arena);
	enum status status = paths == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	const char *reason;

	for (size_t i = 0, slot; i < STORE_EXPORT_ROWS * per_row && status == STATUS_OK; i++) {
		char path[PATH_BYTES];
		const char *member = members[i % per_row];
		(void)snprintf(path, sizeof(path), "%s.%zu%s%s", array, i / per_row,
			       *member == '\0' ? "" : ".", member);
		const char *kept = arena_copy(arena, slice_of(path));
		status = kept == NULL ? STATUS_NO_MEMORY
				      : json_paths_add(paths, slice_of(kept), &slot, &reason);
	}
	return status == STATUS_OK ? json_paths_find(paths, arena, answer, values) : status;
}

enum status store_answer_text(struct arena *arena, struct slice answer, const char *member,
			      struct slice *text)
{
	struct json_paths *paths = json_paths_make(arena);
	struct slice value;
	const char *reason;
	size_t slot;
	enum status status = paths == NULL
				     ? STATUS_NO_MEMORY
				     : json_paths_add(paths, slice_of(member), &slot, &reason);

	if (status == STATUS_OK)
		status = json_paths_find(paths, arena, answer, &value);
	if (status == STATUS_OK)
		status = store_answer_meaning(arena, value, text);
	if (status != STATUS_OK || text->p == NULL)
		return status;
	text->p = arena_copy(arena, *text);
	return text->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* ---- lines ---- */

/* Whether a spreadsheet may calculate it; some of them read full-width signs, too. */
static bool begins_formula(struct slice text)
{
	static const char wide[] = "\uff1d\uff0b\uff0d\uff20";

	if (text.n > 0 && memchr("=+-@\t\r\n", *text.p, 7) != NULL)
		return true;
	for (size_t i = 0; i < sizeof(wide) - 1 && text.n >= 3; i += 3) {
		if (memcmp(text.p, wide + i, 3) == 0)
			return true;
	}
	return false;
}

void store_export_cell(struct buf *out, struct slice text)
{
	bool formula = begins_formula(text);
	bool quoted = false;

	for (size_t i = 0; i < text.n && !quoted; i++)
		quoted = memchr(",\"\r\n", text.p[i], 4) != NULL;
	buf_add_text(out, quoted ? "\"" : "");
	buf_add_text(out, formula ? "'" : "");
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			buf_add_char(out, '"');
		buf_add_char(out, text.p[i]);
	}
	buf_add_text(out, quoted ? "\"" : "");
}

void store_export_head(const struct store_export *what, enum store_format format, struct buf *out)
{
	for (size_t i = 0; i < what->count && format == STORE_CSV; i++) {
		buf_add_text(out, what->columns[i]);
		buf_add_text(out, i + 1 < what->count ? "," : "\r\n");
	}
}

static enum status add_csv(struct arena *arena, const struct slice *values, size_t columns,
			   struct buf *out)
{
	for (size_t i = 0; i < columns; i++) {
		struct slice text;
		enum status status = store_answer_meaning(arena, values[i], &text);
		if (status != STATUS_OK)
			return status;
		store_export_cell(out, text);
		buf_add_text(out, i + 1 < columns ? "," : "\r\n");
	}
	return STATUS_OK;
}

enum status store_export_rows(const struct store_export *what, struct arena *arena,
			      struct slice answer, enum store_format format, struct buf *out,
			      size_t *rows)
{
	static const char *const whole[] = {""};
	size_t per_row = format == STORE_CSV ? what->count : 1;
	struct slice *values = arena_array(arena, STORE_EXPORT_ROWS * per_row, sizeof(*values));
	enum status status = values == NULL ? STATUS_NO_MEMORY : STATUS_OK;

	if (status == STATUS_OK)
		status = store_answer_rows(arena, answer, what->array,
					   format == STORE_CSV ? what->columns : whole, per_row,
					   values);
	*rows = 0;
	while (status == STATUS_OK && *rows < STORE_EXPORT_ROWS &&
	       values[*rows * per_row].p != NULL) {
		if (format == STORE_CSV) {
			status = add_csv(arena, values + *rows * per_row, what->count, out);
		} else {
			buf_add_slice(out, values[*rows]);
			buf_add_char(out, '\n');
		}
		(*rows)++;
	}
	return status == STATUS_OK ? out->status : status;
}

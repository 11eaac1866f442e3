/*
 * settings/document.c - documents that the database writes as JSON: statistics, the latest signals,
 * product orgs and rejected payloads, usage, the volumes of keys, the audit log. See
 * settings/settings_internal.h.
 */
#include "base/timestamp.h"
#include "settings/settings_internal.h"
#include "store/document.h"
#include "store/export.h"
#include "store/search.h"

enum { MONTHS = 12, HEAD_BYTES_MAX = 4096 };

static enum status answer_document(struct settings *settings, enum store_document document,
				   struct store_question *question)
{
	struct slice json;

	question->organization = settings->organization;
	enum status status = store_settings_document(&settings->store, document, question, &json);
	return status == STATUS_OK ? settings_answer_json(settings, STATUS_OK, json)
				   : settings_problem_store(settings, status);
}

static enum status read_page(struct settings *settings, struct store_question *question)
{
	enum status status = settings_read_limit(settings, SETTINGS_LIMIT, &question->limit);

	return status == STATUS_OK ? settings_read_before(settings, &question->before) : status;
}

static enum status answer_page(struct settings *settings, enum store_document document)
{
	struct store_question question = {0};
	enum status status = read_page(settings, &question);

	return status == STATUS_OK ? answer_document(settings, document, &question) : status;
}

enum status settings_statistics(struct settings *settings)
{
	struct store_question question = {0};
	enum status status = settings_text(settings, "window", &question.window);

	if (status != STATUS_OK)
		return status;
	if (question.window.p == NULL)
		question.window = SLICE("24h");
	return answer_document(settings, STORE_STATISTICS, &question);
}

enum status settings_key_volumes(struct settings *settings)
{
	struct store_question question = {0};
	const struct settings_choice choices[] = {{"key", &question.key_id},
						  {"match", &question.match},
						  {"endpoint_type", &question.endpoint_type},
						  {"status", &question.status}};
	enum status status = read_page(settings, &question);

	if (status == STATUS_OK)
		status = settings_choices(settings, choices, ARRAY_LENGTH(choices));
	return status == STATUS_OK ? answer_document(settings, STORE_KEY_VOLUMES, &question)
				   : status;
}

/* ---- searches ---- */

/* A timestamp that settings_check_query() has let through, as PostgreSQL reads it in any time zone.
 */
static enum status write_timestamp(struct settings *settings, struct slice *text)
{
	struct buf written = buf_make(64);
	int64_t us;

	if (text->n == 0 || !timestamp_read(*text, &us))
		return STATUS_OK;
	timestamp_add(&written, us);
	*text = arena_move(&settings->arena, &written);
	return text->p == NULL ? settings_problem(settings, STATUS_NO_MEMORY, NULL) : STATUS_OK;
}

static enum status read_filter(struct settings *settings, struct slice *filter)
{
	struct slice values[STORE_SEARCH_MEMBERS];
	enum status status = STATUS_OK;

	for (size_t i = 0; i < STORE_SEARCH_MEMBERS && status == STATUS_OK; i++)
		status = settings_text(settings, store_search_names[i], &values[i]);
	if (status == STATUS_OK)
		status = write_timestamp(settings, &values[STORE_SEARCH_FROM]);
	if (status == STATUS_OK)
		status = write_timestamp(settings, &values[STORE_SEARCH_UNTIL]);
	if (status != STATUS_OK)
		return status;
	status = store_search_filter(&settings->arena, values, filter);
	return status == STATUS_OK ? status : settings_problem(settings, status, NULL);
}

/* Appends "Name: value" of a member of an answer; nothing where it is null. */
static enum status add_header(struct settings *settings, struct slice answer, const char *name,
			      const char *member, struct buf *out)
{
	struct slice text;
	enum status status = store_answer_text(&settings->arena, answer, member, &text);

	if (status != STATUS_OK || text.p == NULL)
		return status;
	buf_add_text(out, name);
	buf_add_slice(out, text);
	buf_add_text(out, "\r\n");
	return out->status;
}

static enum store_format format_of(struct slice name)
{
	return slice_equal(name, SLICE("csv")) ? STORE_CSV : STORE_NDJSON;
}

/* The response as a part of a file: what an answer says beside its rows is in headers. */
static enum status answer_export(struct settings *settings, const struct store_export *what,
				 enum store_format format, bool first, struct slice answer)
{
	struct buf head = buf_make(HEAD_BYTES_MAX), *body = &settings->response.body;
	size_t rows;

	buf_add_text(&head, settings->response.headers);
	buf_add_format(&head, "Content-Disposition: attachment; filename=\"%s.%s\"\r\n", what->file,
		       format == STORE_CSV ? "csv" : "ndjson");
	enum status status = add_header(settings, answer, "Sluice-Next: ", "next", &head);
	if (status == STATUS_OK)
		status = add_header(settings, answer, "Sluice-Searched-Until: ", "searched_until",
				    &head);
	if (first)
		store_export_head(what, format, body);
	if (status == STATUS_OK)
		status = store_export_rows(what, &settings->arena, answer, format, body, &rows);
	struct slice headers = arena_move(&settings->arena, &head);
	if (status != STATUS_OK || headers.p == NULL)
		return settings_problem(settings, STATUS_NO_MEMORY, NULL);
	settings->response.headers = headers.p;
	settings->response.content_type =
		format == STORE_CSV ? "text/csv; charset=utf-8" : "application/x-ndjson";
	settings->status = STATUS_OK;
	return STATUS_OK;
}

/* The list, or with "format" a part of a file. */
static enum status answer_list(struct settings *settings, enum store_document document,
			       const struct store_export *what, struct store_question *question)
{
	struct slice format, json;
	enum status status = settings_text(settings, "format", &format);

	if (status != STATUS_OK)
		return status;
	if (format.p == NULL)
		return answer_document(settings, document, question);
	question->organization = settings->organization;
	question->whole = true;
	status = store_settings_document(&settings->store, document, question, &json);
	if (status != STATUS_OK)
		return settings_problem_store(settings, status);
	return answer_export(settings, what, format_of(format), question->before.p == NULL, json);
}

static enum status answer_search(struct settings *settings, enum store_document document,
				 const struct store_export *what)
{
	struct store_question question = {0};
	enum status status = settings_read_limit(settings, SETTINGS_LIMIT, &question.limit);

	if (status == STATUS_OK)
		status = settings_text(settings, "before", &question.before);
	if (status == STATUS_OK)
		status = read_filter(settings, &question.filter);
	return status == STATUS_OK ? answer_list(settings, document, what, &question) : status;
}

enum status settings_signals(struct settings *settings)
{
	return answer_search(settings, STORE_SIGNALS, &store_export_signals);
}

enum status settings_rejects(struct settings *settings)
{
	return answer_search(settings, STORE_REJECTS, &store_export_rejects);
}

enum status settings_product_orgs(struct settings *settings)
{
	return answer_search(settings, STORE_PRODUCT_ORGS, &store_export_updates);
}

/* ---- the states of product orgs ---- */

static enum status read_states(struct settings *settings, struct store_question *question)
{
	const struct settings_choice choices[] = {{"before", &question->before},
						  {"product_org_id", &question->product_org},
						  {"match", &question->match},
						  {"plan", &question->plan},
						  {"trial_status", &question->trial_status}};
	enum status status = settings_read_limit(settings, SETTINGS_LIMIT, &question->limit);

	return status == STATUS_OK ? settings_choices(settings, choices, ARRAY_LENGTH(choices))
				   : status;
}

enum status settings_product_org_states(struct settings *settings)
{
	struct store_question question = {0};
	enum status status = read_states(settings, &question);

	return status == STATUS_OK ? answer_list(settings, STORE_PRODUCT_ORG_STATES,
						 &store_export_product_orgs, &question)
				   : status;
}

/* ---- the others ---- */

enum status settings_usage(struct settings *settings)
{
	struct store_question question = {0};
	enum status status = settings_read_limit(settings, MONTHS, &question.limit);

	if (status == STATUS_OK)
		status = settings_choice(settings, "before", &question.before);
	return status == STATUS_OK ? answer_document(settings, STORE_USAGE, &question) : status;
}

enum status settings_audit(struct settings *settings)
{
	return answer_page(settings, STORE_AUDIT);
}

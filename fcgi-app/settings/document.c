/*
 * settings/document.c - documents that the database writes as JSON: statistics, the latest signals,
 * product orgs and rejected payloads, usage, the audit log. See settings/settings_internal.h.
 */
#include "settings/settings_internal.h"
#include "store/document.h"

enum { LIMIT = 50 };

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
	int64_t limit = LIMIT, before = -1;
	enum status status = settings_number(settings, "limit", 1, SETTINGS_LIMIT_MAX, &limit);

	if (status == STATUS_OK)
		status = settings_number(settings, "before", 0, INT64_MAX, &before);
	if (status == STATUS_OK)
		status = settings_digits(settings, limit, &question->limit);
	if (status == STATUS_OK && before >= 0)
		status = settings_digits(settings, before, &question->before);
	return status;
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

/* An empty filter filters nothing. */
static enum status read_filter(struct settings *settings, const char *name, struct slice *text)
{
	enum status status = settings_text(settings, name, text);

	if (text->n == 0)
		*text = SLICE_ABSENT;
	return status;
}

enum status settings_signals(struct settings *settings)
{
	struct store_question question = {0};
	enum status status = read_page(settings, &question);

	if (status == STATUS_OK)
		status = read_filter(settings, "source", &question.source);
	if (status == STATUS_OK)
		status = read_filter(settings, "status", &question.status);
	return status == STATUS_OK ? answer_document(settings, STORE_SIGNALS, &question) : status;
}

enum status settings_product_orgs(struct settings *settings)
{
	return answer_page(settings, STORE_PRODUCT_ORGS);
}

enum status settings_rejects(struct settings *settings)
{
	return answer_page(settings, STORE_REJECTS);
}

enum status settings_usage(struct settings *settings)
{
	struct store_question question = {0};

	return answer_document(settings, STORE_USAGE, &question);
}

enum status settings_audit(struct settings *settings)
{
	return answer_page(settings, STORE_AUDIT);
}

/*
 * store/document.c - see store/document.h.
 */
#include "store/document.h"

/* The functions of both take the same behind their first parameters. */
enum parameters { SPAN, PAGE, FILTERED_PAGE, NOTHING };

static const enum parameters parameters_of[STORE_DOCUMENTS] = {
	[STORE_STATISTICS] = SPAN,   [STORE_SIGNALS] = FILTERED_PAGE, [STORE_REJECTS] = PAGE,
	[STORE_PRODUCT_ORGS] = PAGE, [STORE_USAGE] = NOTHING,	      [STORE_AUDIT] = PAGE,
};

enum { PARAMS_MAX = 6 };

/* Fills in what stands behind the first parameters. */
static void add_parameters(enum parameters parameters, const struct store_question *question,
			   pg_param *params)
{
	if (parameters == SPAN)
		*params++ = question->span;
	if (parameters == PAGE || parameters == FILTERED_PAGE) {
		*params++ = question->before;
		*params++ = question->limit;
	}
	if (parameters == FILTERED_PAGE) {
		*params++ = question->source;
		*params++ = question->status;
	}
}

#define DOCUMENT(its_name, call, count)                                                            \
	{                                                                                          \
		.name = its_name, .sql = "SELECT sluice." call, .param_count = count,              \
		.columns = 1, .rows = 1                                                            \
	}

enum status store_settings_document(const struct store *store, enum store_document document,
				    const struct store_question *question, struct slice *json)
{
	static const struct pg_statement statements[STORE_DOCUMENTS] = {
		[STORE_STATISTICS] =
			DOCUMENT("store_settings_statistics",
				 "settings_statistics($1::text, $2::bigint, $3::text)", 3),
		[STORE_SIGNALS] = DOCUMENT("store_settings_signals",
					   "settings_signals($1::text, $2::bigint, $3::bigint, "
					   "$4::integer, $5::text, $6::text)",
					   6),
		[STORE_PRODUCT_ORGS] = DOCUMENT(
			"store_settings_product_orgs",
			"settings_product_orgs($1::text, $2::bigint, $3::bigint, $4::integer)", 4),
		[STORE_REJECTS] = DOCUMENT(
			"store_settings_rejects",
			"settings_rejects($1::text, $2::bigint, $3::bigint, $4::integer)", 4),
		[STORE_USAGE] =
			DOCUMENT("store_settings_usage", "settings_usage($1::text, $2::bigint)", 2),
		[STORE_AUDIT] = DOCUMENT(
			"store_settings_audit",
			"settings_audit($1::text, $2::bigint, $3::bigint, $4::integer)", 4),
	};
	pg_param params[PARAMS_MAX] = {store->actor, question->organization};

	add_parameters(parameters_of[document], question, params + 2);
	return store_one(store, &statements[document], params, store_read_text, json);
}

enum status store_document(const struct store *store, enum store_document document,
			   const struct store_question *question, struct slice *json)
{
	static const struct pg_statement statements[STORE_DOCUMENTS] = {
		[STORE_STATISTICS] =
			DOCUMENT("store_statistics", "statistics($1::text, $2::text)", 2),
		[STORE_SIGNALS] = DOCUMENT("store_signals",
					   "signals_latest($1::text, $2::bigint, $3::integer, "
					   "$4::text, $5::text)",
					   5),
		[STORE_PRODUCT_ORGS] =
			DOCUMENT("store_product_orgs",
				 "product_orgs_latest($1::text, $2::bigint, $3::integer)", 3),
		[STORE_AUDIT] = DOCUMENT("store_audit",
					 "audit_entries($1::text, $2::bigint, $3::integer)", 3),
	};
	pg_param params[PARAMS_MAX] = {question->organization};

	add_parameters(parameters_of[document], question, params + 1);
	return store_one(store, &statements[document], params, store_read_text, json);
}

/*
 * store/document.c - see store/document.h.
 */
#include "store/document.h"

#include "store/store_internal.h"

/* What a document's functions take behind the organization. */
enum parameters { WINDOW, PAGE, FILTER_AND_PAGE, STATES, ONE, VOLUMES };

static const enum parameters parameters_of[STORE_DOCUMENTS] = {
	[STORE_STATISTICS] = WINDOW,
	[STORE_SIGNALS] = FILTER_AND_PAGE,
	[STORE_PRODUCT_ORGS] = FILTER_AND_PAGE,
	[STORE_PRODUCT_ORG_STATES] = STATES,
	[STORE_PRODUCT_ORG] = ONE,
	[STORE_REJECTS] = FILTER_AND_PAGE,
	[STORE_REJECT_KINDS] = PAGE,
	[STORE_USAGE] = PAGE,
	[STORE_AUDIT] = PAGE,
	[STORE_KEY_VOLUMES] = VOLUMES,
};

enum { PARAMS_MAX = 8, AUDIT_FILTER = 3 };

static void add_parameters(enum store_document document, const struct store_question *question,
			   pg_param *params)
{
	enum parameters parameters = parameters_of[document];

	if (parameters == WINDOW)
		*params++ = question->window;
	if (parameters == FILTER_AND_PAGE)
		*params++ = question->filter;
	if (parameters == ONE)
		*params++ = question->product_org;
	if (parameters == VOLUMES) {
		*params++ = question->key_id;
		*params++ = question->limit;
		*params++ = question->before; /* this and the following not for the tool */
		*params++ = question->match;
		*params++ = question->endpoint_type;
		*params = question->status;
	} else if (parameters != WINDOW) {
		*params++ = question->before;
		*params++ = question->limit;
	}
	if (parameters == STATES) {
		*params++ = question->product_org;
		*params++ = question->match;
		*params++ = question->plan;
		*params++ = question->trial_status;
	}
	if (parameters == FILTER_AND_PAGE)
		*params++ = question->whole ? SLICE("true") : SLICE("false");
}

enum status store_settings_document(const struct store *store, enum store_document document,
				    const struct store_question *question, struct slice *json)
{
	static const struct pg_statement statements[STORE_DOCUMENTS] = {
		[STORE_STATISTICS] =
			STORE_CALL("store_settings_statistics",
				   "sluice.settings_statistics($1::text, $2::bigint, $3::text)", 3),
		[STORE_SIGNALS] =
			STORE_CALL("store_settings_signals",
				   "sluice.settings_signals($1::text, $2::bigint, $3::jsonb, "
				   "$4::text, $5::integer, $6::boolean)",
				   6),
		[STORE_PRODUCT_ORGS] =
			STORE_CALL("store_settings_product_orgs",
				   "sluice.settings_product_orgs($1::text, $2::bigint, $3::jsonb, "
				   "$4::bigint, $5::integer, $6::boolean)",
				   6),
		[STORE_PRODUCT_ORG_STATES] =
			STORE_CALL("store_settings_product_org_states",
				   "sluice.settings_product_org_states($1::text, $2::bigint, "
				   "$3::text, $4::integer, $5::text, $6::text, $7::text, $8::text)",
				   8),
		[STORE_REJECTS] =
			STORE_CALL("store_settings_rejects",
				   "sluice.settings_rejects($1::text, $2::bigint, $3::jsonb, "
				   "$4::bigint, $5::integer, $6::boolean)",
				   6),
		[STORE_REJECT_KINDS] =
			STORE_CALL("store_settings_reject_kinds",
				   "sluice.settings_reject_kinds($1::text, $2::bigint, $3::text, "
				   "$4::integer)",
				   4),
		[STORE_USAGE] = STORE_CALL("store_settings_usage",
					   "sluice.settings_usage($1::text, $2::bigint, "
					   "($3::text || '-01')::date, $4::integer)",
					   4),
		[STORE_AUDIT] = STORE_CALL(
			"store_settings_audit",
			"sluice.settings_audit($1::text, $2::bigint, $3::bigint, $4::integer)", 4),
		[STORE_KEY_VOLUMES] = STORE_CALL("store_settings_key_volumes",
						 "sluice.settings_key_volumes($1::text, "
						 "$2::bigint, $3::bigint, $4::integer, "
						 "$5::bigint, $6::text, $7::text, $8::text)",
						 8),
	};
	pg_param params[PARAMS_MAX] = {store->actor, question->organization};

	add_parameters(document, question, params + 2);
	return store_ask_text(store, &statements[document], params, json);
}

enum status store_document(const struct store *store, enum store_document document,
			   const struct store_question *question, struct slice *json)
{
	static const struct pg_statement statements[STORE_DOCUMENTS] = {
		[STORE_STATISTICS] =
			STORE_CALL("store_statistics", "sluice.statistics($1::text, $2::text)", 2),
		[STORE_SIGNALS] = STORE_CALL("store_signals",
					     "sluice.signals_search($1::text, $2::jsonb, $3::text, "
					     "$4::integer, $5::boolean)",
					     5),
		[STORE_PRODUCT_ORGS] = STORE_CALL("store_product_orgs",
						  "sluice.product_orgs_latest($1::text, "
						  "$2::jsonb, $3::bigint, $4::integer, "
						  "$5::boolean)",
						  5),
		[STORE_PRODUCT_ORG_STATES] =
			STORE_CALL("store_product_org_states",
				   "sluice.product_org_states($1::text, $2::text, $3::integer, "
				   "$4::text, $5::text, $6::text, $7::text)",
				   7),
		[STORE_PRODUCT_ORG] =
			STORE_CALL("store_product_org",
				   "sluice.product_org_show($1::text, $2::text, $3::bigint, "
				   "$4::integer)",
				   4),
		[STORE_REJECTS] = STORE_CALL("store_rejects",
					     "sluice.rejects_search($1::text, $2::jsonb, "
					     "$3::bigint, $4::integer, $5::boolean)",
					     5),
		[STORE_REJECT_KINDS] =
			STORE_CALL("store_reject_kinds",
				   "sluice.reject_kinds($1::text, $2::text, $3::integer)", 3),
		[STORE_AUDIT] =
			STORE_CALL("store_audit",
				   "sluice.audit_entries($1::text, $2::bigint, $3::integer, "
				   "$4::text, $5::timestamptz, $6::timestamptz)",
				   6),
		[STORE_KEY_VOLUMES] =
			STORE_CALL("store_key_volumes",
				   "sluice.key_volumes($1::text, $2::bigint, $3::integer)", 3),
	};
	pg_param params[PARAMS_MAX] = {question->organization};

	add_parameters(document, question, params + 1);
	if (document == STORE_AUDIT) {
		params[AUDIT_FILTER] = question->match;
		params[AUDIT_FILTER + 1] = question->since;
		params[AUDIT_FILTER + 2] = question->until;
	}
	return store_ask_text(store, &statements[document], params, json);
}

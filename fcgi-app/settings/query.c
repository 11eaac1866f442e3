/*
 * settings/query.c - which parameters a request's query may have, and what is wrong with it: all
 * that is, at once. See settings/settings_internal.h.
 */
#include "http/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/timestamp.h"
#include "settings/settings_internal.h"
#include "store/export.h"
#include "store/rejected.h"
#include "store/search.h"

enum { FAULTS_MAX = 20, DETAIL_BYTES_MAX = 256 };

#define BIT(route) (UINT64_C(1) << (route))
#define SEARCH	   BIT(ROUTE_LATEST_SIGNALS)
#define REJECTS	   BIT(ROUTE_REJECTS)
#define UPDATES	   BIT(ROUTE_LATEST_PRODUCT_ORGS)
#define FOUND	   (SEARCH | REJECTS | UPDATES)
#define STATES	   BIT(ROUTE_PRODUCT_ORG_STATES)
#define KEYS	   (BIT(ROUTE_KEYS) | BIT(ROUTE_KEY_VOLUMES))
#define PAGES                                                                                      \
	(UPDATES | REJECTS | BIT(ROUTE_AUDIT) | KEYS | BIT(ROUTE_KEY_HISTORY) | BIT(ROUTE_TOKENS))
#define MEMBERS BIT(ROUTE_MEMBERS)
#define KINDS	BIT(ROUTE_REJECT_KINDS)
_Static_assert(ROUTE_SETTING_COUNT <= 64, "a bit for each route");

enum kind { NUMBER, ID_OR_NONE, TEXT, ONE_OF, ONE_OF_OR_NONE, TIMESTAMP_OR_NONE, POSITION, MONTH };

static const struct parameter {
	const char *name;
	uint64_t routes;
	enum kind kind;
	int64_t least, most; /* of a number */
	const char *values;  /* of ONE_OF, with a blank behind each */
} parameters[] = {
	{"organization", UINT64_MAX, NUMBER, 0, INT64_MAX, NULL},
	{"limit", PAGES | SEARCH | STATES | MEMBERS | KINDS | BIT(ROUTE_USAGE), NUMBER, 1,
	 SETTINGS_LIMIT_MAX, NULL},
	{"before", PAGES, NUMBER, 0, INT64_MAX, NULL},
	{"before", SEARCH, POSITION, 0, 0, NULL},
	{"before", BIT(ROUTE_USAGE), MONTH, 0, 0, NULL},
	{"window", BIT(ROUTE_STATISTICS), ONE_OF, 0, 0, "24h 7d 30d "},
	{"identity", FOUND, TEXT, 0, 0, NULL},
	{"email", SEARCH, TEXT, 0, 0, NULL},
	{"user_id", SEARCH, TEXT, 0, 0, NULL},
	{"anonymous_id", SEARCH, TEXT, 0, 0, NULL},
	{"message_id", SEARCH, TEXT, 0, 0, NULL},
	{"request_id", FOUND, TEXT, 0, 0, NULL},
	{"source", SEARCH | REJECTS, TEXT, 0, 0, NULL},
	{"event", SEARCH, TEXT, 0, 0, NULL},
	{"state", REJECTS, ONE_OF_OR_NONE, 0, 0, store_rejected_states},
	{"code", REJECTS, ONE_OF_OR_NONE, 0, 0, store_rejected_codes},
	{"key", FOUND | BIT(ROUTE_KEY_VOLUMES), ID_OR_NONE, 0, INT64_MAX, NULL},
	{"status", SEARCH, ONE_OF_OR_NONE, 0, 0, store_search_statuses},
	{"status", UPDATES, ONE_OF_OR_NONE, 0, 0, store_search_update_statuses},
	{"from", FOUND, TIMESTAMP_OR_NONE, 0, 0, NULL},
	{"until", FOUND, TIMESTAMP_OR_NONE, 0, 0, NULL},
	{"text", FOUND, TEXT, 0, 0, NULL},
	{"since", SEARCH, TEXT, 0, 0, NULL},
	{"before", STATES | MEMBERS | KINDS, TEXT, 0, 0, NULL},
	{"product_org_id", STATES | UPDATES, TEXT, 0, 0, NULL},
	{"match", STATES | MEMBERS | KEYS, TEXT, 0, 0, NULL},
	{"endpoint_type", KEYS, ONE_OF_OR_NONE, 0, 0, "signal_staging product_orgs "},
	{"status", KEYS, ONE_OF_OR_NONE, 0, 0, "active expired deactivated "},
	{"plan", STATES | UPDATES, TEXT, 0, 0, NULL},
	{"trial_status", STATES | UPDATES, TEXT, 0, 0, NULL},
	{"format", FOUND | STATES, ONE_OF, 0, 0, store_formats},
};

struct faults {
	struct settings *settings;
	struct json_tree tree;
	struct json_object *list;
	size_t count;
};

static void add_fault(struct faults *faults, enum settings_fault code, struct slice place,
		      const char *detail)
{
	if (faults->count++ >= FAULTS_MAX)
		return;
	if (faults->list == NULL)
		faults->list = json_tree_array(&faults->tree, NULL, NULL);
	struct json_object *fault = json_tree_object(&faults->tree, faults->list, NULL);
	json_tree_text(&faults->tree, fault, "place", place);
	json_tree_text(&faults->tree, fault, "code", slice_of(settings_fault_code(code)));
	json_tree_text(&faults->tree, fault, "detail", slice_of(detail));
}

/* ---- values ---- */

static void check_number(struct faults *faults, const struct parameter *parameter,
			 struct slice text)
{
	char detail[DETAIL_BYTES_MAX] = "is not an id";
	enum settings_fault code = SETTINGS_FAULT_wrong_type;
	int64_t value;

	if (slice_to_int(text, &value) && value >= parameter->least && value <= parameter->most)
		return;
	if (parameter->most < INT64_MAX) {
		code = SETTINGS_FAULT_out_of_range;
		(void)snprintf(detail, sizeof(detail),
			       "is not a whole number from %" PRId64 " to %" PRId64,
			       parameter->least, parameter->most);
	}
	add_fault(faults, code, slice_of(parameter->name), detail);
}

static void check_one_of(struct faults *faults, const struct parameter *parameter,
			 struct slice text)
{
	char detail[DETAIL_BYTES_MAX];
	const char *values = parameter->values;

	if (slice_is_one_of(text, values))
		return;
	(void)snprintf(detail, sizeof(detail), "is none of: %.*s", (int)strlen(values) - 1, values);
	add_fault(faults, SETTINGS_FAULT_not_a_choice, slice_of(parameter->name), detail);
}

static void check_timestamp(struct faults *faults, const struct parameter *parameter,
			    struct slice text)
{
	bool only_date;
	int64_t us;

	if (!timestamp_is_exact(text.p, &only_date) || !timestamp_read(text, &us))
		add_fault(faults, SETTINGS_FAULT_wrong_type, slice_of(parameter->name),
			  "is not a timestamp: write 2031-05-01T12:00:00Z, or 2031-05-01");
}

/* "1795856890393947-1041", as the database writes it. */
static bool is_position(struct slice text)
{
	size_t digits[2] = {0}, part = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '-' && part == 0)
			part = 1;
		else if (ascii_is_digit(text.p[i]))
			digits[part]++;
		else
			return false;
	}
	return digits[0] > 0 && digits[0] <= 16 && digits[1] > 0 && digits[1] <= 18;
}

/* "2031-05", of a year that PostgreSQL has. */
static bool is_month(struct slice text)
{
	int64_t year, month;

	return text.n == 7 && text.p[4] == '-' && slice_to_int((struct slice){text.p, 4}, &year) &&
	       slice_to_int((struct slice){text.p + 5, 2}, &month) && year > 0 && month >= 1 &&
	       month <= 12;
}

static void check_text(struct faults *faults, const struct parameter *parameter, struct slice text)
{
	switch (parameter->kind) {
	case ID_OR_NONE:
		if (text.n > 0)
			check_number(faults, parameter, text);
		break;
	case NUMBER:
		check_number(faults, parameter, text);
		break;
	case ONE_OF_OR_NONE:
		if (text.n > 0)
			check_one_of(faults, parameter, text);
		break;
	case ONE_OF:
		check_one_of(faults, parameter, text);
		break;
	case TIMESTAMP_OR_NONE:
		if (text.n > 0)
			check_timestamp(faults, parameter, text);
		break;
	case POSITION:
		if (!is_position(text))
			add_fault(faults, SETTINGS_FAULT_wrong_type, slice_of(parameter->name),
				  "is not the \"next\" of an answer");
		break;
	case MONTH:
		if (!is_month(text))
			add_fault(faults, SETTINGS_FAULT_wrong_type, slice_of(parameter->name),
				  "is not a month: write 2031-05");
		break;
	case TEXT:
		break;
	}
}

/* STATUS_OK or STATUS_NO_MEMORY. */
static enum status check_value(struct faults *faults, const struct parameter *parameter)
{
	struct settings *settings = faults->settings;
	struct slice text;
	enum status status = http_query(&settings->http, &settings->arena, parameter->name, &text);

	if (status == STATUS_NO_MEMORY)
		return status;
	if (status != STATUS_OK)
		add_fault(faults, SETTINGS_FAULT_repeated, slice_of(parameter->name),
			  "is not valid text, or is given twice");
	else if (text.p != NULL)
		check_text(faults, parameter, text);
	return STATUS_OK;
}

/* ---- names ---- */

static bool is_taken(const struct route *route, const struct parameter *parameter)
{
	return (parameter->routes >> route->setting & 1) != 0;
}

static void check_names(struct faults *faults)
{
	const struct settings *settings = faults->settings;
	struct slice rest = http_query_text(&settings->http), name;

	while (http_query_next(&rest, &name)) {
		size_t i = 0;
		while (i < ARRAY_LENGTH(parameters) &&
		       !(is_taken(settings->match.route, &parameters[i]) &&
			 slice_equal(name, slice_of(parameters[i].name))))
			i++;
		if (i == ARRAY_LENGTH(parameters))
			add_fault(faults, SETTINGS_FAULT_unknown, name, "is not known here");
	}
}

enum status settings_check_query(struct settings *settings)
{
	struct faults faults = {.settings = settings};
	enum status status = STATUS_OK;

	check_names(&faults);
	for (size_t i = 0; i < ARRAY_LENGTH(parameters) && status == STATUS_OK; i++) {
		if (is_taken(settings->match.route, &parameters[i]))
			status = check_value(&faults, &parameters[i]);
	}
	if (status == STATUS_OK && faults.count > 0)
		status = settings_problem_list(settings, STATUS_INVALID_REQUEST, &faults.tree);
	else if (status != STATUS_OK)
		status = settings_problem(settings, status, NULL);
	json_tree_free(&faults.tree);
	return status;
}

/*
 * settings/query.c - which parameters a request's query may have, and what is wrong with it: all
 * that is, at once. See settings/settings_internal.h.
 */
#include "http/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "settings/settings_internal.h"

enum { FAULTS_MAX = 20, DETAIL_BYTES_MAX = 256 };

#define BIT(route) (UINT32_C(1) << (route))
#define PAGES                                                                                      \
	(BIT(ROUTE_LATEST_SIGNALS) | BIT(ROUTE_LATEST_PRODUCT_ORGS) | BIT(ROUTE_REJECTS) |         \
	 BIT(ROUTE_AUDIT))
_Static_assert(ROUTE_SETTING_COUNT <= 32, "a bit for each route");

static const struct parameter {
	const char *name;
	uint32_t routes;
	int64_t most;	    /* of a number; 0: a text */
	int64_t least;	    /* of a number */
	const char *values; /* of a text, with a blank behind each; NULL: any */
} parameters[] = {
	{"organization", UINT32_MAX, INT64_MAX, 0, NULL},
	{"limit", PAGES, SETTINGS_LIMIT_MAX, 1, NULL},
	{"before", PAGES, INT64_MAX, 0, NULL},
	{"window", BIT(ROUTE_STATISTICS), 0, 0, "24h 7d 30d "},
	{"source", BIT(ROUTE_LATEST_SIGNALS), 0, 0, NULL},
	{"status", BIT(ROUTE_LATEST_SIGNALS), 0, 0,
	 " pending processing completed failed skipped permanently_failed cold_storage "},
};

struct faults {
	struct settings *settings;
	struct json_tree tree;
	struct json_object *list;
	size_t count;
};

static void add_fault(struct faults *faults, struct slice place, const char *detail)
{
	if (faults->count++ >= FAULTS_MAX)
		return;
	if (faults->list == NULL)
		faults->list = json_tree_array(&faults->tree, NULL, NULL);
	struct json_object *fault = json_tree_object(&faults->tree, faults->list, NULL);
	json_tree_text(&faults->tree, fault, "place", place);
	json_tree_text(&faults->tree, fault, "detail", slice_of(detail));
}

/* ---- values ---- */

static bool is_one_of(struct slice text, const char *values)
{
	while (*values != '\0') {
		size_t n = strcspn(values, " ");
		if (slice_equal(text, (struct slice){values, n}))
			return true;
		values += n + 1;
	}
	return false;
}

static void check_number(struct faults *faults, const struct parameter *parameter,
			 struct slice text)
{
	char detail[DETAIL_BYTES_MAX] = "is not an id";
	int64_t value;

	if (slice_to_int(text, &value) && value >= parameter->least && value <= parameter->most)
		return;
	if (parameter->most < INT64_MAX)
		(void)snprintf(detail, sizeof(detail),
			       "is not a whole number from %" PRId64 " to %" PRId64,
			       parameter->least, parameter->most);
	add_fault(faults, slice_of(parameter->name), detail);
}

static void check_text(struct faults *faults, const struct parameter *parameter, struct slice text)
{
	char detail[DETAIL_BYTES_MAX];
	const char *values = parameter->values;

	if (values == NULL || is_one_of(text, values))
		return;
	values += *values == ' ';
	(void)snprintf(detail, sizeof(detail), "is none of: %.*s", (int)strlen(values) - 1, values);
	add_fault(faults, slice_of(parameter->name), detail);
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
		add_fault(faults, slice_of(parameter->name),
			  "is not valid text, or is given twice");
	else if (text.p != NULL && parameter->most > 0)
		check_number(faults, parameter, text);
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
			add_fault(faults, name, "is not known here");
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

/*
 * settings/answer.c - responses: JSON documents and problems. See settings/settings_internal.h.
 */
#include <string.h>

#include "base/ascii.h"
#include "http/problem.h"
#include "settings/settings_internal.h"

enum { ERRORS_BYTES_MAX = 16 << 10, DETAIL_BYTES_MAX = 4096 };

/* ---- documents ---- */

/* The body has been appended to. A part of a document is not JSON: without memory it is dropped. */
static enum status finish(struct settings *settings, enum status status)
{
	struct buf *body = &settings->response.body;

	buf_add_char(body, '\n');
	if (body->status != STATUS_OK)
		return settings_without_memory(settings);
	settings->status = status;
	settings->response.status = problem_of(status)->http;
	settings->response.content_type = "application/json";
	return status;
}

enum status settings_answer(struct settings *settings, enum status status, struct json_tree *tree)
{
	json_tree_write(tree, &settings->response.body);
	json_tree_free(tree);
	return finish(settings, status);
}

enum status settings_answer_json(struct settings *settings, enum status status, struct slice json)
{
	buf_add_slice(&settings->response.body, json);
	return finish(settings, status);
}

enum status settings_answer_part(struct settings *settings, const char *name,
				 struct store_list *list, int64_t limit)
{
	struct json_tree tree = {0};
	struct json_object *object = json_tree_object(&tree, NULL, NULL);
	const bool more = list->count > (size_t)limit;

	if (more)
		list->count = (size_t)limit;
	store_list_json(list, &tree, json_tree_array(&tree, object, name));
	if (more) {
		const char *items = list->items;
		int64_t id;
		memcpy(&id, items + (list->count - 1) * list->entity->item_bytes, sizeof(id));
		json_tree_int(&tree, object, "next", id);
	} else {
		json_tree_text(&tree, object, "next", SLICE_ABSENT);
	}
	return settings_answer(settings, STATUS_OK, &tree);
}

/* ---- problems ---- */

const char *settings_detail(enum status status)
{
	static const char *const details[STATUS_COUNT] = {
		[STATUS_TOO_LARGE] = "Shorten the payload template, or the payload.",
		[STATUS_EMPTY_BODY] = "Send a JSON object.",
		[STATUS_REQUEST_TIMEOUT] = "Check the connection and try again.",
		[STATUS_LIMIT_REACHED] =
			"The organization has used up its signals of the month. What is not replayed stays open: have the limit raised or overages allowed, and replay it then.",
		[STATUS_OUTCOME_UNKNOWN] =
			"The commit was not confirmed. Reload the page to see whether the change was made.",
		[STATUS_MISCONFIGURED] =
			"Nothing was changed. An operator of Sluice has to fix the service first.",
	};

	if (details[status] == NULL && problem_of(status)->http == 503)
		return "Nothing was changed. Try again later.";
	return details[status];
}

/* errors: JSON, or absent. */
static enum status make_problem(struct settings *settings, enum status status, const char *detail,
				struct slice errors)
{
	settings->status = status;
	if (status == STATUS_METHOD_NOT_ALLOWED)
		settings->response.allow = settings->match.allow;
	http_problem_with(&settings->response, &settings->http, status,
			  detail == NULL ? settings_detail(status) : detail, errors);
	return status;
}

enum status settings_problem(struct settings *settings, enum status status, const char *detail)
{
	return make_problem(settings, status, detail, SLICE_ABSENT);
}

enum status settings_without_memory(struct settings *settings)
{
	bool may_have_changed = slice_equal(settings->http.method, SLICE("POST"));

	return settings_problem(settings,
				may_have_changed ? STATUS_OUTCOME_UNKNOWN : STATUS_NO_MEMORY, NULL);
}

enum status settings_problem_list(struct settings *settings, enum status status,
				  struct json_tree *errors)
{
	struct buf text = buf_make(ERRORS_BYTES_MAX);

	json_tree_write(errors, &text);
	(void)make_problem(settings, status, NULL,
			   text.status == STATUS_OK ? buf_slice(&text) : SLICE_ABSENT);
	buf_free(&text);
	return status;
}

const char *settings_fault_code(enum settings_fault fault)
{
#define CODE(word) [SETTINGS_FAULT_##word] = #word,
	static const char *const codes[SETTINGS_FAULT_COUNT] = {SETTINGS_FAULTS(CODE)};
#undef CODE

	return codes[fault];
}

enum status settings_fault(struct settings *settings, enum status status, enum settings_fault fault,
			   const char *place, struct slice detail)
{
	struct json_tree *errors = &settings->errors;

	if (errors->root == NULL)
		(void)json_tree_array(errors, NULL, NULL);
	struct json_object *error = json_tree_object(errors, errors->root, NULL);

	json_tree_text(errors, error, "place", slice_of(place));
	json_tree_text(errors, error, "code", slice_of(settings_fault_code(fault)));
	json_tree_text(errors, error, "detail", detail);
	return settings_problem_list(settings, status, errors);
}

enum status settings_problem_at(struct settings *settings, enum status status, const char *place,
				struct slice detail)
{
	return settings_fault(settings, status, SETTINGS_FAULT_invalid_value, place, detail);
}

enum status settings_invalid(struct settings *settings, const char *place, struct slice detail)
{
	return settings_problem_at(settings, STATUS_INVALID_REQUEST, place, detail);
}

static enum status membership_problem(struct settings *settings)
{
	struct buf text = buf_make(DETAIL_BYTES_MAX);

	if (settings->by_token)
		return settings_problem(settings, STATUS_NOT_A_MEMBER,
					"The token is for another organization.");
	buf_add_char(&text, '"');
	buf_add_slice(&text, settings->store.actor);
	buf_add_text(&text, settings->organization.p == NULL
				    ? "\" is not a member of any organization."
				    : "\" is not a member of this organization.");
	buf_add_text(
		&text,
		" Ask the operator of Sluice to run: sluicectl member add --organization NAME --user USER --role viewer");
	buf_add_char(&text, '\0');
	(void)settings_problem(settings, STATUS_NOT_A_MEMBER,
			       text.status == STATUS_OK ? text.p : NULL);
	buf_free(&text);
	return STATUS_NOT_A_MEMBER;
}

/* What the database says of a key, as a sentence. */
static enum status state_problem(struct settings *settings)
{
	struct buf text = buf_make(DETAIL_BYTES_MAX);

	buf_add_text(&text, pg_message(settings->db));
	if (text.n > 0)
		text.p[0] = ascii_upper(text.p[0]);
	buf_add_text(&text, ".");
	buf_add_char(&text, '\0');
	(void)settings_problem(settings, STATUS_WRONG_STATE,
			       text.status == STATUS_OK ? text.p : NULL);
	buf_free(&text);
	return STATUS_WRONG_STATE;
}

enum status settings_problem_store(struct settings *settings, enum status status)
{
	const char *column = pg_column(settings->db);

	if (status == STATUS_NOT_A_MEMBER)
		return membership_problem(settings);
	if (status == STATUS_ROLE_TOO_LOW)
		return settings_problem(settings, status,
					"This requires the role editor, admin or owner.");
	if (status == STATUS_WRONG_STATE)
		return state_problem(settings);
	if (status == STATUS_NAME_TAKEN)
		return settings_fault(settings, status, SETTINGS_FAULT_name_taken, column,
				      slice_of(pg_message(settings->db)));
	if (status == STATUS_ORGANIZATION_MISSING || status == STATUS_LIMIT_REACHED)
		return settings_problem(settings, status, NULL);
	/* Our own functions name the parameter that they refuse, in words fit for users. */
	if (status == STATUS_INVALID_VALUE && *column != '\0')
		return settings_invalid(settings, column, slice_of(pg_message(settings->db)));
	if (status == STATUS_INVALID_VALUE)
		return settings_problem(settings, STATUS_INVALID_REQUEST, NULL);
	/* A GET stores nothing, so its outcome does not matter. */
	if (status == STATUS_OUTCOME_UNKNOWN && slice_equal(settings->http.method, SLICE("GET")))
		status = STATUS_UNAVAILABLE;
	return settings_problem(settings, problem_of(status)->http < 500 ? STATUS_INTERNAL : status,
				NULL);
}

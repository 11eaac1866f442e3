/*
 * settings/body.c - the members of a request's body. See settings/settings_internal.h.
 */
#include <stdio.h>

#include "intake/intake.h"
#include "json/text.h"
#include "json/walk.h"
#include "settings/settings_internal.h"

enum { TEXTS_BYTES_MAX = 4 << 20 };
enum { PAYLOAD_LEVEL = 2 }; /* a payload is a member of the body, and may be in an array */

static enum status check(struct settings *settings, struct slice body)
{
	struct json_limits limits = intake_json_limits(settings->config, INTAKE_SINGLE);
	uint64_t offset = 0;
	const char *reason = "";
	char detail[256];

	limits.depth += PAYLOAD_LEVEL;
	enum status status = json_text_check(body, &limits, &offset, &reason, NULL);
	if (status == STATUS_OK)
		return *slice_trim(body).p == '{'
			       ? STATUS_OK
			       : settings_problem(settings, STATUS_INVALID_REQUEST,
						  "The body is not a JSON object.");
	if (status == STATUS_NO_MEMORY || status == STATUS_EMPTY_BODY || *reason == '\0')
		return settings_problem(settings, status, NULL);
	(void)snprintf(detail, sizeof(detail), JSON_REASON_FORMAT, reason, offset);
	return settings_problem(settings, status, detail);
}

static enum settings_fault fault_of(enum json_member_fault_kind kind)
{
	switch (kind) {
	case JSON_MEMBER_UNKNOWN:
		return SETTINGS_FAULT_unknown;
	case JSON_MEMBER_REPEATED:
		return SETTINGS_FAULT_repeated;
	case JSON_MEMBER_MISSING:
		return SETTINGS_FAULT_missing;
	case JSON_MEMBER_WRONG_TYPE:
		break;
	}
	return SETTINGS_FAULT_wrong_type;
}

enum status settings_body(struct settings *settings, struct json_member *members, size_t count)
{
	struct slice body = buf_slice(&settings->body);
	struct json_member_faults faults;

	/* A route without members accepts an empty body. */
	if (slice_trim(body).n == 0 && count == 0)
		return STATUS_OK;
	enum status status = check(settings, body);
	if (status != STATUS_OK)
		return status;
	status = json_members_read(&settings->arena, body, members, count, &faults);
	if (status == STATUS_INVALID_VALUE) {
		for (size_t i = 0; i < faults.count; i++)
			status = settings_fault(settings, STATUS_INVALID_REQUEST,
						fault_of(faults.list[i].kind), faults.list[i].name,
						slice_of(faults.list[i].detail));
		return status;
	}
	return status == STATUS_OK ? status : settings_problem(settings, status, NULL);
}

/* STATUS_OK, STATUS_INVALID_VALUE if an element is not a string, or STATUS_NO_MEMORY. */
static enum status add_texts(struct settings *settings, struct slice given, struct json_tree *tree)
{
	struct json_object *array = json_tree_array(tree, NULL, NULL);
	enum status status = *given.p == '[' ? STATUS_OK : STATUS_INVALID_VALUE;
	struct json_walk walk;
	struct slice meant;

	json_walk_open(&walk, given);
	while (status == STATUS_OK && json_walk_next(&walk)) {
		status = *walk.value.p == '"'
				 ? json_text_string(&settings->arena, walk.value, &meant)
				 : STATUS_INVALID_VALUE;
		if (status == STATUS_OK)
			json_tree_text(tree, array, NULL, meant);
	}
	if (status == STATUS_OK)
		status = json_walk_finish(&walk);
	json_walk_close(&walk);
	return status;
}

enum status settings_texts(struct settings *settings, const struct json_member *member,
			   struct slice *texts)
{
	struct buf written = buf_make(TEXTS_BYTES_MAX);
	struct json_tree tree = {0};

	*texts = SLICE_ABSENT;
	if (!member->given || slice_equal(member->text, SLICE("null")))
		return STATUS_OK;
	enum status status = add_texts(settings, member->text, &tree);
	if (status == STATUS_OK)
		json_tree_write(&tree, &written);
	json_tree_free(&tree);
	if (status == STATUS_INVALID_VALUE)
		return settings_fault(settings, STATUS_INVALID_REQUEST, SETTINGS_FAULT_wrong_type,
				      member->name, SLICE("is not an array of strings"));
	*texts = arena_move(&settings->arena, &written);
	return texts->p == NULL ? settings_problem(settings, STATUS_NO_MEMORY, NULL) : STATUS_OK;
}

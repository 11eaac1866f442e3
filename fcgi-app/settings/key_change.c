/*
 * settings/key_change.c - changes of a key: editing, rotation, its secret; what was changed, and
 * why requests were refused. See settings/settings_internal.h.
 */
#include "store/key_change.h"

#include <inttypes.h>
#include <stdio.h>

#include "key/new_key.h"
#include "settings/settings_internal.h"

enum { OVERLAP_S = 24 * 3600, OVERLAP_S_MAX = 90 * 24 * 3600 };

static enum status read_ref(struct settings *settings, struct store_key_ref *ref)
{
	*ref = (struct store_key_ref){.of_user = true, .organization = settings->organization};
	return settings_id(settings, &ref->id);
}

/* ---- edit ---- */

/* null is "[]": everywhere. An empty array says nothing of that kind, and is a mistake. */
static enum status read_networks(struct settings *settings, const struct json_member *field,
				 struct slice *networks)
{
	enum status status = settings_texts(settings, field, networks);

	if (status != STATUS_OK || !field->given)
		return status;
	if (slice_equal(*networks, SLICE("[]")))
		return settings_invalid(settings, field->name,
					SLICE("is empty: null means everywhere"));
	if (networks->p == NULL)
		*networks = SLICE("[]");
	return STATUS_OK;
}

enum status settings_key_edit(struct settings *settings)
{
	enum { NAME, EXPIRES_AT, PAYLOAD_TEMPLATE, NETWORKS, FIELDS };
	struct json_member fields[FIELDS] = {
		[NAME] = {.name = "name", .type = JSON_MEMBER_TEXT},
		[EXPIRES_AT] = {.name = "expires_at", .type = JSON_MEMBER_JSON},
		[PAYLOAD_TEMPLATE] = {.name = "payload_template", .type = JSON_MEMBER_JSON},
		[NETWORKS] = {.name = "networks", .type = JSON_MEMBER_JSON},
	};
	struct store_key_ref ref;
	struct store_key_edit edit = {0};
	struct store_key key = {0};
	enum status status = read_ref(settings, &ref);

	if (status == STATUS_OK)
		status = settings_body(settings, fields, FIELDS);
	status = settings_both(
		status, settings_read_expires_at(settings, &fields[EXPIRES_AT], &edit.expires_at));
	status = settings_both(status, settings_read_template(settings, &fields[PAYLOAD_TEMPLATE],
							      &edit.payload_template));
	status = settings_both(status, read_networks(settings, &fields[NETWORKS], &edit.networks));
	if (status != STATUS_OK)
		return status;
	edit.name = fields[NAME].text;
	status = store_key_edit(&settings->store, &ref, &edit, &key);
	return settings_answer_key(settings, status, &key);
}

/* ---- rotation ---- */

/* As an interval. */
static enum status read_overlap(struct settings *settings, const struct json_member *field,
				char text[SLICE_INT_CHARS + 2], struct slice *overlap)
{
	int64_t seconds = field->given ? field->number : OVERLAP_S;

	if (seconds < 0 || seconds > OVERLAP_S_MAX)
		return settings_fault(settings, STATUS_INVALID_REQUEST, SETTINGS_FAULT_out_of_range,
				      field->name, SLICE("is not from 0 to 7776000, 90 days"));
	int n = snprintf(text, SLICE_INT_CHARS + 2, "%" PRId64 "s", seconds);
	*overlap = (struct slice){text, (size_t)n};
	return STATUS_OK;
}

static enum status rotate(struct settings *settings, const struct store_key_ref *ref,
			  struct store_key_rotation *rotation, struct new_key *made)
{
	struct store_key key = {0};

	rotation->key_hash = made->key_hash;
	rotation->secret_hash = made->secret_hash;
	rotation->display = slice_of(made->display);
	enum status status = store_key_rotate(&settings->store, ref, rotation, &key);
	made->has_secret = key.has_secret;
	return status == STATUS_OK ? settings_answer_created(settings, &key, made)
				   : settings_answer_key(settings, status, &key);
}

enum status settings_key_rotate(struct settings *settings)
{
	enum { OVERLAP, EXPIRES_AT, FIELDS };
	struct json_member fields[FIELDS] = {
		[OVERLAP] = {.name = "overlap_seconds", .type = JSON_MEMBER_INT},
		[EXPIRES_AT] = {.name = "expires_at", .type = JSON_MEMBER_JSON},
	};
	char overlap[SLICE_INT_CHARS + 2];
	struct store_key_ref ref;
	struct store_key_rotation rotation = {0};
	struct new_key made = {0};
	enum status status = read_ref(settings, &ref);

	if (status == STATUS_OK)
		status = settings_body(settings, fields, FIELDS);
	status = settings_both(
		status, read_overlap(settings, &fields[OVERLAP], overlap, &rotation.overlap));
	status = settings_both(status, settings_read_expires_at(settings, &fields[EXPIRES_AT],
								&rotation.expires_at));
	if (status == STATUS_OK)
		status = settings_make_key(settings, &made, true);
	if (status == STATUS_OK)
		status = rotate(settings, &ref, &rotation, &made);
	new_key_forget(&made);
	return status;
}

/* ---- the secret ---- */

static enum status answer_secret(struct settings *settings, const struct store_key *key,
				 const struct new_key *made)
{
	struct json_tree tree = {0};
	struct json_object *object = json_tree_object(&tree, NULL, NULL);

	store_item_json(&store_key_entity, key, &tree, object);
	json_tree_text(&tree, object, "secret", slice_of(made->has_secret ? made->secret : NULL));
	return settings_answer(settings, STATUS_OK, &tree);
}

static bool wants_secret(struct slice action)
{
	return slice_equal(action, SLICE("enable")) || slice_equal(action, SLICE("rotate"));
}

enum status settings_key_secret(struct settings *settings)
{
	enum { ACTION, OVERLAP, FIELDS };
	struct json_member fields[FIELDS] = {
		[ACTION] = {.name = "action", .type = JSON_MEMBER_TEXT, .required = true},
		[OVERLAP] = {.name = "overlap_seconds", .type = JSON_MEMBER_INT},
	};
	char overlap[SLICE_INT_CHARS + 2];
	struct store_key_ref ref;
	struct store_secret_change change = {0};
	struct new_key made = {0};
	struct store_key key = {0};
	enum status status = read_ref(settings, &ref);

	if (status == STATUS_OK)
		status = settings_body(settings, fields, FIELDS);
	if (status == STATUS_OK)
		status = read_overlap(settings, &fields[OVERLAP], overlap, &change.overlap);
	if (status == STATUS_OK && wants_secret(fields[ACTION].text))
		status = settings_make_secret(settings, &made);
	if (status == STATUS_OK) {
		change.action = fields[ACTION].text;
		change.secret_hash = made.has_secret ? &made.secret_hash : NULL;
		status = store_key_secret(&settings->store, &ref, &change, &key);
		status = status == STATUS_OK ? answer_secret(settings, &key, &made)
					     : settings_answer_key(settings, status, &key);
	}
	new_key_forget(&made);
	return status;
}

/* ---- documents ---- */

typedef enum status document_call(const struct store *store, const struct store_key_ref *ref,
				  struct slice *json);

static enum status answer_json(struct settings *settings, enum status status, struct slice json)
{
	return status == STATUS_OK ? settings_answer_json(settings, STATUS_OK, json)
				   : settings_answer_key(settings, status, NULL);
}

static enum status answer_document(struct settings *settings, document_call *call)
{
	struct store_key_ref ref;
	struct slice json;
	enum status status = read_ref(settings, &ref);

	if (status != STATUS_OK)
		return status;
	status = call(&settings->store, &ref, &json);
	return answer_json(settings, status, json);
}

enum status settings_key_history(struct settings *settings)
{
	struct store_key_ref ref;
	struct slice before = SLICE_ABSENT, limit = SLICE_ABSENT, json;
	enum status status = settings_read_limit(settings, SETTINGS_LIMIT, &limit);

	if (status == STATUS_OK)
		status = settings_read_before(settings, &before);
	if (status == STATUS_OK)
		status = read_ref(settings, &ref);
	if (status != STATUS_OK)
		return status;
	status = store_key_history(&settings->store, &ref, before, limit, &json);
	return answer_json(settings, status, json);
}

enum status settings_key_refusals(struct settings *settings)
{
	return answer_document(settings, store_key_refusals);
}

enum status settings_key_payload(struct settings *settings)
{
	return answer_document(settings, store_key_payload);
}

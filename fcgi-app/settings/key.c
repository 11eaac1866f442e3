/*
 * settings/key.c - the API keys of an organization. See settings/settings_internal.h.
 *
 * A key and its secret are made, hashed and shown here, once; the database gets the hashes.
 */
#include <string.h>

#include "base/timestamp.h"
#include "json/text.h"
#include "key/new_key.h"
#include "key/snippet.h"
#include "settings/settings_internal.h"

/* ---- the fields of a new key ---- */

enum field {
	NAME,
	ENDPOINT_TYPE,
	EXPIRES_AT,
	SECRET,
	PAYLOAD_TEMPLATE,
	DELIVERY_ID_MEMBER,
	NETWORKS,
	FIELDS
};

static enum status refuse_expires_at(struct settings *settings, const struct json_member *field)
{
	return settings_invalid(
		settings, field->name,
		SLICE("is not a valid timestamp with its zone: write 2031-05-01T12:00:00Z"));
}

enum status settings_read_expires_at(struct settings *settings, const struct json_member *field,
				     struct slice *text)
{
	struct slice value;
	bool only_date;
	int64_t us;

	if (!field->given)
		return STATUS_OK;
	if (slice_equal(field->text, SLICE("null"))) {
		*text = SLICE("infinity");
		return STATUS_OK;
	}
	if (*field->text.p != '"')
		return settings_fault(settings, STATUS_INVALID_REQUEST, SETTINGS_FAULT_wrong_type,
				      field->name, SLICE("is not a string"));
	if (json_text_string(&settings->arena, field->text, &value) != STATUS_OK)
		return settings_problem(settings, STATUS_NO_MEMORY, NULL);
	const char *given = arena_copy(&settings->arena, value);
	if (given == NULL)
		return settings_problem(settings, STATUS_NO_MEMORY, NULL);
	if (!timestamp_is_exact(given, &only_date) || !timestamp_read(value, &us))
		return refuse_expires_at(settings, field);
	struct buf written = buf_make(64);
	timestamp_add(&written, us);
	*text = arena_move(&settings->arena, &written);
	return text->p == NULL ? settings_problem(settings, STATUS_NO_MEMORY, NULL) : STATUS_OK;
}

enum status settings_read_template(struct settings *settings, const struct json_member *field,
				   struct slice *text)
{
	struct template *compiled;

	if (!field->given || slice_equal(field->text, SLICE("null")))
		return STATUS_OK;
	enum status status =
		settings_template_compile(settings, field->name, field->text, &compiled);
	if (status != STATUS_OK)
		return status;
	*text = (struct slice){arena_copy(&settings->arena, field->text), field->text.n};
	return text->p == NULL ? settings_problem(settings, STATUS_NO_MEMORY, NULL) : STATUS_OK;
}

static enum status read_fields(struct settings *settings, struct store_new_key *new_key,
			       bool *secret)
{
	struct json_member fields[FIELDS] = {
		[NAME] = {.name = "name", .type = JSON_MEMBER_TEXT},
		[ENDPOINT_TYPE] = {.name = "endpoint_type", .type = JSON_MEMBER_TEXT},
		[EXPIRES_AT] = {.name = "expires_at", .type = JSON_MEMBER_JSON},
		[SECRET] = {.name = "secret", .type = JSON_MEMBER_BOOL},
		[PAYLOAD_TEMPLATE] = {.name = "payload_template", .type = JSON_MEMBER_JSON},
		[DELIVERY_ID_MEMBER] = {.name = "delivery_id_member", .type = JSON_MEMBER_TEXT},
		[NETWORKS] = {.name = "networks", .type = JSON_MEMBER_JSON},
	};
	enum status status = settings_body(settings, fields, FIELDS);

	status = settings_both(status, settings_read_expires_at(settings, &fields[EXPIRES_AT],
								&new_key->expires_at));
	if (slice_equal(new_key->expires_at, SLICE("infinity")))
		new_key->expires_at = SLICE_ABSENT;
	status = settings_both(status, settings_read_template(settings, &fields[PAYLOAD_TEMPLATE],
							      &new_key->payload_template));
	status = settings_both(status,
			       settings_texts(settings, &fields[NETWORKS], &new_key->networks));
	new_key->name = fields[NAME].text;
	new_key->delivery_id_member = fields[DELIVERY_ID_MEMBER].text;
	new_key->endpoint_type = fields[ENDPOINT_TYPE].text;
	*secret = fields[SECRET].number != 0;
	return status;
}

/* ---- create ---- */

enum { URL_BYTES_MAX = 2048 };

enum status settings_answer_created(struct settings *settings, const struct store_key *key,
				    const struct new_key *made)
{
	struct buf url = buf_make(URL_BYTES_MAX), path = buf_make(URL_BYTES_MAX);
	struct json_tree tree = {0};
	struct json_object *object = json_tree_object(&tree, NULL, NULL);

	if (!settings_own_url(settings, &url))
		buf_add_text(&url, "https://YOUR-HOST");
	const struct snippet_key shown = {
		.base = buf_slice(&url),
		.key = slice_of(made->key),
		.secret = slice_of(made->has_secret ? made->secret : NULL),
		.endpoint_type = key->endpoint_type,
	};
	snippet_add_path(&path, &shown);
	store_item_json(&store_key_entity, key, &tree, object);
	json_tree_text(&tree, object, "key", shown.key);
	json_tree_text(&tree, object, "secret", shown.secret);
	json_tree_text(&tree, object, "webhook_path", buf_slice(&path));
	snippet_json(&tree, json_tree_array(&tree, object, "snippets"), NULL, &shown);
	if (url.status != STATUS_OK || path.status != STATUS_OK)
		tree.status = STATUS_NO_MEMORY;
	if (path.p != NULL)
		credential_forget(path.p, path.size);
	buf_free(&path);
	buf_free(&url);
	return settings_answer(settings, STATUS_CREATED, &tree);
}

enum status settings_key_create(struct settings *settings)
{
	struct store_new_key new_key = {.organization = settings->organization};
	struct new_key made = {0};
	struct store_key key = {0};
	bool secret = false;
	enum status status = read_fields(settings, &new_key, &secret);

	if (status == STATUS_OK)
		status = settings_make_key(settings, &made, secret);
	if (status == STATUS_OK) {
		new_key.key_hash = made.key_hash;
		new_key.display = slice_of(made.display);
		new_key.secret_hash = secret ? &made.secret_hash : NULL;
		status = store_settings_key_create(&settings->store, &new_key, &key);
		status = status == STATUS_OK ? settings_answer_created(settings, &key, &made)
					     : settings_problem_store(settings, status);
	}
	new_key_forget(&made);
	return status;
}

/* ---- list, show, find, deactivate ---- */

enum status settings_keys(struct settings *settings)
{
	struct store_selection selection = {0};
	struct store_list keys;
	int64_t limit;
	const struct settings_choice choices[] = {{"match", &selection.match},
						  {"endpoint_type", &selection.endpoint_type},
						  {"status", &selection.status}};
	enum status status = settings_read_part(settings, &selection, &limit);

	if (status == STATUS_OK)
		status = settings_choices(settings, choices, ARRAY_LENGTH(choices));
	if (status != STATUS_OK)
		return status;
	status = store_settings_keys(&settings->store, settings->organization, &selection, &keys);
	return status == STATUS_OK ? settings_answer_part(settings, "keys", &keys, limit)
				   : settings_problem_store(settings, status);
}

enum status settings_answer_key(struct settings *settings, enum status status,
				const struct store_key *key)
{
	struct json_tree tree = {0};

	if (status == STATUS_NO_SUCH_ROW)
		return settings_problem(settings, STATUS_NOT_FOUND,
					"The organization has no key with this id.");
	if (status != STATUS_OK)
		return settings_problem_store(settings, status);
	store_item_json(&store_key_entity, key, &tree, json_tree_object(&tree, NULL, NULL));
	return settings_answer(settings, STATUS_OK, &tree);
}

typedef enum status key_call(const struct store *store, struct slice organization, int64_t id,
			     struct store_key *key);

static enum status answer_key(struct settings *settings, key_call *call)
{
	struct store_key key = {0};
	int64_t id;
	enum status status = settings_id(settings, &id);

	if (status != STATUS_OK)
		return status;
	status = call(&settings->store, settings->organization, id, &key);
	return settings_answer_key(settings, status, &key);
}

enum status settings_key_show(struct settings *settings)
{
	return answer_key(settings, store_settings_key);
}

static bool is_hash(struct slice text)
{
	static const char digits[] = "0123456789abcdef";
	size_t i = 0;

	while (i < text.n && memchr(digits, text.p[i], sizeof(digits) - 1) != NULL)
		i++;
	return i == text.n && text.n == (size_t)2 * CREDENTIAL_HASH_BYTES;
}

enum status settings_key_find(struct settings *settings)
{
	struct json_member hash = {.name = "key_hash", .type = JSON_MEMBER_TEXT, .required = true};
	struct store_key key = {0};
	struct json_tree tree = {0};
	enum status status = settings_body(settings, &hash, 1);

	if (status == STATUS_OK && !is_hash(hash.text))
		status = settings_invalid(settings, hash.name,
					  SLICE("is not a SHA-256: 64 digits from 0 to f"));
	if (status != STATUS_OK)
		return status;
	status = store_settings_key_find(&settings->store, settings->organization, hash.text, &key);
	if (status != STATUS_OK && status != STATUS_NO_SUCH_ROW)
		return settings_problem_store(settings, status);
	struct json_object *root = json_tree_object(&tree, NULL, NULL);
	if (status == STATUS_OK)
		store_item_json(&store_key_entity, &key, &tree,
				json_tree_object(&tree, root, "key"));
	else
		json_tree_text(&tree, root, "key", SLICE_ABSENT);
	return settings_answer(settings, STATUS_OK, &tree);
}

enum status settings_key_deactivate(struct settings *settings)
{
	enum status status = settings_body(settings, NULL, 0);

	if (status != STATUS_OK)
		return status;
	return answer_key(settings, store_settings_key_deactivate);
}

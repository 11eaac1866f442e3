/*
 * settings/key.c - the API keys of an organization. See settings/settings.h.
 *
 * A key or secret is made here, hashed here and shown here, once; the database gets the hashes.
 */
#include "settings/settings.h"

#include <string.h>

#include "json/text.h"
#include "json/write.h"
#include "key/new_key.h"
#include "model/template.h"
#include "base/timestamp.h"

/* ---- the fields of a new key ---- */

enum field { NAME, ENDPOINT_TYPE, EXPIRES_AT, SECRET, PAYLOAD_TEMPLATE, FIELDS };

static const char *const fields[FIELDS + 1] = {"name",	 "endpoint_type",    "expires_at",
					       "secret", "payload_template", NULL};

static bool is_given(struct slice value)
{
	return value.p != NULL && !slice_equal(value, SLICE("null"));
}

/* A string, terminated; absent for null. */
static enum status read_text(struct settings *settings, enum field field, struct slice value,
			     struct slice *text)
{
	struct slice read;

	*text = (struct slice){NULL, 0};
	if (!is_given(value))
		return STATUS_OK;
	if (value.p[0] != '"')
		return settings_refuse(settings, fields[field], SLICE("is not a string"));
	if (json_text_string(&settings->arena, value, &read) != STATUS_OK)
		return settings_fail(settings, STATUS_NO_MEMORY, NULL);
	*text = (struct slice){arena_copy(&settings->arena, read), read.n};
	return text->p == NULL ? settings_fail(settings, STATUS_NO_MEMORY, NULL) : STATUS_OK;
}

static enum status read_expires(struct settings *settings, struct slice value, struct slice *text)
{
	struct buf written = buf_make(64);
	struct slice given;
	int64_t us;
	enum status status = read_text(settings, EXPIRES_AT, value, &given);

	*text = (struct slice){NULL, 0};
	if (status != STATUS_OK || given.p == NULL)
		return status;
	if (memchr(given.p, '-', given.n) == NULL || !timestamp_read(given, &us))
		return settings_refuse(
			settings, fields[EXPIRES_AT],
			SLICE("is not a valid timestamp: write 2031-05-01T12:00:00Z"));
	timestamp_add(&written, us);
	*text = (struct slice){arena_copy(&settings->arena, buf_slice(&written)), written.n};
	buf_free(&written);
	return text->p == NULL ? settings_fail(settings, STATUS_NO_MEMORY, NULL) : STATUS_OK;
}

static enum status read_template(struct settings *settings, struct slice value, struct slice *text)
{
	struct template *compiled;

	*text = (struct slice){NULL, 0};
	if (!is_given(value))
		return STATUS_OK;
	enum status status =
		settings_template_compile(settings, fields[PAYLOAD_TEMPLATE], value, &compiled);
	if (status != STATUS_OK)
		return status;
	*text = (struct slice){arena_copy(&settings->arena, value), value.n};
	return text->p == NULL ? settings_fail(settings, STATUS_NO_MEMORY, NULL) : STATUS_OK;
}

static enum status read_secret(struct settings *settings, struct slice value, bool *secret)
{
	*secret = slice_equal(value, SLICE("true"));
	if (is_given(value) && !*secret && !slice_equal(value, SLICE("false")))
		return settings_refuse(settings, fields[SECRET], SLICE("is not true or false"));
	return STATUS_OK;
}

static enum status read_fields(struct settings *settings, struct store_new_key *new_key,
			       bool *secret)
{
	struct slice found[FIELDS];
	enum status status = settings_members(settings, fields, found);

	if (status == STATUS_OK)
		status = read_text(settings, NAME, found[NAME], &new_key->name);
	if (status == STATUS_OK)
		status = read_text(settings, ENDPOINT_TYPE, found[ENDPOINT_TYPE],
				   &new_key->endpoint_type);
	if (status == STATUS_OK)
		status = read_expires(settings, found[EXPIRES_AT], &new_key->expires_at);
	if (status == STATUS_OK)
		status = read_secret(settings, found[SECRET], secret);
	if (status == STATUS_OK)
		status = read_template(settings, found[PAYLOAD_TEMPLATE],
				       &new_key->payload_template);
	return status;
}

/* ---- create ---- */

enum { URL_BYTES_MAX = 2048, CURL_BYTES_MAX = 8192 };

/* The one answer that holds a key. */
static void add_created(struct settings *settings, const struct store_key *key,
			const struct new_key *made)
{
	struct buf url = buf_make(URL_BYTES_MAX), path = buf_make(URL_BYTES_MAX);
	struct buf curl = buf_make(CURL_BYTES_MAX);
	struct buf *out = settings_answer(settings, STATUS_CREATED);

	if (!settings_own_url(settings, &url))
		buf_add_text(&url, "https://YOUR-HOST");
	new_key_add_path(&path, made, key->endpoint_type);
	buf_add_slice(&url, buf_slice(&path));
	new_key_add_curl(&curl, made, key->endpoint_type, buf_slice(&url), "");
	buf_add_char(out, '{');
	store_key_members(key, out);
	json_write_member(out, "key", slice_of(made->key));
	json_write_member(out, "secret", slice_of(made->has_secret ? made->secret : NULL));
	json_write_member(out, "webhook_path", buf_slice(&path));
	json_write_member(out, "curl", buf_slice(&curl));
	buf_add_char(out, '}');
	if (url.status != STATUS_OK || path.status != STATUS_OK || curl.status != STATUS_OK)
		out->status = STATUS_NO_MEMORY;
	struct buf *const held[] = {&url, &path, &curl};
	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		if (held[i]->p != NULL)
			credential_forget(held[i]->p, held[i]->size);
		buf_free(held[i]);
	}
}

enum status settings_key_create(struct settings *settings)
{
	struct store_new_key new_key = {.organization = settings->organization};
	struct new_key made;
	struct store_key key = {0};
	bool secret = false;
	enum status status = read_fields(settings, &new_key, &secret);

	if (status != STATUS_OK)
		return status;
	status = new_key_make(&made, secret);
	new_key.key_hash = made.key_hash;
	new_key.display = slice_of(made.display);
	new_key.secret_hash = secret ? &made.secret_hash : NULL;
	if (status == STATUS_OK)
		status = store_settings_key_create(&settings->store, &new_key, &key);
	if (status == STATUS_OK)
		add_created(settings, &key, &made);
	else
		status = settings_fail_store(settings, status);
	new_key_forget(&made);
	return status == STATUS_OK ? STATUS_CREATED : status;
}

/* ---- list, show, deactivate ---- */

static void add_key(struct buf *out, const struct store_key *key)
{
	buf_add_char(out, '{');
	store_key_members(key, out);
	buf_add_char(out, '}');
}

enum status settings_keys(struct settings *settings)
{
	struct store_keys list;
	enum status status = store_settings_keys(&settings->store, settings->organization, &list);

	if (status != STATUS_OK)
		return settings_fail_store(settings, status);
	struct buf *out = settings_answer(settings, STATUS_OK);
	buf_add_text(out, "{\"keys\":[");
	for (size_t i = 0; i < list.count; i++) {
		json_write_comma(out);
		add_key(out, &list.items[i]);
	}
	buf_add_text(out, "]}");
	return STATUS_OK;
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
	if (status == STATUS_NO_SUCH_ROW)
		return settings_fail(settings, STATUS_NOT_FOUND,
				     "The organization has no key with this id.");
	if (status != STATUS_OK)
		return settings_fail_store(settings, status);
	add_key(settings_answer(settings, STATUS_OK), &key);
	return STATUS_OK;
}

enum status settings_key_show(struct settings *settings)
{
	return answer_key(settings, store_settings_key);
}

enum status settings_key_deactivate(struct settings *settings)
{
	static const char *const none[] = {NULL};
	enum status status = settings_members(settings, none, NULL);

	if (status != STATUS_OK)
		return status;
	return answer_key(settings, store_settings_key_deactivate);
}

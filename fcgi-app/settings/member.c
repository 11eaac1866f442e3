/*
 * settings/member.c - who the user is, and where. See settings/settings.h.
 */
#include "settings/settings.h"

#include <time.h>

#include "json/write.h"
#include "base/timestamp.h"
#include "key/token.h"

enum { TOKEN_S = 12 * 3600 };

static void add_membership(struct buf *out, const struct store_membership *membership)
{
	json_write_comma(out);
	buf_add_char(out, '{');
	json_write_member_int(out, "id", membership->id);
	json_write_member(out, "name", membership->name);
	json_write_member(out, "role", membership->role);
	json_write_member_bool(out, "may_manage_keys", membership->may_manage_keys);
	buf_add_char(out, '}');
}

static void add_token(struct buf *out, const char *token, int64_t expires_s)
{
	struct buf expires = buf_make(64);

	timestamp_add(&expires, expires_s * 1000000);
	json_write_member(out, "csrf_token", slice_of(token));
	json_write_member(out, "csrf_expires_at", buf_slice(&expires));
	buf_free(&expires);
}

enum status settings_me(struct settings *settings)
{
	struct store_memberships list;
	struct token_key key;
	char token[TOKEN_CHARS + 1];
	int64_t expires_s = (int64_t)time(NULL) + TOKEN_S;
	enum status status = store_settings_me(&settings->store, &list);

	if (status == STATUS_OK)
		status = store_settings_token_key(&settings->store, &key);
	if (status != STATUS_OK)
		return settings_fail_store(settings, status);
	status = token_make(&key, settings->store.actor, expires_s, token);
	credential_forget(&key, sizeof(key));
	if (status != STATUS_OK)
		return settings_fail(settings, status, NULL);
	struct buf *out = settings_answer(settings, STATUS_OK);
	buf_add_char(out, '{');
	json_write_member(out, "user", settings->store.actor);
	add_token(out, token, expires_s);
	json_write_member_json(out, "organizations", SLICE("["));
	for (size_t i = 0; i < list.count; i++)
		add_membership(out, &list.items[i]);
	buf_add_text(out, "]}");
	return STATUS_OK;
}

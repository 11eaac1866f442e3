/*
 * settings/member.c - the user, their organizations, and a CSRF token. See
 * settings/settings_internal.h.
 */
#include <time.h>

#include "base/timestamp.h"
#include "http/header.h"
#include "key/token.h"
#include "settings/settings_internal.h"

enum { TOKEN_S = 12 * 3600 };

/* token: for changes, which a browser may be tricked into; NULL without a browser. */
static enum status answer(struct settings *settings, const struct store_list *list,
			  const char *token, int64_t expires_s)
{
	struct json_tree tree = {0};
	struct json_object *object = json_tree_object(&tree, NULL, NULL);
	struct buf expires = buf_make(64);
	struct slice type = SLICE("Bearer");

	if (!settings->by_token)
		(void)http_header(&settings->http, "AUTH_TYPE", &type); /* as access.c has seen */
	timestamp_add(&expires, expires_s * 1000000);
	json_tree_text(&tree, object, "user", settings->store.actor);
	json_tree_text(&tree, object, "auth_type", type);
	json_tree_text(&tree, object, "csrf_token", slice_of(token));
	json_tree_text(&tree, object, "csrf_expires_at",
		       token == NULL ? SLICE_ABSENT : buf_slice(&expires));
	buf_free(&expires);
	store_list_json(list, &tree, json_tree_array(&tree, object, "organizations"));
	return settings_answer(settings, STATUS_OK, &tree);
}

enum status settings_me(struct settings *settings)
{
	struct store_list list;
	struct token_key key;
	char token[TOKEN_CHARS + 1];
	int64_t expires_s = (int64_t)time(NULL) + TOKEN_S;
	enum status status = store_settings_me(&settings->store, &list);

	if (status == STATUS_OK && settings->by_token)
		return answer(settings, &list, NULL, 0);
	if (status == STATUS_OK)
		status = store_settings_token_key(&settings->store, &key);
	if (status != STATUS_OK)
		return settings_problem_store(settings, status);
	status = token_make(&key, settings->store.actor, expires_s, token);
	credential_forget(&key, sizeof(key));
	return status == STATUS_OK ? answer(settings, &list, token, expires_s)
				   : settings_problem(settings, status, NULL);
}

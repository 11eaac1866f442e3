/*
 * settings/token.c - the tokens of an organization, by which programs use this API. See
 * settings/settings_internal.h; how a request with one is authenticated is in settings/bearer.c.
 *
 * A token is made, hashed and shown here, once; the database gets the hash.
 */
#include "key/snippet.h"
#include "settings/settings_internal.h"
#include "store/token.h"

enum field { NAME, SCOPES, EXPIRES_AT, FIELDS };
enum { URL_BYTES_MAX = 2048, COMMAND_BYTES_MAX = 4096 };

static enum status read_fields(struct settings *settings, struct store_new_token *new_token)
{
	struct json_member fields[FIELDS] = {
		[NAME] = {.name = "name", .type = JSON_MEMBER_TEXT, .required = true},
		[SCOPES] = {.name = "scopes", .type = JSON_MEMBER_JSON, .required = true},
		[EXPIRES_AT] = {.name = "expires_at", .type = JSON_MEMBER_JSON, .required = true},
	};
	enum status status = settings_body(settings, fields, FIELDS);

	status = settings_both(status, settings_read_expires_at(settings, &fields[EXPIRES_AT],
								&new_token->expires_at));
	status = settings_both(status,
			       settings_texts(settings, &fields[SCOPES], &new_token->scopes));
	if (new_token->scopes.p == NULL)
		new_token->scopes = SLICE("[]");
	new_token->name = fields[NAME].text;
	return status;
}

static void add_command(const struct settings *settings, struct buf *command, const char *token)
{
	struct buf url = buf_make(URL_BYTES_MAX);

	if (!settings_own_url(settings, &url))
		buf_add_text(&url, "https://YOUR-HOST");
	snippet_add_token(command, buf_slice(&url), token);
	if (url.status != STATUS_OK)
		command->status = STATUS_NO_MEMORY;
	buf_free(&url);
}

static enum status answer_created(struct settings *settings, const struct store_token *made,
				  const char *token)
{
	struct buf command = buf_make(COMMAND_BYTES_MAX);
	struct json_tree tree = {0};
	struct json_object *object = json_tree_object(&tree, NULL, NULL);

	add_command(settings, &command, token);
	store_item_json(&store_token_entity, made, &tree, object);
	json_tree_text(&tree, object, "token", slice_of(token));
	json_tree_text(&tree, object, "curl", buf_slice(&command));
	if (command.status != STATUS_OK)
		tree.status = STATUS_NO_MEMORY;
	if (command.p != NULL)
		credential_forget(command.p, command.size);
	buf_free(&command);
	return settings_answer(settings, STATUS_CREATED, &tree);
}

enum status settings_token_create(struct settings *settings)
{
	struct store_new_token new_token = {.organization = settings->organization};
	struct store_token made = {0};
	char token[CREDENTIAL_TOKEN_CHARS + 1], display[CREDENTIAL_TOKEN_DISPLAY_BYTES + 1];
	enum status status = read_fields(settings, &new_token);

	if (status == STATUS_OK)
		status = settings_make_token(settings, token);
	if (status != STATUS_OK)
		return status;
	credential_display_token(slice_of(token), display);
	new_token.display = slice_of(display);
	status = credential_hash(slice_of(token), &new_token.token_hash);
	if (status == STATUS_OK)
		status = store_settings_token_create(&settings->store, &new_token, &made);
	status = status == STATUS_OK ? answer_created(settings, &made, token)
				     : settings_problem_store(settings, status);
	credential_forget(token, sizeof(token));
	return status;
}

enum status settings_tokens(struct settings *settings)
{
	struct store_selection selection = {0};
	struct store_list tokens;
	int64_t limit;
	enum status status = settings_read_part(settings, &selection, &limit);

	if (status != STATUS_OK)
		return status;
	status = store_settings_tokens(&settings->store, settings->organization, &selection,
				       &tokens);
	return status == STATUS_OK ? settings_answer_part(settings, "tokens", &tokens, limit)
				   : settings_problem_store(settings, status);
}

enum status settings_token_revoke(struct settings *settings)
{
	struct store_token token = {0};
	struct json_tree tree = {0};
	int64_t id;
	enum status status = settings_body(settings, NULL, 0);

	if (status == STATUS_OK)
		status = settings_id(settings, &id);
	if (status != STATUS_OK)
		return status;
	status = store_settings_token_revoke(&settings->store, settings->organization, id, &token);
	if (status == STATUS_NO_SUCH_ROW)
		return settings_problem(settings, STATUS_NOT_FOUND,
					"The organization has no token with this id.");
	if (status == STATUS_ROLE_TOO_LOW)
		return settings_problem(
			settings, status,
			"Editors revoke their own tokens, an admin or the owner all.");
	if (status != STATUS_OK)
		return settings_problem_store(settings, status);
	store_item_json(&store_token_entity, &token, &tree, json_tree_object(&tree, NULL, NULL));
	return settings_answer(settings, STATUS_OK, &tree);
}

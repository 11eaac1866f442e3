/*
 * ctl/token.c - sluicectl token create, list, revoke. See ctl/ctl_internal.h.
 *
 * As a key, a token is made here, hashed here and printed here, once.
 */
#include "ctl/ctl_internal.h"

#include <inttypes.h>

#include "key/snippet.h"
#include "store/token.h"

enum { SCOPES_BYTES_MAX = 1024, COMMAND_BYTES_MAX = 64 << 10 };

/* --scope, once or several times, as a JSON array. */
static enum ctl_exit read_scopes(struct ctl *ctl, struct slice *scopes)
{
	struct slice rest = ctl_value(ctl, CTL_SCOPE);
	struct buf json = buf_make(SCOPES_BYTES_MAX);
	struct json_tree tree = {0};
	struct json_object *array = json_tree_array(&tree, NULL, NULL);

	do
		json_tree_text(&tree, array, NULL, slice_take(&rest, ','));
	while (rest.p != NULL);
	json_tree_write(&tree, &json);
	json_tree_free(&tree);
	*scopes = arena_move(&ctl->arena, &json);
	return scopes->p == NULL ? ctl_fail_status(ctl, STATUS_NO_MEMORY) : CTL_FINE;
}

static void add_token(struct buf *out, const struct store_token *token)
{
	buf_add_format(out, "token %" PRId64 " \"", token->id);
	ctl_add_escaped(out, token->name);
	buf_add_char(out, '"');
}

/* As the settings service answers. */
static enum ctl_exit add_created_json(struct ctl *ctl, const struct store_token *made,
				      const char *token)
{
	struct buf command = buf_make(COMMAND_BYTES_MAX);
	struct json_tree tree = {0};
	struct json_object *root = json_tree_object(&tree, NULL, NULL);

	snippet_add_token(&command, ctl_base_url(), token);
	store_item_json(&store_token_entity, made, &tree, root);
	json_tree_text(&tree, root, "token", slice_of(token));
	json_tree_text(&tree, root, "curl", buf_slice(&command));
	if (command.status != STATUS_OK)
		tree.status = STATUS_NO_MEMORY;
	if (command.p != NULL)
		credential_forget(command.p, command.size);
	buf_free(&command);
	return ctl_add_tree(ctl, &tree);
}

static enum ctl_exit print_created(struct ctl *ctl, const struct store_token *made,
				   const char *token)
{
	struct buf *out = &ctl->out;

	if (ctl_has(ctl, CTL_JSON)) {
		(void)add_created_json(ctl, made, token);
	} else {
		buf_add_text(out, "created ");
		add_token(out, made);
		buf_add_text(out, " for ");
		ctl_add_escaped(out, made->user);
		buf_add_format(out, "\n\n  token   %s\n  expires %s\n\n", token,
			       made->expires_at.p);
		buf_add_text(out,
			     "Keep it now: it is not stored, and will not be shown again.\n\n");
		snippet_add_token(out, ctl_base_url(), token);
		buf_add_char(out, '\n');
	}
	enum ctl_exit status = ctl_flush(ctl);
	if (status != CTL_FINE)
		ctl_warn("token %" PRId64 " was created but not shown; revoke it", made->id);
	return status;
}

enum ctl_exit ctl_token_create(struct ctl *ctl)
{
	struct store_new_token new_token = {
		.organization = ctl_value(ctl, CTL_ORGANIZATION),
		.user = ctl_value(ctl, CTL_USER),
		.name = ctl_value(ctl, CTL_NAME),
	};
	struct store_token made = {0};
	char token[CREDENTIAL_TOKEN_CHARS + 1], display[CREDENTIAL_TOKEN_DISPLAY_BYTES + 1];
	enum ctl_exit status = read_scopes(ctl, &new_token.scopes);

	if (status == CTL_FINE)
		status = ctl_read_expires(ctl, &new_token.expires_at);
	if (status != CTL_FINE)
		return status;
	if (credential_make_token(NULL, token) != STATUS_OK ||
	    credential_hash(slice_of(token), &new_token.token_hash) != STATUS_OK)
		return ctl_fail(CTL_FAILED, NULL, "could not make a token");
	credential_display_token(slice_of(token), display);
	new_token.display = slice_of(display);
	enum status stored = store_token_create(&ctl->store, &new_token, &made);
	status = stored == STATUS_OK ? print_created(ctl, &made, token)
				     : ctl_fail_status(ctl, stored);
	credential_forget(token, sizeof(token));
	return status;
}

enum ctl_exit ctl_token_list(struct ctl *ctl)
{
	struct store_selection selection;
	struct store_list tokens;
	enum ctl_exit usage = ctl_read_selection(ctl, &selection);

	if (usage != CTL_FINE)
		return usage;
	enum status status = store_token_list(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION),
					      &selection, &tokens);
	return status == STATUS_OK ? ctl_print_list(ctl, "tokens", &tokens)
				   : ctl_fail_status(ctl, status);
}

enum ctl_exit ctl_token_revoke(struct ctl *ctl)
{
	struct store_token token = {0};
	int64_t id;
	enum ctl_exit read = ctl_read_id(ctl, "token", &id);

	if (read != CTL_FINE)
		return read;
	enum status status = store_token_revoke(&ctl->store, id, &token);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (ctl_has(ctl, CTL_JSON))
		return ctl_print_item(ctl, &store_token_entity, &token);
	add_token(&ctl->out, &token);
	buf_add_text(&ctl->out, " was revoked at ");
	buf_add_slice(&ctl->out, token.revoked_at);
	buf_add_char(&ctl->out, '\n');
	return CTL_FINE;
}

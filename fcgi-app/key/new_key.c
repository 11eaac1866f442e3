/*
 * key/new_key.c - see key/new_key.h.
 */
#include "key/new_key.h"

static enum status add_secret(struct new_key *made, struct seed *seed)
{
	enum status status = credential_make_secret(seed, made->secret);

	if (status == STATUS_OK)
		status = credential_hash(slice_of(made->secret), &made->secret_hash);
	return status;
}

enum status new_key_make_secret(struct new_key *made, struct seed *seed)
{
	*made = (struct new_key){.has_secret = true};
	return add_secret(made, seed);
}

enum status new_key_make(struct new_key *made, bool secret, struct seed *seed)
{
	*made = (struct new_key){.has_secret = secret};
	enum status status = credential_make_key(seed, made->key);

	if (status == STATUS_OK)
		status = credential_hash(slice_of(made->key), &made->key_hash);
	if (status == STATUS_OK && secret)
		status = add_secret(made, seed);
	if (status == STATUS_OK)
		credential_display(slice_of(made->key), made->display);
	return status;
}

void new_key_forget(struct new_key *made)
{
	credential_forget(made, sizeof(*made));
}

static bool is_for_signals(struct slice endpoint_type)
{
	return slice_equal(endpoint_type, SLICE("signal_staging"));
}

void new_key_add_path(struct buf *out, const struct new_key *made, struct slice endpoint_type)
{
	buf_add_text(out, is_for_signals(endpoint_type) ? "/api/signal-staging/webhook/"
							: "/api/product-orgs/webhook/");
	buf_add_text(out, made->key);
}

/* As one word for a shell. */
static void add_quoted(struct buf *out, struct slice text)
{
	buf_add_char(out, '\'');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\'')
			buf_add_text(out, "'\\''");
		else
			buf_add_char(out, text.p[i]);
	}
	buf_add_char(out, '\'');
}

void new_key_add_curl(struct buf *out, const struct new_key *made, struct slice endpoint_type,
		      struct slice url, const char *indent)
{
	buf_add_text(out, "curl -H 'Content-Type: application/json' ");
	if (made->has_secret)
		buf_add_format(out, "-H 'X-Api-Secret: %s' ", made->secret);
	buf_add_format(out, "\\\n%s  -d ", indent);
	buf_add_text(out, is_for_signals(endpoint_type)
				  ? "'{\"email\":\"lead@example.com\",\"event\":\"test\"}'"
				  : "@payload.json");
	buf_add_format(out, " \\\n%s  ", indent);
	add_quoted(out, url);
}

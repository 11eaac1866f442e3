/*
 * settings/retry.c - the retry of a request whose answer may have been lost. See
 * settings/settings_internal.h.
 *
 * Nothing is stored for it: without the client's idempotency token, the key of the service and what
 * the database holds make no key again.
 */
#include "http/header.h"
#include "key/new_key.h"
#include "key/seed.h"
#include "settings/settings_internal.h"

enum { TOKEN_CHARS_MIN = 32, TOKEN_CHARS_MAX = 200 };

/* Long enough that it cannot be guessed: UUIDs and 16 random bytes in hexadecimal are. */
static bool is_token(struct slice text)
{
	bool printable = text.n >= TOKEN_CHARS_MIN && text.n <= TOKEN_CHARS_MAX;

	for (size_t i = 0; i < text.n; i++)
		printable = printable && text.p[i] > ' ' && text.p[i] < 0x7f;
	return printable;
}

/* *used is the seed, or NULL without the header. STATUS_OK, or the response is a problem. */
static enum status read_seed(struct settings *settings, struct seed *seed, struct seed **used)
{
	struct slice token;
	struct token_key key;
	unsigned count = http_header(&settings->http, "HTTP_IDEMPOTENCY_KEY", &token);

	*used = NULL;
	*seed = (struct seed){0};
	if (count == 0)
		return STATUS_OK;
	if (count > 1 || !is_token(token))
		return settings_invalid(settings, "Idempotency-Key",
					SLICE("is not one text of 32 to 200 printable characters"));
	enum status status = store_settings_token_key(&settings->store, &key);
	if (status != STATUS_OK)
		return settings_problem_store(settings, status);
	/* The target has the route, the id and the organization. */
	const struct slice parts[SEED_PARTS] = {token, settings->store.actor, settings->http.method,
						settings->http.target, buf_slice(&settings->body)};
	status = seed_make(seed, &key, parts);
	credential_forget(&key, sizeof(key));
	*used = seed;
	return status == STATUS_OK ? status : settings_problem(settings, status, NULL);
}

static enum status make(struct settings *settings, struct new_key *made, bool key, bool secret)
{
	struct seed seed, *used;
	enum status status = read_seed(settings, &seed, &used);

	if (status != STATUS_OK)
		return status;
	status = key ? new_key_make(made, secret, used) : new_key_make_secret(made, used);
	credential_forget(&seed, sizeof(seed));
	return status == STATUS_OK ? status : settings_problem(settings, status, NULL);
}

enum status settings_make_token(struct settings *settings, char token[CREDENTIAL_TOKEN_CHARS + 1])
{
	struct seed seed, *used;
	enum status status = read_seed(settings, &seed, &used);

	if (status != STATUS_OK)
		return status;
	status = credential_make_token(used, token);
	credential_forget(&seed, sizeof(seed));
	return status == STATUS_OK ? status : settings_problem(settings, status, NULL);
}

enum status settings_make_key(struct settings *settings, struct new_key *made, bool secret)
{
	return make(settings, made, true, secret);
}

enum status settings_make_secret(struct settings *settings, struct new_key *made)
{
	return make(settings, made, false, true);
}

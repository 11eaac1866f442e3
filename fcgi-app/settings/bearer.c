/*
 * settings/bearer.c - authentication of programs, by a token in the Authorization header (RFC
 * 6750), which has one credential. See settings/settings_internal.h.
 *
 * A request with such a header is the token's, whatever the web server says of its user: so a web
 * server may leave such requests to the service unauthenticated.
 */
#include "http/header.h"
#include "settings/settings_internal.h"
#include "store/token.h"

/* RFC 6750 section 3. error: its code, a word. Without memory the header is left out. */
static void challenge(struct settings *settings, const char *error)
{
	settings->response.authenticate =
		arena_format(&settings->arena, "Bearer realm=\"Sluice\", error=\"%s\"", error);
}

static enum status refuse_token(struct settings *settings)
{
	challenge(settings, "invalid_token");
	return settings_problem(settings, STATUS_INVALID_TOKEN, NULL);
}

static enum status refuse_header(struct settings *settings, const char *detail)
{
	challenge(settings, "invalid_request");
	return settings_invalid(settings, "Authorization", slice_of(detail));
}

/* What follows the scheme in the header; absent if there is none, or one of another scheme. */
static struct slice after_scheme(const struct settings *settings, struct slice scheme)
{
	struct slice value;

	if (http_header(&settings->http, "HTTP_AUTHORIZATION", &value) == 0 || value.n < scheme.n ||
	    !slice_equal_nocase((struct slice){value.p, scheme.n}, scheme))
		return SLICE_ABSENT;
	struct slice rest = {value.p + scheme.n, value.n - scheme.n};
	return rest.n == 0 || rest.p[0] == ' ' || rest.p[0] == '\t' || rest.p[0] == ','
		       ? rest
		       : SLICE_ABSENT;
}

/* b64token of RFC 6750: without a blank or a comma, between which a second credential would be. */
static bool is_one_word(struct slice text)
{
	bool word = text.n > 0;

	for (size_t i = 0; i < text.n; i++)
		word = word && text.p[i] > ' ' && text.p[i] < 0x7f && text.p[i] != ',';
	return word;
}

/* Apache and lighttpd join headers of one name by a comma, and read a password up to there. */
enum status settings_check_authorization(struct settings *settings)
{
	struct slice value, password = slice_trim(after_scheme(settings, SLICE("basic")));

	if (http_header(&settings->http, "HTTP_AUTHORIZATION", &value) > 1)
		return refuse_header(settings, "is there more than once");
	if (password.n > 0 && !is_one_word(password))
		return refuse_header(
			settings,
			"is not the word Basic and one password: send a password or a token");
	return STATUS_OK;
}

bool settings_has_bearer(const struct settings *settings)
{
	return after_scheme(settings, SLICE("bearer")).p != NULL;
}

enum status settings_read_bearer(struct settings *settings)
{
	struct slice token = slice_trim(after_scheme(settings, SLICE("bearer")));

	if (!is_one_word(token))
		return refuse_header(settings, "is not the word Bearer and one token");
	if (!credential_token_is_sound(token))
		return refuse_token(settings);
	enum status status = credential_hash(token, &settings->token_hash);
	settings->by_token = true;
	return status == STATUS_OK ? status : settings_problem(settings, status, NULL);
}

/* scope NULL: no token has it. */
static enum status refuse_scope(struct settings *settings, const char *scope)
{
	struct arena *arena = &settings->arena;

	if (scope == NULL) {
		challenge(settings, "insufficient_scope");
		return settings_problem(settings, STATUS_INSUFFICIENT_SCOPE,
					"No token may do this: sign in to the settings page.");
	}
	settings->response.authenticate = arena_format(
		arena, "Bearer realm=\"Sluice\", error=\"insufficient_scope\", scope=\"%s\"",
		scope);
	return settings_problem(
		settings, STATUS_INSUFFICIENT_SCOPE,
		arena_format(arena, "This requires a token with the scope \"%s\".", scope));
}

enum status settings_use_token(struct settings *settings)
{
	const char *scope = settings_scopes[settings->match.route->setting];
	struct slice needed = slice_of(scope), user = SLICE_ABSENT;

	if (scope == NULL)
		needed = SLICE("person"); /* no token has it */
	else if (*scope == '\0')
		needed = SLICE_ABSENT;
	enum status status =
		store_settings_token_use(&settings->store, &settings->token_hash, needed, &user);
	if (status == STATUS_INSUFFICIENT_SCOPE)
		return refuse_scope(settings, scope);
	if (status != STATUS_OK)
		return settings_problem_store(settings, status);
	if (user.p == NULL)
		return refuse_token(settings);
	settings->store.actor = user;
	return STATUS_OK;
}

/*
 * settings/access.c - authentication of the user, and the defence against cross-site request
 * forgery. See settings/settings_internal.h.
 *
 * The web server authenticates; here it is only decided whether to trust what it says. What a user
 * may do is not known here.
 */
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "http/header.h"
#include "http/query.h"
#include "key/token.h"
#include "settings/settings_internal.h"

enum { USER_CHARS_MAX = 200, ORIGIN_BYTES_MAX = 1024 };

static enum status refuse_user(struct settings *settings, const char *detail)
{
	return settings_problem(settings, STATUS_NOT_SIGNED_IN, detail);
}

/* A client's headers become HTTP_… variables, so it cannot set these two. A duplicate is refused as
 * defence in depth. Nobody is taken for a token by name. */
enum status settings_authenticate(struct settings *settings)
{
	struct slice user, type;
	enum status status = settings_check_authorization(settings);

	if (status != STATUS_OK)
		return status;
	if (settings_has_bearer(settings))
		return settings_read_bearer(settings);
	if (!settings->config->settings_trust_remote_user)
		return refuse_user(
			settings,
			"The service is not configured to trust the web server's authentication: settings_trust_remote_user is off.");
	if (http_header(&settings->http, "AUTH_TYPE", &type) != 1 || type.n == 0)
		return refuse_user(
			settings,
			"The web server did not authenticate this request: AUTH_TYPE is not set.");
	if (http_header(&settings->http, "REMOTE_USER", &user) != 1 ||
	    !utf8_is_name(user, USER_CHARS_MAX) || slice_starts(user, SLICE("token:")))
		return refuse_user(
			settings,
			"The web server did not name a user: REMOTE_USER is not set, or is not a valid name.");
	settings->store.actor.p = arena_copy(&settings->arena, user);
	settings->store.actor.n = user.n;
	if (settings->store.actor.p == NULL)
		return settings_problem(settings, STATUS_NO_MEMORY, NULL);
	return STATUS_OK;
}

bool settings_own_url(const struct settings *settings, struct buf *out)
{
	struct slice url = slice_of(settings->config->public_url);

	if (url.n == 0)
		return http_own_origin(&settings->http, out);
	while (url.n > 0 && url.p[url.n - 1] == '/')
		url.n--;
	buf_add_slice(out, url);
	return true;
}

/* An origin is scheme and host; public_url may have a path as well. */
static bool is_own_origin(const struct settings *settings, struct slice origin)
{
	struct buf own = buf_make(ORIGIN_BYTES_MAX);
	bool known = settings_own_url(settings, &own) && own.status == STATUS_OK;
	struct slice expected = buf_slice(&own);
	const char *host = known ? strstr(settings->config->public_url, "://") : NULL;

	if (host != NULL) {
		size_t n = (size_t)(host - settings->config->public_url) + 3;
		while (n < expected.n && expected.p[n] != '/')
			n++;
		expected.n = n;
	}
	bool same = known && slice_equal_nocase(origin, expected);
	buf_free(&own);
	return same;
}

bool settings_is_same_origin(const struct settings *settings)
{
	struct slice site, origin;
	unsigned sites = http_header(&settings->http, "HTTP_SEC_FETCH_SITE", &site);
	unsigned origins = http_header(&settings->http, "HTTP_ORIGIN", &origin);

	if (sites > 1 || (sites == 1 && !slice_equal(site, SLICE("same-origin")) &&
			  !slice_equal(site, SLICE("none"))))
		return false;
	return origins == 0 || (origins == 1 && is_own_origin(settings, origin));
}

enum status settings_check_csrf(struct settings *settings)
{
	struct token_key key;
	struct slice token;

	if (!settings_is_same_origin(settings))
		return settings_problem(
			settings, STATUS_CSRF_REFUSED,
			"The request comes from another site. If this host is known by another name outside, set public_url to it.");
	if (http_header(&settings->http, "HTTP_X_CSRF_TOKEN", &token) != 1)
		return settings_problem(settings, STATUS_CSRF_REFUSED, NULL);
	enum status status = store_settings_token_key(&settings->store, &key);
	if (status != STATUS_OK)
		return settings_problem_store(settings, status);
	bool good = token_is_good(&key, settings->store.actor, (int64_t)time(NULL), token);
	credential_forget(&key, sizeof(key));
	return good ? STATUS_OK : settings_problem(settings, STATUS_CSRF_REFUSED, NULL);
}

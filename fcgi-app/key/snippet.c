/*
 * key/snippet.c - see key/snippet.h.
 */
#include "key/snippet.h"

#include <string.h>

#include "key/credential.h"

enum { TEXT_BYTES_MAX = 64 * 1024 };

/* ---- how a value is written inside of a language's quotes ---- */

static void escape_nothing(struct buf *out, char c)
{
	buf_add_char(out, c);
}

/* Between single quotes. */
static void escape_shell(struct buf *out, char c)
{
	buf_add_text(out, c == '\'' ? "'\\''" : (const char[]){c, '\0'});
}

/* JavaScript and Python. Without "<" it cannot end the element that a script is in. */
static void escape_script(struct buf *out, char c)
{
	if (strchr("'\"\\<", c) != NULL || (unsigned char)c < 0x20 || c == 0x7f)
		buf_add_format(out, "\\u%04x", (unsigned)(unsigned char)c);
	else
		buf_add_char(out, c);
}

/* Between single quotes. */
static void escape_php(struct buf *out, char c)
{
	if (c == '\'' || c == '\\')
		buf_add_char(out, '\\');
	buf_add_char(out, c);
}

static void escape_html(struct buf *out, char c)
{
	if (strchr("'\"<>&", c) != NULL)
		buf_add_format(out, "&#%u;", (unsigned)(unsigned char)c);
	else
		buf_add_char(out, c);
}

/* ---- the snippets ---- */

/* In lines, each with a mark before it: "s" is only for keys with a secret, "g" for signals, "o"
 * for product orgs, a blank for all. {base}, {origin}, {prefix}, {path}, {key} and {secret} are
 * values: the base is origin and prefix. */
struct entry {
	struct snippet snippet;
	void (*escape)(struct buf *out, char c);
	bool only_signals, without_secret;
	const char *lines;
};

static const struct entry entries[] = {
	{{"curl", "Terminal (curl)"},
	 escape_shell,
	 .lines = " curl -H 'Content-Type: application/json' \\\n"
		  "s  -H 'X-Api-Secret: {secret}' \\\n"
		  "g  -d '{\"email\":\"lead@example.com\",\"event\":\"test\"}' \\\n"
		  "o  -d @payload.json \\\n"
		  "   '{base}{path}'\n"},
	{{"node", "Node.js"},
	 escape_script,
	 .lines = " // Node.js 18 or later; save it as send.mjs\n"
		  "oimport { readFile } from 'node:fs/promises';\n"
		  "o\n"
		  " const answer = await fetch('{base}{path}', {\n"
		  "   method: 'POST',\n"
		  "   headers: {\n"
		  "     'Content-Type': 'application/json',\n"
		  "s    'X-Api-Secret': '{secret}',\n"
		  "   },\n"
		  "g  body: JSON.stringify({ email: 'lead@example.com', event: 'test' }),\n"
		  "o  body: await readFile('payload.json'),\n"
		  " });\n"
		  " console.log(answer.status, await answer.text());\n"},
	{{"python", "Python"},
	 escape_script,
	 .lines = "gimport json\n"
		  " import urllib.request\n"
		  " \n"
		  " request = urllib.request.Request(\n"
		  "     '{base}{path}',\n"
		  "g    json.dumps({'email': 'lead@example.com', 'event': 'test'}).encode(),\n"
		  "o    open('payload.json', 'rb').read(),\n"
		  "     {\n"
		  "         'Content-Type': 'application/json',\n"
		  "s        'X-Api-Secret': '{secret}',\n"
		  "     },\n"
		  " )\n"
		  " with urllib.request.urlopen(request, timeout=30) as answer:\n"
		  "     print(answer.status, answer.read().decode())\n"},
	{{"php", "PHP"},
	 escape_php,
	 .lines =
		 " <?php\n"
		 " $context = stream_context_create(['http' => [\n"
		 "     'method' => 'POST',\n"
		 "     'header' => [\n"
		 "         'Content-Type: application/json',\n"
		 "s        'X-Api-Secret: {secret}',\n"
		 "     ],\n"
		 "g    'content' => json_encode(['email' => 'lead@example.com', 'event' => 'test']),\n"
		 "o    'content' => file_get_contents('payload.json'),\n"
		 "     'timeout' => 30,\n"
		 "     'ignore_errors' => true, // or the reason of a refusal is lost\n"
		 " ]]);\n"
		 " echo file_get_contents('{base}{path}', false, $context), \"\\n\";\n"},
	{{"fetch", "Script of a web page (fetch)"},
	 escape_script,
	 .only_signals = true,
	 .without_secret = true,
	 .lines = " // Everybody who sees the page sees the key: give the page one of its own.\n"
		  " fetch('{base}{path}', {\n"
		  "   method: 'POST',\n"
		  "   mode: 'no-cors',\n"
		  "   keepalive: true,\n"
		  "   body: JSON.stringify({ email: 'lead@example.com', event: 'test' }),\n"
		  " });\n"},
	{{"html", "HTML form"},
	 escape_html,
	 .only_signals = true,
	 .without_secret = true,
	 .lines = " <form method=\"post\" accept-charset=\"utf-8\" action=\"{base}{path}\">\n"
		  "   <input type=\"hidden\" name=\"event\" value=\"form_submission\">\n"
		  "   <label>Email <input type=\"email\" name=\"email\" required></label>\n"
		  "   <button>Send</button>\n"
		  " </form>\n"},
	{{"segment", "Segment (Node.js)"},
	 escape_script,
	 .only_signals = true,
	 .without_secret = true,
	 .lines = " // npm install @segment/analytics-node\n"
		  " // A webhooks destination needs no code: {base}{path}\n"
		  " const { Analytics } = require('@segment/analytics-node');\n"
		  " \n"
		  " const analytics = new Analytics({\n"
		  "   writeKey: '{key}',\n"
		  "   host: '{origin}',\n"
		  "   path: '{prefix}{path}/batch',\n"
		  " });\n"
		  " analytics.track({ userId: 'test', event: 'test' });\n"
		  " analytics.closeAndFlush();\n"},
	{{"rudderstack", "RudderStack (Node.js)"},
	 escape_script,
	 .only_signals = true,
	 .lines = " // npm install @rudderstack/rudder-sdk-node\n"
		  " // A webhook destination needs no code: {base}{path}\n"
		  " const Analytics = require('@rudderstack/rudder-sdk-node');\n"
		  " \n"
		  " const analytics = new Analytics('{key}', {\n"
		  "   dataPlaneUrl: '{origin}',\n"
		  "   path: '{prefix}{path}/batch',\n"
		  "   axiosConfig: { headers: {\n"
		  "     'X-Source': 'rudderstack',\n"
		  "s    'X-Api-Secret': '{secret}',\n"
		  "   } },\n"
		  " });\n"
		  " analytics.track({ userId: 'test', event: 'test' });\n"
		  " analytics.flush();\n"},
	{{"hubspot", "HubSpot"},
	 escape_nothing,
	 .only_signals = true,
	 .without_secret = true,
	 .lines = " Target URL of the app's webhook subscriptions:\n"
		  "   {base}/api/signal-staging/webhook/hubspot/{key}\n"
		  " Repeats are stored once if the delivery ID of the key is eventId.\n"},
	{{"urls", "URLs and headers"},
	 escape_nothing,
	 .lines = "gOne signal, or an array of them:\n"
		  "oOne account, or an array of them:\n"
		  "   {base}{path}\n"
		  "gThe same from a source that you name:\n"
		  "g  {base}/api/signal-staging/webhook/my-source/{key}\n"
		  "gA batch, such as {\"batch\":[...]}:\n"
		  "g  {base}{path}/batch\n"
		  "gMany lines of JSON in one transaction:\n"
		  "g  {base}/api/signal-staging/bulk/{key}\n"
		  "sThe header that every request must have:\n"
		  "s  X-Api-Secret: {secret}\n"},
};

static const struct entry *entry_of(const struct snippet *snippet)
{
	for (size_t i = 0; i < ARRAY_LENGTH(entries); i++)
		if (snippet == &entries[i].snippet)
			return &entries[i];
	return &entries[0];
}

const struct snippet *snippet_at(size_t i)
{
	return i < ARRAY_LENGTH(entries) ? &entries[i].snippet : NULL;
}

const struct snippet *snippet_named(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(entries); i++)
		if (slice_equal(name, slice_of(entries[i].snippet.name)))
			return &entries[i].snippet;
	return NULL;
}

static bool is_for_signals(const struct snippet_key *key)
{
	return slice_equal(key->endpoint_type, SLICE("signal_staging"));
}

const char *snippet_obstacle(const struct snippet *snippet, const struct snippet_key *key)
{
	const struct entry *entry = entry_of(snippet);

	if (entry->only_signals && !is_for_signals(key))
		return "it is for keys of the type signal_staging";
	if (entry->without_secret && key->secret.p != NULL)
		return "it cannot send the secret that the key needs";
	return NULL;
}

/* ---- values ---- */

void snippet_add_path(struct buf *out, const struct snippet_key *key)
{
	buf_add_text(out, is_for_signals(key) ? "/api/signal-staging/webhook/"
					      : "/api/product-orgs/webhook/");
	buf_add_slice(out, key->key);
}

/* The length of "https://host" in a base. */
static size_t origin_length(struct slice base)
{
	size_t slashes = 0, n = 0;

	for (; n < base.n; n++)
		if (base.p[n] == '/' && ++slashes == 3)
			break;
	return n;
}

static void add_escaped(struct buf *out, const struct entry *entry, struct slice value)
{
	for (size_t i = 0; i < value.n; i++)
		entry->escape(out, value.p[i]);
}

/* Appends the value that the text begins with the name of, and returns the name's length; 0: it
 * begins with none. */
static size_t add_value(struct buf *out, const struct entry *entry, const struct snippet_key *key,
			struct slice text)
{
	const size_t origin = origin_length(key->base);
	const struct {
		struct slice name, value;
	} values[] = {
		{SLICE("{base}"), key->base},
		{SLICE("{origin}"), {key->base.p, origin}},
		{SLICE("{prefix}"), {key->base.p + origin, key->base.n - origin}},
		{SLICE("{key}"), key->key},
		{SLICE("{secret}"), key->secret},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(values); i++)
		if (slice_starts(text, values[i].name)) {
			add_escaped(out, entry, values[i].value);
			return values[i].name.n;
		}
	if (!slice_starts(text, SLICE("{path}")))
		return 0;
	snippet_add_path(out, key); /* has nothing to escape: a key is of letters and digits */
	return SLICE("{path}").n;
}

/* ---- lines ---- */

static bool is_wanted(char mark, const struct snippet_key *key)
{
	switch (mark) {
	case 's':
		return key->secret.p != NULL;
	case 'g':
		return is_for_signals(key);
	case 'o':
		return !is_for_signals(key);
	default:
		return true;
	}
}

static void add_line(struct buf *out, const struct entry *entry, const struct snippet_key *key,
		     struct slice line)
{
	while (line.n > 0) {
		size_t n = add_value(out, entry, key, line);

		if (n == 0) {
			buf_add_char(out, *line.p);
			n = 1;
		}
		line = (struct slice){line.p + n, line.n - n};
	}
}

void snippet_add(struct buf *out, const struct snippet *snippet, const struct snippet_key *key,
		 const char *indent)
{
	const struct entry *entry = entry_of(snippet);
	bool first = true;

	for (const char *line = entry->lines, *end; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		if (!is_wanted(*line, key))
			continue;
		if (!first)
			buf_add_format(out, "\n%s", indent);
		first = false;
		add_line(out, entry, key, (struct slice){line + 1, (size_t)(end - line - 1)});
	}
}

void snippet_json(struct json_tree *tree, struct json_object *array, const struct snippet *only,
		  const struct snippet_key *key)
{
	struct buf text = buf_make(TEXT_BYTES_MAX);
	const struct snippet *one;

	for (size_t i = 0; (one = snippet_at(i)) != NULL; i++) {
		if ((only != NULL && one != only) || snippet_obstacle(one, key) != NULL)
			continue;
		struct json_object *object = json_tree_object(tree, array, NULL);
		text.n = 0;
		snippet_add(&text, one, key, "");
		json_tree_text(tree, object, "name", slice_of(one->name));
		json_tree_text(tree, object, "title", slice_of(one->title));
		json_tree_text(tree, object, "text", buf_slice(&text));
	}
	if (text.status != STATUS_OK)
		tree->status = text.status;
	if (text.p != NULL)
		credential_forget(text.p, text.size);
	buf_free(&text);
}

void snippet_add_token(struct buf *out, struct slice base, const char *token)
{
	buf_add_text(out, "curl -sS -H @- '");
	buf_add_slice(out, base);
	buf_add_format(out, "/api/settings/me' <<'END'\nAuthorization: Bearer %s\nEND", token);
}

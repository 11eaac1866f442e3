/*
 * fuzz_header.c - CGI variables, one NAME=value a line, as far as the head of a request: what is
 * accepted is within the rules, what is sent twice is not, no value gets out of its line, and only
 * a proxy can say who the client is.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "http/client.h"
#include "http/coding.h"
#include "http/problem.h"
#include "http/response.h"
#include "intake/intake.h"

enum { VARIABLES_MOST = 64 };

static const struct config config = {
	.single_body_bytes = 1 << 20,
	.batch_body_bytes = 8 << 20,
	.bulk_body_bytes = 256 << 20,
	.request_timeout_ms = 10000,
	.bulk_timeout_ms = 300000,
};

/* How often a variable is there with something else than blanks; *value is one of them. */
static unsigned occurrences(char *const *variables, const char *name, const char **value)
{
	unsigned count = 0;
	size_t n = strlen(name);

	*value = "";
	for (; *variables != NULL; variables++) {
		if (strncmp(*variables, name, n) == 0 && (*variables)[n] == '=') {
			*value = *variables + n + 1;
			count += (*value)[strspn(*value, " \t\r")] != '\0';
		}
	}
	return count;
}

static void check_head(const struct intake *intake, char *const *variables)
{
	const char *value;

	unsigned secrets = occurrences(variables, "HTTP_X_API_SECRET", &value);
	CHECK(secrets <= 1 && intake->commit.has_secret == (secrets == 1));
	CHECK(occurrences(variables, "HTTP_X_SOURCE", &value) <= 1);
	CHECK(intake->given_source.p == NULL || signal_source_is_valid(intake->given_source));
	CHECK(intake->http->content_length <= (int64_t)intake_body_max(intake));
	if (intake->strict)
		CHECK(occurrences(variables, "HTTP_PREFER", &value) > 0);
	if (intake->coding == HTTP_CODING_GZIP || intake->coding == HTTP_CODING_DEFLATE)
		CHECK(occurrences(variables, "HTTP_CONTENT_ENCODING", &value) == 1 &&
		      strncasecmp(value + strspn(value, " \t\r"), "identity", 8) != 0);
	CHECK(intake->commit.request_id.n > 0);
}

/* Lines of names and values, each ended by CR LF, and an empty one; then a body that is JSON. */
static void check_answer(const struct http_request *http, enum status status, const char *detail)
{
	struct http_response response = http_response_make();
	struct buf head = buf_make(SIZE_MAX / 2);

	http_problem(&response, http, status, detail);
	http_response_head(&response, http, &head);
	buf_add_char(&head, '\0');
	CHECK(head.status == STATUS_OK && strlen(head.p) == head.n - 1);
	unsigned lines = 0;
	for (const char *p = head.p; *p != '\0'; lines++) {
		size_t line = strcspn(p, "\r\n");
		CHECK(p[line] == '\r' && p[line + 1] == '\n');
		CHECK((line == 0) == (p[line + 2] == '\0'));
		p += line + 2;
	}
	/* Status, Content-Type, X-Request-Id, Cache-Control, perhaps Retry-After; the empty one. */
	CHECK(lines == (response.retry_after_s > 0 ? 6 : 5));
	CHECK(json_text_check(buf_slice(&response.body), &fuzz_limits, NULL, NULL, NULL) ==
	      STATUS_OK);
	buf_free(&head);
	http_response_free(&response);
}

/* What is written is read as the same again. */
static void check_address(const struct address *address)
{
	struct buf text = buf_make(ADDRESS_CHARS);
	struct address again;

	address_add(&text, address);
	CHECK(text.status == STATUS_OK);
	CHECK(address_read(buf_slice(&text), &again) == (address->size > 0));
	CHECK(address_is_same(address, &again));
	buf_free(&text);
}

static void check_client(const struct http_request *http)
{
	static const struct network_list none;
	struct network_list proxies;
	const char *value;

	CHECK(network_list_read(SLICE("10.0.0.0/8, 2001:db8::/32"), &proxies));
	struct address peer = http_client_address(http, &none);
	struct address client = http_client_address(http, &proxies);
	check_address(&peer);
	check_address(&client);
	CHECK(peer.size == 0 || occurrences(http->variables, "REMOTE_ADDR", &value) == 1);
	if (!network_list_has(&proxies, &peer))
		CHECK(address_is_same(&client, &peer));
	else if (occurrences(http->variables, "HTTP_X_FORWARDED_FOR", &value) == 0)
		CHECK(address_is_same(&client, &peer) || client.size == 0);
	else if (occurrences(http->variables, "HTTP_X_FORWARDED_FOR", &value) > 1)
		CHECK(client.size == 0);
}

static void check_variables(char *const *variables, enum intake_kind kind)
{
	struct http_request http;
	struct intake intake;
	struct arena arena = {0};

	CHECK(http_request_read(&http, variables) == STATUS_OK);
	CHECK(http.content_length >= -1);
	check_client(&http);
	CHECK(http.request_id[0] != '\0' && http.request_id[HTTP_REQUEST_ID_CHARS] == '\0');
	intake_init(&intake, &config, &arena, &http, kind);
	intake.key = SLICE(FUZZ_KEY);
	enum status status = intake_head(&intake);
	CHECK(status == STATUS_OK || problem_of(status)->http / 100 == 4);
	CHECK(status != STATUS_UNAUTHENTICATED); /* the key is sound */
	if (status == STATUS_OK)
		check_head(&intake, variables);
	check_answer(&http, status == STATUS_OK ? STATUS_BUSY : status, intake.detail);
	intake_free(&intake);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text = {(const char *)data, n};
	struct fuzz_random random = fuzz_random_of(text);
	char *variables[VARIABLES_MOST + 1] = {NULL};

	for (size_t i = 0; i < VARIABLES_MOST && text.n > 0; i++)
		variables[i] = fuzz_copy(fuzz_take(&text, '\n'));
	check_variables(variables, (enum intake_kind)fuzz_random_next(&random, 3));
	for (size_t i = 0; variables[i] != NULL; i++)
		free(variables[i]);
	return 0;
}

/*
 * fuzz_json_text.c - one JSON text: the scanner and the oracle accept the same texts, json-c reads
 * all of them, and what it reads is what they mean, before and after a repair.
 */
#include <json-c/json.h>
#include <string.h>

#include "fuzz.h"
#include "json/scan.h"
#include "oracle.h"

/* Limits that are never passed, so that only the grammar decides. */
static const struct json_limits no_limits = {
	.item_bytes = 1 << 20,
	.items = 1 << 20,
	.depth = 1 << 20,
	.number_digits = 1 << 20,
	.number_exponent = 1 << 30,
};

static enum status feed_scan(void *context, const char *bytes, size_t n)
{
	struct json_scan *scan = context;
	size_t used = 0;

	if (n == 0)
		return STATUS_OK;
	return json_scan_feed(scan, bytes, n, &used) == JSON_SCAN_FAILED ? scan->status : STATUS_OK;
}

/* In pieces the same is found at the same place. */
static void check_pieces(struct slice text, const struct json_limits *limits)
{
	struct fuzz_random random = fuzz_random_of(text);
	uint64_t offset;
	const char *reason;
	bool needs_repair;
	struct json_scan scan;
	enum status whole = json_text_check(text, limits, &offset, &reason, &needs_repair);

	json_scan_open(&scan, limits->depth, limits->number_digits, limits->number_exponent);
	enum status status = fuzz_in_pieces(&random, text, feed_scan, &scan);
	if (status == STATUS_OK)
		status = json_scan_end(&scan);
	if (status == STATUS_OK && scan.problem != STATUS_OK) {
		CHECK(whole == scan.problem && offset == scan.problem_offset);
		CHECK(reason == scan.problem_reason);
	} else {
		CHECK(whole == status);
		CHECK(offset == (status == STATUS_OK ? text.n : scan.bad_offset));
		CHECK(status == STATUS_OK || strcmp(reason, scan.reason) == 0);
	}
	CHECK(offset <= text.n && needs_repair == scan.needs_repair);
	json_scan_close(&scan);
}

static void check_reading(struct slice text, struct slice meant)
{
	struct json_object *value = oracle_parse(text);

	while (meant.n > 0 && strchr(" \t\r\n", *meant.p) != NULL)
		meant = (struct slice){meant.p + 1, meant.n - 1};
	while (meant.n > 0 && strchr(" \t\r\n", meant.p[meant.n - 1]) != NULL)
		meant.n--;
	CHECK(oracle_same(meant, value));
	json_object_put(value);
}

static void check_repair(struct slice text)
{
	struct buf repaired = buf_make(text.n);
	bool needs_repair = true;

	json_text_repair(text, &repaired);
	CHECK(repaired.status == STATUS_OK);
	CHECK(json_text_check(buf_slice(&repaired), &no_limits, NULL, NULL, &needs_repair) ==
	      STATUS_OK);
	CHECK(!needs_repair);
	check_reading(buf_slice(&repaired), text);
	buf_free(&repaired);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text = {(const char *)data, n};
	bool needs_repair = false;
	enum status status = json_text_check(text, &no_limits, NULL, NULL, &needs_repair);

	check_pieces(text, &no_limits);
	check_pieces(text, &fuzz_limits);
	/* What nests millions deep is refused unread; nothing here is long enough for that. */
	CHECK((status == STATUS_OK) == oracle_text(text));
	if (status == STATUS_OK && !needs_repair)
		check_reading(text, text);
	if (status == STATUS_OK)
		check_repair(text);
	return 0;
}

/*
 * fuzz_json_edit.c - edits of an item: the first line is the default for "context", the rest the
 * item. The result is JSON, defaults are there, and all other members are as they were.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "json/edit.h"
#include "oracle.h"

static void members_of(struct slice object, struct oracle_members *members)
{
	struct oracle oracle = oracle_of(object);

	CHECK(oracle_members(&oracle, members));
}

/* The received members in their order, behind the added ones. */
static void check_members(const struct oracle_members *before, const struct oracle_members *after,
			  size_t added)
{
	size_t at = added;

	for (size_t i = 0; i < before->count; i++) {
		const struct oracle_member *member = &before->list[i];
		CHECK(at < after->count);
		CHECK(slice_equal(buf_slice(&after->list[at].name), buf_slice(&member->name)));
		CHECK(slice_equal(after->list[at++].value, member->value));
	}
	CHECK(at == after->count);
}

static void check_edit(struct slice object, struct slice context)
{
	const struct json_default defaults[] = {{"context", context}, {"timestamp", {NULL, 0}}};
	const struct json_edits edits = {defaults, 2};
	struct arena arena = {0};
	struct oracle_members before, after;
	struct slice out;

	CHECK(json_edit(&arena, object, &edits, &out) == STATUS_OK);
	CHECK(json_text_check(out, &fuzz_limits, NULL, NULL, NULL) == STATUS_OK);
	members_of(object, &before);
	members_of(out, &after);
	size_t added = 0;
	if (context.p != NULL && oracle_find(&before, SLICE("context")) == NULL) {
		added = 1; /* in front, so that nothing of the item's own is overruled */
		CHECK(slice_equal(buf_slice(&after.list[0].name), SLICE("context")));
		CHECK(slice_equal(after.list[0].value, context));
	}
	check_members(&before, &after, added);
	oracle_members_free(&before);
	oracle_members_free(&after);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice object = {(const char *)data, n};
	struct slice context = fuzz_take(&object, '\n');

	/* Both are values alone, without white space around them. */
	if (context.n == 0 || memchr(" \t\r", context.p[0], 3) != NULL ||
	    memchr(" \t\r", context.p[context.n - 1], 3) != NULL ||
	    json_text_check(context, &fuzz_limits, NULL, NULL, NULL) != STATUS_OK)
		context = SLICE_ABSENT;
	if (object.n == 0 || object.p[0] != '{' || object.p[object.n - 1] != '}' ||
	    json_text_check(object, &fuzz_limits, NULL, NULL, NULL) != STATUS_OK)
		return 0;
	check_edit(object, context);
	return 0;
}

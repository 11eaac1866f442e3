/*
 * fuzz_signal.c - an accepted item: what is read from it is text that PostgreSQL takes, and so is
 * the payload.
 */
#include <string.h>

#include "fuzz.h"
#include "oracle.h"
#include "signal.h"

enum { VALUE_MOST = 1024 };

#define END_US (INT64_C(253402300800) * 1000000)

/* Valid UTF-8 without byte 0: the oracle reads it as a string whose controls were escaped. */
static void check_value(struct slice text)
{
	struct buf quoted = buf_make(SIZE_MAX / 2), meant = buf_make(SIZE_MAX / 2);

	if (text.p == NULL)
		return;
	CHECK(text.n > 0 && text.n <= VALUE_MOST && memchr(text.p, '\0', text.n) == NULL);
	buf_add_json(&quoted, text);
	struct oracle oracle = oracle_of(buf_slice(&quoted));
	CHECK(oracle_string(&oracle, &meant));
	CHECK(slice_equal(buf_slice(&meant), text));
	buf_free(&quoted);
	buf_free(&meant);
}

static void check_payload(struct slice text, bool needs_repair, const struct signal *signal)
{
	bool still = true;

	CHECK(json_text_check(signal->payload, &fuzz_limits, NULL, NULL, &still) == STATUS_OK);
	CHECK(!still && signal->payload.n <= text.n);
	CHECK((signal->payload_raw.p != NULL) == needs_repair);
	CHECK(slice_equal(needs_repair ? signal->payload_raw : signal->payload, text));
}

static void check_signal(struct slice text, bool needs_repair, struct slice source)
{
	struct arena arena = {0};
	struct signal signal;

	CHECK(signal_read(&arena, text, needs_repair, source, &signal) == STATUS_OK);
	CHECK(signal.source.p != NULL && (source.p == NULL || slice_equal(signal.source, source)));
	const struct slice values[] = {signal.source,	 signal.event_type, signal.event_name,
				       signal.email,	 signal.user_id,    signal.anonymous_id,
				       signal.message_id};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		check_value(values[i]);
	for (size_t i = 0; i < signal.email.n; i++)
		CHECK(signal.email.p[i] < 'A' || signal.email.p[i] > 'Z');
	CHECK(!signal.cold || (signal.email.p == NULL && signal.user_id.p == NULL));
	CHECK(signal.occurred_at_us == INT64_MIN ||
	      (signal.occurred_at_us >= 0 && signal.occurred_at_us < END_US));
	check_payload(text, needs_repair, &signal);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text = {(const char *)data, n};
	bool needs_repair;

	if (n == 0 || data[0] != '{' || data[n - 1] != '}' ||
	    json_text_check(text, &fuzz_limits, NULL, NULL, &needs_repair) != STATUS_OK)
		return 0;
	check_signal(text, needs_repair, (struct slice){NULL, 0});
	check_signal(text, needs_repair, SLICE("given"));
	return 0;
}

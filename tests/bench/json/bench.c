/*
 * bench.c - what is done with a text beside json-c's parse of it: `make bench-json`.
 *
 * json_text_check decides what is JSON; template_apply, with a template of ten fields, and
 * signal_read go from a text to a row. Each takes turns with json-c on each text, because two
 * measurements of the same thing minutes apart differ by more than many an improvement. The ratio
 * is taken round by round. Exits with 1 when one of ours is slower than json-c, which finds no
 * value yet, on any text, by the median.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../bench_texts.h"
#include "json/text.h"
#include "model/signal.h"
#include "model/template.h"

enum { ROUNDS = 15, BYTES_A_ROUND = 32 << 20, LARGE = 1 << 20 };

#define RECEIVED_US (INT64_C(1794000000) * 1000000)

static const struct signal_given given = {.received_us = RECEIVED_US};

static const struct json_limits limits = {
	.item_bytes = SIZE_MAX,
	.items = UINT64_MAX,
	.depth = 64,
	.number_digits = 400,
	.number_exponent = 400,
};

static const char seed[] = BENCH_SEED;
static const char ten_fields[] = BENCH_TEN_FIELDS;
static const char flat[] =
	"{\"groupId\":\"acct-2077\",\"traits\":{\"name\":\"Example Ltd\",\"mrr\":129900}}";

static const char group_call[] = BENCH_GROUP_CALL;

static void add_event(struct buf *out, unsigned number)
{
	buf_add_format(out,
		       "{\"type\":\"track\",\"event\":\"Order "
		       "Completed\",\"messageId\":\"node-next-1704067200000"
		       "-%08x-bc04-4f3a-9b62-5a1d1c54c9f0\",\"userId\":\"user-%u\",\"timestamp\":"
		       "\"2024-01-01T12:34:56.789Z\",\"integrations\":{},\"properties\":{\"order_"
		       "id\":\"%u\","
		       "\"total\":%u.95,\"currency\":\"EUR\",\"coupon\":null,\"gift\":false,"
		       "\"products\":[{"
		       "\"product_id\":\"507f1f77bcf86cd799439011\",\"name\":\"Gr\xc3\xbc\xc3\x9f"
		       "e \\\"Monopoly\\\"\","
		       "\"price\":19,\"quantity\":1},{\"product_id\":\"505bd76785ebb509fc183733\","
		       "\"name\":"
		       "\"Uno\",\"price\":3.5,\"quantity\":2}]},\"context\":{\"library\":{\"name\":"
		       "\"@segment/"
		       "analytics-node\",\"version\":\"3.1.0\"},\"ip\":\"192.0.2.7\",\"userAgent\":"
		       "\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like "
		       "Gecko)\",\"page\":{"
		       "\"url\":\"https://yoursite.com/checkout?step=3\",\"title\":\"Checkout\"}}}",
		       number * 2654435761U, number, number, number % 1000);
}

static void add_number(struct buf *out, unsigned number)
{
	switch (number % 3) {
	case 0:
		buf_add_format(out, "%u", number * 2654435761U);
		break;
	case 1:
		buf_add_format(out, "-%u.%05u", number, number % 100000);
		break;
	default:
		buf_add_format(out, "%u.5e-%u", number % 10, number % 30);
	}
}

static struct buf array_of(void (*add)(struct buf *out, unsigned number))
{
	struct buf text = buf_make(2 * LARGE);

	buf_add_text(&text, "[");
	for (unsigned number = 0; text.n < LARGE && text.status == STATUS_OK; number++) {
		if (number > 0)
			buf_add_text(&text, ",");
		add(&text, number);
	}
	buf_add_text(&text, "]");
	return text;
}

static void die(const char *what)
{
	fprintf(stderr, "bench-json: %s\n", what);
	exit(2);
}

static void check(struct slice text)
{
	if (json_text_check(text, &limits, NULL, NULL, NULL) != STATUS_OK)
		die("the JSON pass refuses the text");
}

static void parse(struct slice text)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *value = json_tokener_parse_ex(tokener, text.p, (int)text.n);

	if (value == NULL)
		die("json-c refuses the text");
	json_object_put(value);
	json_tokener_free(tokener);
}

static struct arena compiled_arena, row_arena;
static struct template *compiled;

static void compile(struct slice text)
{
	struct template_fault fault;

	arena_reset(&compiled_arena);
	if (template_compile(&compiled_arena, text, &compiled, &fault) != STATUS_OK)
		die("the template is refused");
}

static void apply(struct slice text)
{
	struct product_org row;

	arena_reset(&row_arena);
	if (template_apply(compiled, &row_arena, text, false, RECEIVED_US, &row) != STATUS_OK)
		die("the template finds no product_org_id");
}

static void read_signal(struct slice text)
{
	struct signal signal;

	arena_reset(&row_arena);
	if (signal_read(&row_arena, text, false, &given, &signal) != STATUS_OK)
		die("the signal is refused");
}

/* Megabytes (10^6 bytes) a second of CPU time, over many repetitions. */
static double rate(void (*work)(struct slice text), struct slice text)
{
	size_t times = BYTES_A_ROUND / text.n + 1;
	struct timespec start, end;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	for (size_t i = 0; i < times; i++)
		work(text);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	double seconds =
		(double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	return (double)(times * text.n) / seconds / 1e6;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(values[0]), by_size);
	return values[ROUNDS / 2];
}

/* Returns whether the JSON pass is at least as fast. */
static bool compare(const char *name, struct slice text)
{
	double ours[ROUNDS], theirs[ROUNDS], ratios[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		ours[i] = rate(check, text);
		theirs[i] = rate(parse, text);
		ratios[i] = ours[i] / theirs[i];
	}
	double ratio = median(ratios);
	printf("| %s | %zu | %.0f | %.0f | %.2f (%.2f-%.2f) |\n", name, text.n, median(ours),
	       median(theirs), ratio, ratios[0], ratios[ROUNDS - 1]);
	return ratio >= 1.0;
}

/* Microseconds of one call, from megabytes a second. */
static double microseconds(struct slice text, double rate)
{
	return (double)text.n / rate;
}

/* Returns whether making a row costs less than parsing. */
static bool compare_row(const char *name, void (*make)(struct slice text), struct slice text)
{
	double checks[ROUNDS], makes[ROUNDS], parses[ROUNDS], ratios[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		checks[i] = microseconds(text, rate(check, text));
		makes[i] = microseconds(text, rate(make, text));
		parses[i] = microseconds(text, rate(parse, text));
		ratios[i] = makes[i] / parses[i];
	}
	double ratio = median(ratios);
	printf("| %s | %zu | %.2f | %.2f (", name, text.n, median(checks), median(makes));
	printf("%.2f-%.2f) | %.2f (", makes[0], makes[ROUNDS - 1], median(parses));
	printf("%.2f-%.2f) | %.2f (%.2f-%.2f) |\n", parses[0], parses[ROUNDS - 1], ratio, ratios[0],
	       ratios[ROUNDS - 1]);
	return ratio < 1.0;
}

/* A group call with events in it that no path leads to. */
static struct buf large_call(struct slice events)
{
	struct buf text = buf_make(4 * LARGE);

	buf_add(&text, group_call, sizeof(group_call) - 2);
	buf_add_text(&text, ",\"events\":");
	buf_add_slice(&text, events);
	buf_add_char(&text, '}');
	return text;
}

static bool compare_rows(struct slice events)
{
	struct slice template = SLICE(ten_fields);
	struct buf large = large_call(events);
	bool fast = large.status == STATUS_OK;
	double compiles[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		compiles[i] = microseconds(template, rate(compile, template));
	printf("\n| row | bytes | json_text_check \xc2\xb5s | to the row \xc2\xb5s | json-c "
	       "\xc2\xb5s | ratio |\n|---|---|---|---|---|---|\n");
	if (!fast)
		die("out of memory");
	fast &= compare_row("signal: the seed request", read_signal, SLICE(seed));
	fast &= compare_row("signal: a group call", read_signal, SLICE(group_call));
	fast &= compare_row("signal: with 1 MB of events", read_signal, buf_slice(&large));
	fast &= compare_row("template: a few members", apply, SLICE(flat));
	fast &= compare_row("template: a group call", apply, SLICE(group_call));
	fast &= compare_row("template: with 1 MB of events", apply, buf_slice(&large));
	printf("\nten fields; compiling their template takes %.2f \xc2\xb5s\n", median(compiles));
	arena_free(&compiled_arena);
	arena_free(&row_arena);
	buf_free(&large);
	return fast;
}

int main(void)
{
	struct buf events = array_of(add_event), numbers = array_of(add_number);
	bool fast = events.status == STATUS_OK && numbers.status == STATUS_OK;

	if (!fast)
		die("out of memory");
	printf("| text | bytes | json_text_check MB/s | json-c MB/s | ratio |\n"
	       "|---|---|---|---|---|\n");
	fast &= compare("the seed request", slice_of(seed));
	fast &= compare("1 MB of events", buf_slice(&events));
	fast &= compare("1 MB of numbers", buf_slice(&numbers));
	printf("\n%d alternating rounds of %d MB each; medians, CPU time\n", ROUNDS,
	       BYTES_A_ROUND / 1000000);
	fast &= compare_rows(buf_slice(&events));
	buf_free(&events);
	buf_free(&numbers);
	return fast ? 0 : 1;
}

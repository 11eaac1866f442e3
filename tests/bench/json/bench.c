/*
 * bench.c - the strict byte pass beside json-c's parse of the same text: `make bench-json`.
 *
 * json_text_check decides what is JSON; json_parse (json-c) finds the members. They take turns on
 * each text, because two measurements of the same thing minutes apart differ by more than many an
 * improvement. The ratio is taken round by round. Exits with 1 when the byte pass is the slower
 * one on any text, by the median.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "json.h"
#include "json_text.h"

enum { ROUNDS = 15, BYTES_A_ROUND = 32 << 20, LARGE = 1 << 20 };

static const struct json_limits limits = {
	.item_bytes = SIZE_MAX,
	.items = UINT64_MAX,
	.depth = 64,
	.number_digits = 400,
	.number_exponent = 400,
};

static const char seed[] =
	"{\"email\": \"lead@example.com\", \"event\": \"form_submission\", \"properties\": "
	"{\"form_name\": \"Contact Form\", \"page_url\": \"https://yoursite.com/contact\"}}";

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
		die("the byte pass refuses the text");
}

static void parse(struct slice text)
{
	struct json_object *value = NULL;

	if (json_parse(text, &value) != STATUS_OK)
		die("json-c refuses the text");
	json_release(value);
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

/* Returns whether the byte pass is at least as fast. */
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
	buf_free(&events);
	buf_free(&numbers);
	return fast ? 0 : 1;
}

/*
 * test_metrics.c - the workers' counters in Prometheus' text format.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/stats.h"
#include "captured_log.h"
#include "check_main.h"
#include "server/metrics.h"
#include "server/route.h"

static struct buf out;

static void set_up(void)
{
	captured_log_start();
	out = buf_make(1 << 20);
	stats_open("", metrics_layout(), STATS_WORKER);
}

static void tear_down(void)
{
	stats_close();
	buf_free(&out);
	captured_log_stop();
}

static const char *written(bool database_up)
{
	buf_reset(&out, 0);
	metrics_add(&out, database_up);
	buf_add_char(&out, '\0');
	ck_assert_int_eq(out.status, STATUS_OK);
	return out.p;
}

static unsigned number_of(const char *path)
{
	for (unsigned i = 0; route_counted(i) != NULL; i++) {
		if (strcmp(route_counted(i), path) == 0)
			return i;
	}
	ck_abort_msg("no route %s", path);
	return 0;
}

START_TEST(requests_are_shown_by_route_and_http_status)
{
	unsigned health = number_of("/health");
	struct stats *stats = stats_mine();

	stats_add(&stats->requests[health][STATUS_OK], 3);
	stats_add(&stats->requests[0][STATUS_NOT_FOUND], 2);
	stats_add(&stats->requests[0][STATUS_NO_MEMORY], 1);
	stats_add(&stats->requests[0][STATUS_BUSY], 1);
	const char *text = written(true);
	check_says(text, "\nsluice_requests_total{route=\"/health\",status=\"200\"} 3\n");
	check_says(text, "\nsluice_requests_total{route=\"none\",status=\"404\"} 2\n");
	check_says(text, "\nsluice_requests_total{route=\"none\",status=\"503\"} 2\n");
	check_says(text, "\nsluice_problems_total{code=\"not_found\"} 2\n");
	check_says(text, "\nsluice_problems_total{code=\"busy\"} 1\n");
	check_says(text, "\nsluice_problems_total{code=\"internal_error\"} 0\n");
	check_says(text, "\nsluice_shed_requests_total 1\n");
	ck_assert_ptr_null(strstr(text, "code=\"ok\""));
	ck_assert_ptr_null(strstr(text, "code=\"accepted\""));
}
END_TEST

/* Buckets hold all that is below their bound. */
START_TEST(histograms_are_cumulative)
{
	static const char bulk[] = "/api/signal-staging/bulk/{key}";
	struct stats_histogram *histogram = &stats_mine()->request_us[number_of(bulk)];

	stats_observe(histogram, stats_durations_us, 1500);
	stats_observe(histogram, stats_durations_us, 2600000);
	stats_observe(&stats_mine()->group_requests, stats_sizes, 600);
	const char *text = written(true);
	check_says(text, "_bucket{route=\"/api/signal-staging/bulk/{key}\",le=\"0.001\"} 0\n");
	check_says(text, "_bucket{route=\"/api/signal-staging/bulk/{key}\",le=\"0.0025\"} 1\n");
	check_says(text, "_bucket{route=\"/api/signal-staging/bulk/{key}\",le=\"5\"} 2\n");
	check_says(text, "_bucket{route=\"/api/signal-staging/bulk/{key}\",le=\"+Inf\"} 2\n");
	check_says(text, "_sum{route=\"/api/signal-staging/bulk/{key}\"} 2.601500\n");
	check_says(text, "_count{route=\"/api/signal-staging/bulk/{key}\"} 2\n");
	check_says(text, "\nsluice_group_requests_bucket{le=\"512\"} 0\n"
			 "sluice_group_requests_bucket{le=\"+Inf\"} 1\n"
			 "sluice_group_requests_sum 600\nsluice_group_requests_count 1\n");
}
END_TEST

START_TEST(a_worker_shows_how_it_is)
{
	struct stats *stats = stats_mine();

	stats_set(&stats->slots, 512);
	stats_set(&stats->in_flight, 7);
	const char *text = written(true);
	check_says(text, "\nsluice_worker_slots{worker=\"0\"} 512\n");
	check_says(text, "\nsluice_worker_requests_in_flight{worker=\"0\"} 7\n");
	check_says(text, "\nsluice_worker_cpu_seconds_total{worker=\"0\"} ");
	const char *name = "\nsluice_worker_resident_memory_bytes{worker=\"0\"} ";
	const char *memory = strstr(text, name);
	ck_assert_ptr_nonnull(memory);
	ck_assert_uint_gt(strtoul(memory + strlen(name), NULL, 10), 4096);
	ck_assert_ptr_null(strstr(text, "worker=\"1\""));
}
END_TEST

START_TEST(it_says_whether_the_database_answers)
{
	check_says(written(_i == 1),
		   _i == 1 ? "\nsluice_database_up 1\n" : "\nsluice_database_up 0\n");
}
END_TEST

START_TEST(routes_have_numbers)
{
	struct arena arena = {0};
	struct route_match match;

	ck_assert_uint_eq(route_number(NULL), 0);
	ck_assert(!route_is_webhook(0));
	for (unsigned i = 1; route_counted(i) != NULL; i++) {
		bool webhook = strstr(route_counted(i), "{key}") != NULL;
		ck_assert_uint_lt(i, STATS_ROUTES);
		ck_assert_int_eq(route_is_webhook(i), webhook);
		enum status status = route_find(&arena, ROUTE_INTAKE, SLICE("GET"),
						slice_of(route_counted(i)), &match);
		ck_assert(status == STATUS_OK || webhook);
		ck_assert(webhook || route_number(match.route) == i);
	}
	arena_free(&arena);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tcase = tcase_create("metrics");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, requests_are_shown_by_route_and_http_status);
	tcase_add_test(tcase, histograms_are_cumulative);
	tcase_add_test(tcase, a_worker_shows_how_it_is);
	tcase_add_loop_test(tcase, it_says_whether_the_database_answers, 0, 2);
	tcase_add_test(tcase, routes_have_numbers);
	suite_add_tcase(suite, tcase);
	return suite;
}

/*
 * test_key.c - lists in parts: what the database is asked for keys, members, the history of a key
 * and usage, and where the next part of the keys begins.
 */
#include "key_row.h"
#include "settings/cgi_service.h"

static void set_up(void)
{
	service_set_up();
	libpq_show_by(key_show_call);
}

static const struct libpq_value document = {"{\"a\": 1}", 8};
static const struct libpq_result one_document = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &document};

/* The parameters behind the user's name; of a history behind the key's id. */
static const struct {
	const char *target, *sent;
} parts[] = {
	{"usage", "settings_usage|null|null|12"},
	{"usage?limit=3&before=2031-05&organization=4", "settings_usage|4|2031-05|3"},
	{"members", "settings_members|null|null|50|null"},
	{"members?limit=7&before=6f&match=ol%25", "settings_members|null|6f|7|ol%"},
	{"members?before=&match=", "settings_members|null|null|50|null"},
	{"keys/7/history", "settings_key_history|null|50|alice|null"},
	{"keys/7/history?limit=2&before=9&organization=4", "settings_key_history|9|2|alice|4"},
	{"audit?before=9", "settings_audit|null|9|50"},
};

START_TEST(a_part_is_asked_for)
{
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    LIBPQ_SEND(parts[_i].sent),
					    LIBPQ_ANSWER(&one_document),
					    LIBPQ_FINISH,
					    {0}};

	check_says(get(script, parts[_i].target), "{\"a\": 1}");
}
END_TEST

/* One more than is shown. */
static const struct {
	const char *target, *sent, *says;
	int rows;
} lists[] = {
	{"keys", "settings_keys|null|null|51|null|null|null", "\"next\":null}", 1},
	{"keys?limit=1", "settings_keys|null|null|2|null|null|null", "\"next\":null}", 1},
	{"keys?limit=1&before=9&match=x&status=active&endpoint_type=product_orgs&organization=4",
	 "settings_keys|4|9|2|x|product_orgs|active", "}],\"next\":7}", 2},
	{"keys?match=&status=&endpoint_type=", "settings_keys|null|null|51|null|null|null",
	 "{\"keys\":[],\"next\":null}", 0},
};

START_TEST(keys_are_asked_for)
{
	static struct libpq_value values[2 * KEY_ROW_MAX];
	struct libpq_result result = *key_row(true);

	for (int i = 0; i < 2 * result.columns; i++)
		values[i] = result.values[i % result.columns];
	result.values = values;
	result.rows = lists[_i].rows;
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    LIBPQ_SEND(lists[_i].sent),
					    LIBPQ_ANSWER(&result),
					    LIBPQ_FINISH,
					    {0}};

	check_says(get(script, lists[_i].target), lists[_i].says);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("key");
	TCase *tests = tcase_create("key");

	tcase_add_checked_fixture(tests, set_up, service_tear_down);
	tcase_add_loop_test(tests, a_part_is_asked_for, 0, LENGTH(parts));
	tcase_add_loop_test(tests, keys_are_asked_for, 0, LENGTH(lists));
	suite_add_tcase(suite, tests);
	return suite;
}

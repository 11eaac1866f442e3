/*
 * test_setup.c - sluicectl setup --dry-run over a libpq that plays scripts, for a server on another
 * host. What it changes is tested on real clusters (tests/package/test_setup.py).
 */
#include "scripted_tool.h"

#define CREATE "CREATE DATABASE sluice ENCODING 'UTF8' TEMPLATE template0"
#define ROLES  "sluice_intake,sluice_settings,sluice_maintenance"

static const struct libpq_value create = TOOL_VALUE(CREATE);
static const struct libpq_result missing = TOOL_ONE(&create);
static const struct libpq_value hba_value = TOOL_VALUE("/etc/pg_hba.conf");
static const struct libpq_result hba = TOOL_ONE(&hba_value);
static const struct libpq_value ident_value = TOOL_VALUE("/etc/pg_ident.conf");
static const struct libpq_result ident = TOOL_ONE(&ident_value);

static const struct tool_run *try_setup(const char *option)
{
	static const struct libpq_call script[] = {
		TOOL_CONNECT,	      LIBPQ_SEND(NULL),	  LIBPQ_ANSWER(&missing),
		LIBPQ_SEND(NULL),     LIBPQ_ANSWER(&hba), LIBPQ_SEND(NULL),
		LIBPQ_ANSWER(&ident), LIBPQ_FINISH,	  {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "setup", "--dry-run", option);

	ck_assert_str_eq(run->err, "");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
	return run;
}

/* The server's files are not this host's, so their lines are printed. */
START_TEST(what_would_be_done_is_listed)
{
	const struct tool_run *run = try_setup(NULL);

	ck_assert_str_eq(run->out,
			 "to be put at the beginning of /etc/pg_hba.conf:\n\n"
			 "local  sluice  " ROLES "  peer map=sluice\n\n"
			 "to be put at the beginning of /etc/pg_ident.conf:\n\n"
			 "sluice  sluice              sluice_intake\n"
			 "sluice  sluice-settings     sluice_settings\n"
			 "sluice  sluice-maintenance  sluice_maintenance\n\n"
			 "STEP      RESULT    DETAIL\n"
			 "database  would do  " CREATE "\n"
			 "schema    would do  apply all migrations\n"
			 "roles     would do  let each role log in\n"
			 "pg_hba    to do     /etc/pg_hba.conf\n"
			 "pg_ident  to do     /etc/pg_ident.conf\n\n"
			 "Next: start the workers and sluice-maintain.timer, then as root: "
			 "PGDATABASE=sluice sluicectl check\n");
}
END_TEST

START_TEST(steps_are_in_json)
{
	ck_assert_str_eq(
		try_setup("--json")->out,
		"{\"steps\":[{\"step\":\"database\",\"result\":\"would do\",\"detail\":\"" CREATE
		"\"},"
		"{\"step\":\"schema\",\"result\":\"would do\",\"detail\":\"apply all migrations\"},"
		"{\"step\":\"roles\",\"result\":\"would do\",\"detail\":\"let each role log in\"},"
		"{\"step\":\"pg_hba\",\"result\":\"to do\",\"detail\":\"/etc/pg_hba.conf\"},"
		"{\"step\":\"pg_ident\",\"result\":\"to do\",\"detail\":\"/etc/pg_ident.conf\"}]}\n");
}
END_TEST

START_TEST(workers_elsewhere_need_tls)
{
	const struct tool_run *run = try_setup("--from=192.0.2.10/32");

	check_says(run->out, "hostssl    sluice  " ROLES "  192.0.2.10/32  scram-sha-256\n"
			     "hostnossl  sluice  " ROLES "  192.0.2.10/32  reject\n");
	check_says(run->out, "sslmode=verify-full");
}
END_TEST

/* The address alone is that of one host. */
START_TEST(an_address_gets_its_mask)
{
	check_says(try_setup("--from=192.0.2.10")->out, "  192.0.2.10/32  scram-sha-256\n");
	check_says(try_setup("--from=2001:db8::1")->out, "  2001:db8::1/128  scram-sha-256\n");
	check_says(try_setup("--from=2001:db8::/64")->out, "  2001:db8::/64  scram-sha-256\n");
}
END_TEST

static const struct {
	const char *option, *says;
} refused[] = {
	{"--from=", "\"\" is not an address"},
	{"--from=samenet", "\"samenet\" is not an address"},
	{"--from=192.0.2.10/33", "\"192.0.2.10/33\" is not an address"},
	{"--from=::/129", "\"::/129\" is not an address"},
	{"--from=192.0.2.0/24 trust", "\"192.0.2.0/24 trust\" is not an address"},
	{"--database=", "\"\" is not a name for the database"},
	{"--database=all", "\"all\" is not a name for the database"},
	{"--database=a b", "\"a b\" is not a name for the database"},
};

START_TEST(what_the_server_would_misread_is_refused)
{
	static const struct libpq_call script[] = {{0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "setup", "--dry-run", refused[_i].option);

	ck_assert_int_eq(run->exit, CTL_USAGE);
	ck_assert_str_eq(run->out, "");
	check_says(run->err, refused[_i].says);
	libpq_check_end();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("setup");
	TCase *tests = tcase_create("setup");

	tcase_add_test(tests, what_would_be_done_is_listed);
	tcase_add_test(tests, steps_are_in_json);
	tcase_add_test(tests, workers_elsewhere_need_tls);
	tcase_add_test(tests, an_address_gets_its_mask);
	tcase_add_loop_test(tests, what_the_server_would_misread_is_refused, 0, LENGTH(refused));
	suite_add_tcase(suite, tests);
	return suite;
}

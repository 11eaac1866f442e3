/*
 * test_program.c - a FastCGI program's main function: its options, and what it serves. Each test
 * has a process of its own, whose output is a pipe.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "check_main.h"
#include "server/program.h"

enum { OUTPUT_BYTES = 8192, OPTION_BYTES = 64 };

static int output[2];
static int served_socket, served_cgi;
static enum status serve_status;
static char method[64];

static enum status serve(const struct config *config, struct listener *listener)
{
	served_socket++;
	ck_assert_int_gt(config->database_timeout_ms, 0);
	ck_assert_int_eq(listener->fd, STDIN_FILENO);
	ck_assert((fcntl(listener->fd, F_GETFL) & O_NONBLOCK) != 0);
	return serve_status;
}

static void serve_cgi(const struct config *config, struct fcgi *fcgi)
{
	served_cgi++;
	ck_assert_int_gt(config->database_timeout_ms, 0);
	for (char *const *v = fcgi_variables(fcgi); *v != NULL; v++) {
		if (strncmp(*v, "REQUEST_METHOD=", 15) == 0)
			(void)snprintf(method, sizeof(method), "%s", *v);
	}
}

static const struct program program = {
	.name = "sluice-test", .purpose = "Tests.\n", .serve = serve, .serve_cgi = serve_cgi};

static void set_up(void)
{
	int nothing = open("/dev/null", O_RDONLY);

	must(pipe(output) == 0 && dup2(output[1], STDERR_FILENO) == STDERR_FILENO &&
	     dup2(output[1], STDOUT_FILENO) == STDOUT_FILENO);
	must(nothing >= 0 && dup2(nothing, STDIN_FILENO) == STDIN_FILENO);
	(void)unsetenv("GATEWAY_INTERFACE");
	(void)setenv("SLUICE_CONFIG", "/dev/null", 1);
}

/* Options are NULL from the first one that is missing. */
static int run(const char *option, const char *value)
{
	const char *const options[] = {"sluice-test", option, value, NULL};
	static char texts[LENGTH(options)][OPTION_BYTES];
	char *arguments[LENGTH(options)] = {NULL};
	int count = 0;

	for (; options[count] != NULL; count++) {
		(void)snprintf(texts[count], OPTION_BYTES, "%s", options[count]);
		arguments[count] = texts[count];
	}
	int code = program_run(&program, count, arguments);
	(void)fflush(stdout);
	return code;
}

static const char *said(void)
{
	static char text[OUTPUT_BYTES];
	ssize_t n = read(output[0], text, sizeof(text) - 1);

	must(n > 0);
	text[n] = '\0';
	return text;
}

static const struct {
	const char *option, *value;
	int code;
	const char *says;
} options[] = {
	{"--version", NULL, 0, "sluice-test " SLUICE_VERSION "\n"},
	{"-V", NULL, 0, "sluice-test " SLUICE_VERSION "\n"},
	{"--help", NULL, 0, "Usage: sluice-test [--config FILE] [--allow-root]"},
	{"-h", NULL, 0, "See sluice-test(8) and sluice.conf(5)."},
	{"--nonsense", NULL, 2, "Usage: sluice-test [--config FILE] [--allow-root]"},
	{"--config", NULL, 2, "Usage: sluice-test [--config FILE] [--allow-root]"},
	{"--config", "/nowhere/sluice.conf", 1, "sluice-test: could not"},
	{"--check", "--config=/dev/null", 0, "sluice-test: /dev/null is fine\n"},
	{"-t", "--config=/nowhere/sluice.conf", 1, "sluice-test: could not"},
	{"-c", "/dev/null", 2, "standard input is not a listening socket\nHINT: Start it with"},
	{NULL, NULL, 2, "standard input is not a listening socket\nHINT: Start it with"},
};

START_TEST(options_say_what_to_do)
{
	ck_assert_int_eq(run(options[_i].option, options[_i].value), options[_i].code);
	const char *text = said();
	ck_assert_msg(strstr(text, options[_i].says) != NULL, "%s", text);
	ck_assert_int_eq(served_socket + served_cgi, 0);
}
END_TEST

/* ---- --check ---- */

static const struct {
	const char *text;
	mode_t mode;
	int code;
	const char *says;
} files[] = {
	{"database = dbname=x\n", 0600, 0, " is fine\n"},
	{"nonsense = 1\n", 0600, 1, ":1: unknown setting \"nonsense\""},
	{"database = nonsense\n", 0600, 1, "database: libpq does not understand it: missing \"=\""},
	{"database_timeout = 1h\n", 0600, 1, "database_timeout (1h) exceeds request_timeout (10s)"},
	{"database = password=geheim\n", 0640, 0, " is fine\n"},
	{"database = password=geheim\n", 0644, 1, "database: every user can read the password in"},
	{"public_url = hooks.example.com\n", 0600, 1,
	 ":1: public_url takes nothing, or a URL with http:// or https://, not"},
};

START_TEST(a_check_says_what_is_wrong)
{
	char path[] = "/tmp/sluice-conf-XXXXXX";
	int fd = mkstemp(path);
	ssize_t n = (ssize_t)strlen(files[_i].text);

	must(fd >= 0 && write(fd, files[_i].text, (size_t)n) == n &&
	     fchmod(fd, files[_i].mode) == 0 && close(fd) == 0);
	(void)setenv("SLUICE_CONFIG", path, 1);
	int code = run(_i % 2 == 0 ? "--check" : "-t", NULL);
	(void)unlink(path);
	const char *text = said();
	ck_assert_msg(strstr(text, files[_i].says) != NULL, "%s", text);
	ck_assert_int_eq(code, files[_i].code);
	ck_assert_ptr_null(strstr(text, "geheim"));
	ck_assert_int_eq(served_socket + served_cgi, 0);
}
END_TEST

static const struct {
	enum status status;
	int code;
	const char *says;
} ends[] = {
	{STATUS_OK, 0, "event=\"worker ended\"\n"},
	{STATUS_NO_MEMORY, 1, "event=\"could not start the worker\" code=no_memory\n"},
};

START_TEST(a_listening_socket_is_served)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	must(fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof(sa_family_t)) == 0 &&
	     listen(fd, 1) == 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	/* Even where a web server's environment is inherited. */
	(void)setenv("GATEWAY_INTERFACE", "CGI/1.1", 1);
	serve_status = ends[_i].status;
	ck_assert_int_eq(run("--allow-root", NULL), ends[_i].code);
	ck_assert_int_eq(served_socket, 1);
	ck_assert_int_eq(served_cgi, 0);
	ck_assert_ptr_nonnull(strstr(said(), ends[_i].says));
}
END_TEST

START_TEST(one_cgi_request_is_served)
{
	(void)setenv("GATEWAY_INTERFACE", "CGI/1.1", 1);
	(void)setenv("REQUEST_METHOD", "PATCH", 1);
	ck_assert_int_eq(run("--allow-root", NULL), 0);
	ck_assert_int_eq(served_cgi, 1);
	ck_assert_int_eq(served_socket, 0);
	ck_assert_str_eq(method, "REQUEST_METHOD=PATCH");
}
END_TEST

/* Any other user may run it. */
START_TEST(root_is_refused)
{
	bool is_root = geteuid() == 0;

	(void)setenv("GATEWAY_INTERFACE", "CGI/1.1", 1);
	ck_assert_int_eq(run(NULL, NULL), is_root ? 1 : 0);
	ck_assert_int_eq(served_cgi, is_root ? 0 : 1);
	if (is_root)
		ck_assert_ptr_nonnull(strstr(said(), "sluice-test: it should not run as root"));
}
END_TEST

/* What it opens must not become a standard stream. */
START_TEST(closed_descriptors_are_opened)
{
	struct stat null, is;

	(void)close(STDIN_FILENO);
	(void)close(STDERR_FILENO);
	(void)run("--version", NULL);
	must(stat("/dev/null", &null) == 0);
	must(fstat(STDIN_FILENO, &is) == 0 && is.st_rdev == null.st_rdev);
	must(fstat(STDERR_FILENO, &is) == 0 && is.st_rdev == null.st_rdev);
	must(fstat(STDOUT_FILENO, &is) == 0 && S_ISFIFO(is.st_mode));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("program");
	TCase *tcase = tcase_create("program");

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_loop_test(tcase, options_say_what_to_do, 0, LENGTH(options));
	tcase_add_loop_test(tcase, a_check_says_what_is_wrong, 0, LENGTH(files));
	tcase_add_loop_test(tcase, a_listening_socket_is_served, 0, LENGTH(ends));
	tcase_add_test(tcase, one_cgi_request_is_served);
	tcase_add_test(tcase, root_is_refused);
	tcase_add_test(tcase, closed_descriptors_are_opened);
	suite_add_tcase(suite, tcase);
	return suite;
}

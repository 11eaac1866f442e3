/*
 * test_log.c - the lines as they leave the process.
 *
 * The standard error stream is a datagram socket here: each write(2) is one datagram, so a line
 * that took two of them is seen. Syslog is a socket of the test's own.
 */
#define _XOPEN_SOURCE	700 /* strptime, pseudo terminals */
#define _DEFAULT_SOURCE	    /* mkdtemp */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/log_internal.h"
#include "base/log.h"
#include "base/stats.h"
#include "check_main.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define KEY	 "sk_Sluice0Test1Key2That3Nobody4Uses31E9ZB"
#define SECRET	 "whs_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcd"

/* ---- capturing ---- */

static int lines_fd = -1;
static int kept_stderr = -1;
static char line[8192];

static void capture(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	kept_stderr = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
	(void)close(ends[1]);
	lines_fd = ends[0];
	log_open("unit", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
}

static void release(void)
{
	(void)dup2(kept_stderr, STDERR_FILENO);
	(void)close(kept_stderr);
	(void)close(lines_fd);
}

/* Reads one datagram into line; 0 when there is none. */
static size_t next_line(void)
{
	ssize_t n = recv(lines_fd, line, sizeof(line) - 1, MSG_DONTWAIT);

	line[n < 0 ? 0 : n] = '\0';
	return n < 0 ? 0 : (size_t)n;
}

/* What follows the event in the only line there is; without its newline. */
static const char *fields(void)
{
	size_t n = next_line();

	ck_assert_uint_gt(n, 0);
	ck_assert_uint_le(n, 4096);
	ck_assert_int_eq(line[n - 1], '\n');
	ck_assert_ptr_eq(strchr(line, '\n'), line + n - 1);
	line[n - 1] = '\0';
	const char *begin = strstr(line, " event=e ");
	ck_assert_msg(begin != NULL, "%s", line);
	static char text[sizeof(line)];
	memcpy(text, begin + 9, strlen(begin + 9) + 1);
	ck_assert_uint_eq(next_line(), 0);
	return text;
}

/* ---- values ---- */

static const struct {
	struct slice value;
	const char *field;
} values[] = {
	{{"plain", 5}, "v=plain"},
	{{"a b", 3}, "v=\"a b\""},
	{{"a=b", 3}, "v=\"a=b\""},
	{{"/path?x", 7}, "v=/path?x"},
	{{"say \"hi\"", 8}, "v=\"say \\\"hi\\\"\""},
	{{"back\\slash", 10}, "v=\"back\\\\slash\""},
	{{"two\nlines", 9}, "v=\"two\\nlines\""},
	{{"\r\t", 2}, "v=\"\\r\\t\""},
	{{"\0\x01\x1f\x7f", 4}, "v=\"\\x00\\x01\\x1f\\x7f\""},
	{{"\x1b[2J", 4}, "v=\"\\x1b[2J\""},
	{{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9}, "v=\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
	/* Not UTF-8: alone, cut off, overlong, surrogates, beyond U+10FFFF. */
	{{"\x80", 1}, "v=\"\\x80\""},
	{{"\xff\xfe", 2}, "v=\"\\xff\\xfe\""},
	{{"\xc3", 1}, "v=\"\\xc3\""},
	{{"\xc3(", 2}, "v=\"\\xc3(\""},
	{{"\xe2\x82", 2}, "v=\"\\xe2\\x82\""},
	{{"\xc0\xaf", 2}, "v=\"\\xc0\\xaf\""},
	{{"\xc1\xbf", 2}, "v=\"\\xc1\\xbf\""},
	{{"\xe0\x9f\xbf", 3}, "v=\"\\xe0\\x9f\\xbf\""},
	{{"\xe0\xa0\x80", 3}, "v=\"\xe0\xa0\x80\""},
	{{"\xed\x9f\xbf", 3}, "v=\"\xed\x9f\xbf\""},
	{{"\xed\xa0\x80", 3}, "v=\"\\xed\\xa0\\x80\""},
	{{"\xf0\x8f\xbf\xbf", 4}, "v=\"\\xf0\\x8f\\xbf\\xbf\""},
	{{"\xf4\x8f\xbf\xbf", 4}, "v=\"\xf4\x8f\xbf\xbf\""},
	{{"\xf4\x90\x80\x80", 4}, "v=\"\\xf4\\x90\\x80\\x80\""},
	{{"\xf5\x80\x80\x80", 4}, "v=\"\\xf5\\x80\\x80\\x80\""},
	/* C1 controls are controls. */
	{{"\xc2\x9b", 2}, "v=\"\\xc2\\x9b\""},
	{{"\xc2\xa0", 2}, "v=\"\xc2\xa0\""},
};

START_TEST(values_are_escaped)
{
	log_event(LOG_LEVEL_INFO, "e", LOG_SLICE("v", values[_i].value));
	ck_assert_str_eq(fields(), values[_i].field);
}
END_TEST

static const struct {
	int64_t value;
	const char *field;
} integers[] = {
	{0, "v=0"},
	{-1, "v=-1"},
	{INT64_MAX, "v=9223372036854775807"},
	{INT64_MIN, "v=-9223372036854775808"},
};

START_TEST(integers_are_written)
{
	log_event(LOG_LEVEL_INFO, "e", LOG_INT("v", integers[_i].value));
	ck_assert_str_eq(fields(), integers[_i].field);
}
END_TEST

START_TEST(absent_and_empty_texts_are_left_out)
{
	log_event(LOG_LEVEL_INFO, "e", LOG_TEXT("a", NULL), LOG_INT("b", 2), LOG_TEXT("c", ""));
	ck_assert_str_eq(fields(), "b=2");
}
END_TEST

/* ---- secrets ---- */

static const struct {
	const char *text;
	const char *redacted;
} secrets[] = {
	{KEY, "sk_Slui" ELLIPSIS},
	{SECRET, "whs_0123" ELLIPSIS},
	{"/api/signal-staging/webhook/" KEY "/batch",
	 "/api/signal-staging/webhook/sk_Slui" ELLIPSIS "/batch"},
	{KEY KEY, "sk_Slui" ELLIPSIS "_Sluice0Test1Key2That3Nobody4Uses31E9ZB"},
	{KEY "," SECRET "," KEY, "sk_Slui" ELLIPSIS ",whs_0123" ELLIPSIS ",sk_Slui" ELLIPSIS},
	{"%2Fsk_abcdefgh", "%2Fsk_abcd" ELLIPSIS},
	{"key:sk%5Fabcdefgh;", "key:sk%5Fabcd" ELLIPSIS ";"},
	{"%73%6b_%61bcdefgh", "%73%6b_%61bcd" ELLIPSIS},
	{"whs%5f%30%31%32%33%34%35%36%37", "whs%5f%30%31%32%33" ELLIPSIS},
	/* Seven characters are no secret, eight are. */
	{"sk_1234567", "sk_1234567"},
	{"sk_12345678", "sk_1234" ELLIPSIS},
	{"sk_123456789", "sk_1234" ELLIPSIS},
	{"whs_1234567", "whs_1234567"},
	{"whs_12345678", "whs_1234" ELLIPSIS},
	{"sk_", "sk_"},
	{"sk", "sk"},
	{"s", "s"},
	{"whs", "whs"},
	{"sk%5", "sk%5"},
	{"sk%", "sk%"},
	{"sk_1234-5678", "sk_1234-5678"},
	{"SK_12345678", "SK_12345678"},
	{"sk-12345678", "sk-12345678"},
	{"ssk_12345678", "ssk_1234" ELLIPSIS},
	{"sksk_12345678", "sksk_1234" ELLIPSIS},
	{"wwhs_12345678", "wwhs_1234" ELLIPSIS},
};

START_TEST(secrets_are_cut_in_fields)
{
	char field[256];

	(void)snprintf(field, sizeof(field), "v=%s", secrets[_i].redacted);
	log_event(LOG_LEVEL_INFO, "e", LOG_TEXT("v", secrets[_i].text));
	ck_assert_str_eq(fields(), field);
}
END_TEST

START_TEST(secrets_are_cut_in_texts)
{
	struct buf out = buf_make(1000);

	log_redact(&out, slice_of(secrets[_i].text));
	ck_assert_int_eq(out.status, STATUS_OK);
	ck_assert(slice_equal(buf_slice(&out), slice_of(secrets[_i].redacted)));
	buf_free(&out);
}
END_TEST

START_TEST(secrets_are_cut_in_events)
{
	log_write(LOG_LEVEL_INFO, "refused " KEY, NULL, 0);
	ck_assert_uint_gt(next_line(), 0);
	ck_assert_ptr_nonnull(strstr(line, " event=\"refused sk_Slui" ELLIPSIS "\"\n"));
}
END_TEST

/* A key that crosses the place where a long value is cut shows no more than elsewhere. */
START_TEST(no_cut_shows_more_of_a_secret)
{
	char value[1200];

	for (size_t before = 970; before < 1030; before++) {
		memset(value, '.', sizeof(value));
		memcpy(value + before, KEY, strlen(KEY));
		log_event(LOG_LEVEL_INFO, "e",
			  LOG_SLICE("v", ((struct slice){value, sizeof(value)})));
		const char *text = fields();
		ck_assert_msg(strstr(text, "sk_Sluic") == NULL, "%s", text);
	}
}
END_TEST

/* ---- the line ---- */

/* time=YYYY-MM-DDTHH:MM:SS.mmmZ, within a second of now. */
START_TEST(line_begins_with_its_time)
{
	struct tm utc = {0};
	time_t now = time(NULL);

	log_write(LOG_LEVEL_INFO, "e", NULL, 0);
	ck_assert_uint_gt(next_line(), 0);
	const char *rest = strptime(line, "time=%Y-%m-%dT%H:%M:%S", &utc);
	ck_assert_msg(rest != NULL, "%s", line);
	ck_assert(rest == line + 24 && rest[0] == '.' && strspn(rest + 1, "0123456789") == 3);
	ck_assert_int_eq(strncmp(rest + 4, "Z level=", 8), 0);
	/* mktime() reads local time, which setting TZ makes UTC. */
	ck_assert_int_eq(setenv("TZ", "UTC0", 1), 0);
	tzset();
	time_t logged = mktime(&utc);
	ck_assert_msg(logged >= now && logged <= now + 1, "%s", line);
}
END_TEST

START_TEST(line_has_its_parts)
{
	char rest[200];

	log_event(LOG_LEVEL_WARNING, "could not connect", LOG_TEXT("sqlstate", "08006"),
		  LOG_INT("attempt", 3));
	(void)snprintf(rest, sizeof(rest),
		       " level=warning program=unit pid=%ld event=\"could not connect\" "
		       "sqlstate=08006 attempt=3\n",
		       (long)getpid());
	ck_assert_uint_gt(next_line(), 0);
	ck_assert_str_eq(line + 29, rest);
}
END_TEST

/* Sizes around what one value and one line may take. */
static const size_t lengths[] = {1000, 1022, 1023, 1024, 1025, 1026, 2000, 4096, 5000};

START_TEST(long_values_are_cut)
{
	static char value[5000];
	size_t n = lengths[_i];

	memset(value, 'v', sizeof(value));
	log_event(LOG_LEVEL_INFO, "e", LOG_SLICE("v", ((struct slice){value, n})),
		  LOG_INT("after", 1));
	const char *text = fields();
	size_t shown = strspn(text + 2, "v");
	ck_assert_uint_eq(shown, n <= 1024 ? n : 1024);
	ck_assert_str_eq(text + 2 + shown, n <= 1024 ? " after=1" : ELLIPSIS " after=1");
}
END_TEST

/* Many fields of any length: the line ends within its size, each written value is closed. */
START_TEST(no_line_is_too_long)
{
	static char value[1500];
	struct log_field many[12];
	size_t n = (size_t)_i;

	memset(value, '"', sizeof(value));
	for (size_t i = 0; i < (size_t)LENGTH(many); i++)
		many[i] = LOG_SLICE("quoted", ((struct slice){value, n}));
	log_write(LOG_LEVEL_INFO, "e", many, (size_t)LENGTH(many));
	const char *text = fields();
	size_t quotes = 0;
	for (size_t i = 0; text[i] != '\0'; i++) {
		if (text[i] == '\\')
			i++;
		else
			quotes += text[i] == '"';
	}
	ck_assert_uint_eq(quotes % 2, 0);
	ck_assert_uint_ge(quotes, n < 100 ? 24 : 6);
}
END_TEST

START_TEST(lines_of_no_interest_are_left_out)
{
	enum log_level least = (enum log_level)(_i / 4);
	enum log_level level = (enum log_level)(_i % 4);

	log_open("unit", LOG_TARGET_STDERR, least);
	log_write(level, "e", NULL, 0);
	ck_assert_int_eq(next_line() > 0, level >= least);
}
END_TEST

static size_t lines_in_datagram(void)
{
	size_t n = next_line();
	size_t lines = 0;

	ck_assert_uint_le(n, 4096);
	ck_assert(n == 0 || line[n - 1] == '\n');
	for (size_t i = 0; i < n; i++)
		lines += line[i] == '\n';
	return lines;
}

/* Held lines come whole, all of them, and before one that is not held. */
START_TEST(lines_are_held)
{
	size_t lines = 0;

	log_hold();
	for (int i = 0; i < 3; i++)
		log_event(LOG_LEVEL_INFO, "e", LOG_INT("i", i));
	ck_assert_uint_eq(next_line(), 0);
	log_event(LOG_LEVEL_ERROR, "urgent", LOG_INT("i", 3));
	ck_assert_uint_eq(lines_in_datagram(), 3);
	ck_assert_uint_eq(lines_in_datagram(), 1);
	ck_assert_ptr_nonnull(strstr(line, "event=urgent"));
	for (int i = 0; i < 100; i++)
		log_event(LOG_LEVEL_INFO, "e", LOG_INT("i", i));
	log_release();
	for (size_t some = lines_in_datagram(); some > 0; some = lines_in_datagram())
		lines += some;
	ck_assert_uint_eq(lines, 100);
	log_event(LOG_LEVEL_INFO, "e", LOG_INT("i", 0));
	ck_assert_uint_eq(lines_in_datagram(), 1);
}
END_TEST

START_TEST(a_line_allocates_nothing)
{
	unit_fail_allocation(1);
	log_event(LOG_LEVEL_ERROR, "e", LOG_TEXT("text", "a\nb " KEY), LOG_INT("number", 1));
	struct buf probe = buf_make(1);
	buf_add_char(&probe, 'x'); /* fails if nothing before it did */
	unit_fail_allocation(0);
	ck_assert_int_eq(probe.status, STATUS_NO_MEMORY);
	ck_assert_str_eq(fields(), "text=\"a\\nb sk_Slui" ELLIPSIS "\" number=1");
}
END_TEST

/* Lines that were held count each. */
START_TEST(lost_lines_are_counted)
{
	log_hold();
	log_write(LOG_LEVEL_INFO, "e", NULL, 0);
	log_write(LOG_LEVEL_INFO, "e", NULL, 0);
	(void)close(lines_fd);
	lines_fd = -1;
	log_release();
	ck_assert_uint_eq(stats_get(&stats_mine()->lost_log_lines), 2);
}
END_TEST

START_TEST(a_closed_stream_is_survived)
{
	(void)close(STDERR_FILENO);
	log_event(LOG_LEVEL_ERROR, "e", LOG_INT("number", 1));
	ck_assert_uint_eq(next_line(), 0);
}
END_TEST

enum { LINES = 3000 };

/* More lines than a pipe or a socket holds. Returns how many were lost. */
static uint64_t fill(void)
{
	for (int i = 0; i < LINES; i++)
		log_event(LOG_LEVEL_INFO, "e", LOG_INT("i", i));
	uint64_t lost = stats_get(&stats_mine()->lost_log_lines);
	ck_assert_uint_gt(lost, 0);
	return lost;
}

/* ---- syslog ---- */

static int logger = -1;
static char folder[] = "/tmp/sluice-log-XXXXXX";
static char socket_path[sizeof(folder) + 8];

/* A logger of our own in the place of the system's. */
static void listen_as_logger(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	(void)unlink(socket_path);
	logger = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(logger, (const struct sockaddr *)&address, sizeof(address)), 0);
}

static void capture_syslog(void)
{
	capture();
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(socket_path, sizeof(socket_path), "%s/log", folder);
	log_syslog_path = socket_path;
	listen_as_logger();
	log_open("unit", LOG_TARGET_SYSLOG, LOG_LEVEL_DEBUG);
}

static void release_syslog(void)
{
	(void)close(logger);
	(void)unlink(socket_path);
	(void)rmdir(folder);
	release();
}

/* The next message that the logger has, terminated; NULL: none. */
static const char *next_message(void)
{
	static char message[8192];
	ssize_t n = recv(logger, message, sizeof(message) - 1, MSG_DONTWAIT);

	message[n < 0 ? 0 : n] = '\0';
	return n > 0 ? message : NULL;
}

static const int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERR};

START_TEST(syslog_gets_the_line_without_its_time)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};
	char text[200], head[64];

	log_event((enum log_level)_i, "100% of %s", LOG_TEXT("url", "/x/" KEY "\n"));
	(void)snprintf(
		text, sizeof(text),
		" unit[%ld]: level=%s program=unit pid=%ld event=\"100%% of %%s\" url=\"/x/sk_Slui" ELLIPSIS
		"\\n\"",
		(long)getpid(), names[_i], (long)getpid());
	(void)snprintf(head, sizeof(head), "<%d>", LOG_DAEMON | priorities[_i]);
	const char *message = next_message();
	ck_assert_ptr_nonnull(message);
	ck_assert_int_eq(strncmp(message, head, strlen(head)), 0);
	/* Behind the time, which has a fixed width: "Nov 28 03:50:07". */
	ck_assert_str_eq(message + strlen(head) + 15, text);
	ck_assert_ptr_null(next_message());
	ck_assert_uint_eq(next_line(), 0);
}
END_TEST

START_TEST(a_logger_that_reads_nothing_is_not_waited_for)
{
	uint64_t lost = fill();
	ck_assert_uint_lt(lost, LINES);
	while (next_message() != NULL)
		;
	log_event(LOG_LEVEL_INFO, "after", LOG_INT("i", 0));
	char told[64];
	(void)snprintf(told, sizeof(told), "event=\"log lines were lost\" lines=%d", (int)lost);
	ck_assert_ptr_nonnull(strstr(next_message(), told));
	ck_assert_ptr_nonnull(strstr(next_message(), "event=after"));
	ck_assert_ptr_null(next_message());
}
END_TEST

START_TEST(a_logger_that_is_started_anew_is_found)
{
	log_event(LOG_LEVEL_INFO, "first", LOG_INT("i", 0));
	(void)close(logger);
	log_event(LOG_LEVEL_INFO, "second", LOG_INT("i", 0));
	ck_assert_uint_eq(stats_get(&stats_mine()->lost_log_lines), 1);
	listen_as_logger();
	log_event(LOG_LEVEL_INFO, "third", LOG_INT("i", 0));
	ck_assert_ptr_nonnull(strstr(next_message(), "lines=1"));
	ck_assert_ptr_nonnull(strstr(next_message(), "event=third"));
}
END_TEST

/* ---- without waiting ---- */

static void use_as_stderr(int fd)
{
	ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
	(void)close(fd);
	log_never_wait();
}

/* Reads all there is; returns how many lines. */
static int drain(int fd)
{
	static char text[1 << 20];
	int lines = 0;

	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	for (ssize_t n; (n = read(fd, text, sizeof(text) - 1)) > 0;) {
		text[n] = '\0';
		for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
			lines++;
	}
	return lines;
}

/* A pipe's other users are not told to do without waiting. */
START_TEST(a_pipe_that_nobody_reads)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	use_as_stderr(ends[1]);
	uint64_t lost = fill();
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_uint_eq((uint64_t)drain(ends[0]) + lost, LINES);
	log_event(LOG_LEVEL_INFO, "e", LOG_INT("i", 0));
	ck_assert_int_eq(drain(ends[0]), 2); /* and how many were lost */
	log_event(LOG_LEVEL_INFO, "e", LOG_INT("i", 0));
	ck_assert_int_eq(drain(ends[0]), 1);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)close(ends[0]);
	log_event(LOG_LEVEL_INFO, "e", LOG_INT("i", 0));
	ck_assert_uint_eq(stats_get(&stats_mine()->lost_log_lines), lost + 1);
}
END_TEST

START_TEST(a_socket_that_nobody_reads)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	use_as_stderr(ends[1]);
	uint64_t lost = fill();
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_uint_eq((uint64_t)drain(ends[0]) + lost, LINES);
	(void)close(ends[0]);
}
END_TEST

START_TEST(a_terminal_that_is_stopped)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(terminal, 0);
	use_as_stderr(terminal);
	ck_assert_int_eq(tcflow(STDERR_FILENO, TCOOFF), 0);
	(void)fill();
	ck_assert_int_eq(tcflow(STDERR_FILENO, TCOON), 0);
	log_event(LOG_LEVEL_INFO, "e", LOG_INT("i", 0));
	ck_assert_int_ge(drain(master), 1);
	(void)close(master);
}
END_TEST

/* As logrotate does it. */
START_TEST(a_file_that_is_moved_away)
{
	static char moved[] = "/tmp/sluice-log-XXXXXX";
	char path[64];
	int fd = mkstemp(moved);

	ck_assert_int_ge(fd, 0);
	(void)snprintf(path, sizeof(path), "%s.now", moved);
	ck_assert_int_eq(rename(moved, path), 0);
	use_as_stderr(fd);
	log_event(LOG_LEVEL_INFO, "before", LOG_INT("i", 0));
	log_reopen(); /* it is in its place */
	ck_assert_int_eq(rename(path, moved), 0);
	log_event(LOG_LEVEL_INFO, "before", LOG_INT("i", 0));
	log_reopen();
	log_event(LOG_LEVEL_INFO, "after", LOG_INT("i", 0));
	fd = open(moved, O_RDONLY);
	ck_assert_int_eq(drain(fd), 2);
	(void)close(fd);
	fd = open(path, O_RDONLY);
	ck_assert_int_eq(drain(fd), 1);
	(void)close(fd);
	(void)unlink(moved);
	(void)unlink(path);
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_anew)
{
	static char within[] = "/tmp/sluice-log-XXXXXX";
	char path[64];

	ck_assert_ptr_nonnull(mkdtemp(within));
	(void)snprintf(path, sizeof(path), "%s/log", within);
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	int kept = dup(fd);
	use_as_stderr(fd);
	(void)unlink(path);
	(void)rmdir(within);
	log_reopen();
	(void)lseek(kept, 0, SEEK_SET);
	ck_assert_int_eq(drain(kept), 1); /* says why */
	(void)close(kept);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("log");
	TCase *tests = tcase_create("log");

	tcase_add_checked_fixture(tests, capture, release);
	tcase_add_loop_test(tests, values_are_escaped, 0, LENGTH(values));
	tcase_add_loop_test(tests, integers_are_written, 0, LENGTH(integers));
	tcase_add_test(tests, absent_and_empty_texts_are_left_out);
	tcase_add_loop_test(tests, secrets_are_cut_in_fields, 0, LENGTH(secrets));
	tcase_add_loop_test(tests, secrets_are_cut_in_texts, 0, LENGTH(secrets));
	tcase_add_test(tests, secrets_are_cut_in_events);
	tcase_add_test(tests, no_cut_shows_more_of_a_secret);
	tcase_add_test(tests, line_begins_with_its_time);
	tcase_add_test(tests, line_has_its_parts);
	tcase_add_loop_test(tests, long_values_are_cut, 0, LENGTH(lengths));
	tcase_add_loop_test(tests, no_line_is_too_long, 1, 1100);
	tcase_add_loop_test(tests, lines_of_no_interest_are_left_out, 0, 16);
	tcase_add_test(tests, lines_are_held);
	tcase_add_test(tests, a_line_allocates_nothing);
	tcase_add_test(tests, lost_lines_are_counted);
	tcase_add_test(tests, a_closed_stream_is_survived);
	tcase_add_test(tests, a_pipe_that_nobody_reads);
	tcase_add_test(tests, a_socket_that_nobody_reads);
	tcase_add_test(tests, a_terminal_that_is_stopped);
	tcase_add_test(tests, a_file_that_is_moved_away);
	tcase_add_test(tests, a_file_that_cannot_be_opened_anew);
	suite_add_tcase(suite, tests);
	TCase *to_syslog = tcase_create("syslog");
	tcase_add_checked_fixture(to_syslog, capture_syslog, release_syslog);
	tcase_add_loop_test(to_syslog, syslog_gets_the_line_without_its_time, 0,
			    LENGTH(priorities));
	tcase_add_test(to_syslog, a_logger_that_reads_nothing_is_not_waited_for);
	tcase_add_test(to_syslog, a_logger_that_is_started_anew_is_found);
	suite_add_tcase(suite, to_syslog);
	return suite;
}

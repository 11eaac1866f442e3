/*
 * test_config.c - the settings as file, environment and documents give them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "check_main.h"
#include "config/config.h"

extern char **environ;

/* ---- a configuration file without a name, read through its descriptor ---- */

static struct arena arena;
static struct config config;
static struct config_source source;
static const char *message;
static FILE *file;
static char path[64];

static void set_up(void)
{
	for (char **v = environ; *v != NULL;) {
		char name[256];
		size_t n = strcspn(*v, "=");
		if (strncmp(*v, "SLUICE_", 7) != 0 || n >= sizeof(name)) {
			v++;
			continue;
		}
		memcpy(name, *v, n);
		name[n] = '\0';
		ck_assert_int_eq(unsetenv(name), 0);
		v = environ;
	}
	file = tmpfile();
	ck_assert_ptr_nonnull(file);
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", fileno(file));
}

static void tear_down(void)
{
	(void)fclose(file);
	arena_free(&arena);
}

static void write_file(const char *text, size_t n)
{
	ck_assert_int_eq(ftruncate(fileno(file), 0), 0);
	rewind(file);
	ck_assert_uint_eq(fwrite(text, 1, n, file), n);
	ck_assert_int_eq(fflush(file), 0);
}

static enum status read_text(const char *text)
{
	write_file(text, strlen(text));
	return config_read(&arena, path, &config, &source, &message);
}

static void expect_ok(enum status status)
{
	ck_assert_msg(status == STATUS_OK, "%s", message);
	ck_assert_ptr_null(message);
}

static const struct config_setting *find(const char *key, size_t *index)
{
	size_t count;
	const struct config_setting *settings = config_settings(&count);

	for (*index = 0; *index < count; (*index)++) {
		if (strcmp(settings[*index].key, key) == 0)
			return &settings[*index];
	}
	ck_abort_msg("no setting %s", key);
}

static int64_t number_of(const struct config_setting *setting)
{
	return *(const int64_t *)(const void *)((const char *)&config + setting->offset);
}

static const char *formatted(const struct config_setting *setting)
{
	static char text[2048];
	struct buf out = buf_make(sizeof(text) - 1);

	config_format(&config, setting, &out);
	ck_assert_int_eq(out.status, STATUS_OK);
	memcpy(text, out.p, out.n);
	text[out.n] = '\0';
	buf_free(&out);
	return text;
}

static bool is_number(const struct config_setting *setting)
{
	return setting->type == CONFIG_COUNT || setting->type == CONFIG_BYTES ||
	       setting->type == CONFIG_DURATION_MS;
}

/* ---- the table ---- */

START_TEST(defaults_are_the_contracts)
{
	expect_ok(read_text(""));
	ck_assert_str_eq(config.database, "dbname=sluice");
	ck_assert_int_eq(config.log_target, LOG_TARGET_STDERR);
	ck_assert_int_eq(config.log_level, LOG_LEVEL_INFO);
	ck_assert_int_eq(config.request_timeout_ms, 10 * 1000);
	ck_assert_int_eq(config.bulk_timeout_ms, 300 * 1000);
	ck_assert_int_eq(config.connect_timeout_ms, 2 * 1000);
	ck_assert_int_eq(config.database_timeout_ms, 5 * 1000);
	ck_assert_int_eq(config.single_body_bytes, 1 << 20);
	ck_assert_int_eq(config.batch_body_bytes, 8 << 20);
	ck_assert_int_eq(config.bulk_body_bytes, 256 << 20);
	ck_assert_int_eq(config.batch_items, 5000);
	ck_assert_int_eq(config.bulk_items, 1000000);
	ck_assert_int_eq(config.item_bytes, 512 << 10);
	ck_assert_int_eq(config.json_depth, 64);
	ck_assert_int_eq(config.json_number_digits, 400);
	ck_assert_int_eq(config.json_number_exponent, 400);
	ck_assert_int_eq(config.requests_in_flight, 512);
	ck_assert_int_eq(config.group_requests, 512);
	ck_assert_int_eq(config.group_bytes, 4 << 20);
	ck_assert_int_eq(config.large_body_bytes, 256 << 10);
	ck_assert_int_eq(config.large_requests, 4);
	ck_assert_int_eq(config.buffered_bytes, 32 << 20);
	ck_assert(config.prepared_statements);
	ck_assert(!config.settings_trust_remote_user);
	ck_assert_str_eq(config.public_url, "");
	ck_assert_uint_eq(config.trusted_proxies.count, 0);
	for (int i = 0; i < CONFIG_SETTINGS_MAX; i++)
		ck_assert_int_eq(source.origin[i], CONFIG_FROM_DEFAULT);
	ck_assert_str_eq(source.path, path);
}
END_TEST

/* Each member is set by its own key alone, whatever the table says. */
START_TEST(each_key_sets_one_member)
{
	size_t count;
	const struct config_setting *settings = config_settings(&count);
	const struct config_setting *setting = &settings[_i];
	struct config before;
	char text[256];

	expect_ok(read_text(""));
	before = config;
	const char *value = is_number(setting) ? "1025"
			    : setting->type == CONFIG_BOOL
				    ? (strcmp(setting->default_text, "on") == 0 ? "off" : "on")
			    : setting->type == CONFIG_CHOICE   ? setting->choices[0]
			    : setting->type == CONFIG_NETWORKS ? "10.0.0.0/8,::1"
							       : "dbname=other";
	if (setting->max > 0 && setting->max < 1025 && setting->type != CONFIG_TEXT)
		value = "7";
	if (setting->url)
		value = "https://hooks.example.com";
	if (strcmp(setting->key, "log_target") == 0)
		value = "syslog";
	(void)snprintf(text, sizeof(text), "%s = %s\n", setting->key, value);
	expect_ok(read_text(text));
	for (size_t i = 0; i < count; i++) {
		char other[2048];
		struct config changed = config;
		(void)snprintf(other, sizeof(other), "%s", formatted(&settings[i]));
		config = before;
		bool same = strcmp(other, formatted(&settings[i])) == 0;
		config = changed;
		ck_assert_msg(same == (i != (size_t)_i), "%s by %s", settings[i].key, setting->key);
		ck_assert_int_eq(source.origin[i],
				 i == (size_t)_i ? CONFIG_FROM_FILE : CONFIG_FROM_DEFAULT);
	}
}
END_TEST

START_TEST(networks_are_read_and_shown)
{
	size_t index;
	const struct config_setting *setting = find("trusted_proxies", &index);

	expect_ok(read_text("trusted_proxies = 192.0.2.7/32 , 2001:DB8::/32\n"));
	ck_assert_uint_eq(config.trusted_proxies.count, 2);
	ck_assert_str_eq(formatted(setting), "192.0.2.7, 2001:db8::/32");
	expect_ok(read_text("trusted_proxies =\n"));
	ck_assert_str_eq(formatted(setting), "''");
	ck_assert_int_eq(read_text("trusted_proxies = 10.1.0.0/8\n"), STATUS_MISCONFIGURED);
	ck_assert_ptr_nonnull(strstr(message, ":1: trusted_proxies takes at most 64 networks, with "
					      "commas between them, not \"10.1.0.0/8\""));
}
END_TEST

START_TEST(numbers_keep_their_range)
{
	size_t count;
	const struct config_setting *setting = &config_settings(&count)[_i];
	char text[256];

	if (!is_number(setting))
		return;
	ck_assert_int_lt(setting->min, setting->max);
	const int64_t values[] = {setting->min - 1, setting->min, setting->max, setting->max + 1};
	for (int i = 0; i < LENGTH(values); i++) {
		(void)snprintf(text, sizeof(text), "%s=%lld", setting->key, (long long)values[i]);
		enum status status = read_text(text);
		if (i == 0 || i == 3) {
			ck_assert_int_eq(status, STATUS_MISCONFIGURED);
			ck_assert_ptr_nonnull(strstr(message, setting->key));
			continue;
		}
		expect_ok(status);
		ck_assert_int_eq(number_of(setting), values[i]);
		/* As shown it can be read back. */
		(void)snprintf(text, sizeof(text), "%s=%s", setting->key, formatted(setting));
		expect_ok(read_text(text));
		ck_assert_int_eq(number_of(setting), values[i]);
	}
}
END_TEST

START_TEST(help_is_written)
{
	size_t count;
	const struct config_setting *setting = &config_settings(&count)[_i];

	size_t n = strlen(setting->help);
	ck_assert_uint_gt(n, 10);
	ck_assert_int_eq(setting->help[n - 1], '.');
	ck_assert_ptr_null(strpbrk(setting->help, "\\\n#"));
}
END_TEST

/* ---- values ---- */

static const struct {
	const char *key, *value;
	int64_t number;
	const char *shown;
} values[] = {
	{"request_timeout", "500", 500, "500ms"},
	{"request_timeout", "500ms", 500, "500ms"},
	{"request_timeout", "10s", 10000, "10s"},
	{"request_timeout", "10 s", 10000, "10s"},
	{"request_timeout", "60s", 60000, "1min"},
	{"request_timeout", "1500ms", 1500, "1500ms"},
	{"request_timeout", "1h", 3600000, "1h"},
	{"request_timeout", "'10s'", 10000, "10s"},
	{"request_timeout", "00010s", 10000, "10s"},
	{"bulk_timeout", "1d", 86400000, "1d"},
	{"bulk_timeout", "90min", 5400000, "90min"},
	{"item_size", "2048", 2048, "2KiB"},
	{"item_size", "2048B", 2048, "2KiB"},
	{"item_size", "2049", 2049, "2049B"},
	{"item_size", "8MiB", 8 << 20, "8MiB"},
	{"item_size", "8192KiB", 8 << 20, "8MiB"},
	{"bulk_body", "3GiB", INT64_C(3) << 30, "3GiB"},
	{"batch_items", "1", 1, "1"},
	{"json_number_exponent", "0", 0, "0"},
};

START_TEST(values_are_read)
{
	char text[256];
	size_t index;
	const struct config_setting *setting = find(values[_i].key, &index);

	(void)snprintf(text, sizeof(text), "%s = %s", values[_i].key, values[_i].value);
	expect_ok(read_text(text));
	ck_assert_int_eq(number_of(setting), values[_i].number);
	ck_assert_str_eq(formatted(setting), values[_i].shown);
}
END_TEST

static const char *const refused[] = {
	"request_timeout = ",
	"request_timeout = s",
	"request_timeout = -1",
	"request_timeout = +10s",
	"request_timeout = 10S",
	"request_timeout = 10sec",
	"request_timeout = 10m",
	"request_timeout = 1.5s",
	"request_timeout = 10s 5ms",
	"request_timeout = 1e4",
	"request_timeout = 0x400",
	"request_timeout = 10KiB",
	"request_timeout = 9223372036854775807",
	"request_timeout = 9223372036854775808",
	"request_timeout = 99999999999999999999999999999999999999",
	"request_timeout = 9223372036854775807d",
	"item_size = 512k",
	"item_size = 512kB",
	"item_size = 512KB",
	"item_size = 512kib",
	"item_size = 10s",
	"batch_items = 5,000",
	"batch_items = 10B",
	"batch_items = five",
	"prepared_statements = maybe",
	"prepared_statements = 1",
	"prepared_statements =",
	"log_level = loud",
	"log_level = INFO",
	"log_level =",
	"log_target = /var/log/sluice",
	"database = a\tb",
	"database = '",
};

START_TEST(values_are_refused)
{
	ck_assert_int_eq(read_text(refused[_i]), STATUS_MISCONFIGURED);
	ck_assert_ptr_nonnull(message);
}
END_TEST

static const struct {
	const char *value;
	bool on;
} bools[] = {{"on", true},  {"off", false}, {"true", true}, {"false", false},
	     {"yes", true}, {"no", false},  {"'on'", true}};

START_TEST(bools_are_read)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "prepared_statements=%s", bools[_i].value);
	expect_ok(read_text(text));
	ck_assert_int_eq(config.prepared_statements, bools[_i].on);
}
END_TEST

static const struct {
	const char *line, *text;
} texts[] = {
	{"database = host=/run dbname=x", "host=/run dbname=x"},
	{"database=x", "x"},
	{"\t database \t=\t x \t", "x"},
	{"database = x\r", "x"},
	{"database =", ""},
	{"database = ''", ""},
	{"database = ' x '", " x "},
	{"database = 'it''s'", "it's"},
	{"database = ''''", "'"},
	{"database = 'password=''a b'''", "password='a b'"},
	{"database = password='a b'", "password='a b'"},
	{"database = x # where it is", "x"},
	{"database = x\t# where it is", "x"},
	{"database = x#y", "x#y"},
	{"database = 'x # y' # where", "x # y"},
	{"database = password='a #b' # where", "password='a #b'"},
	{"database = options='-c a=b'", "options='-c a=b'"},
	{"database = \xc3\xa4", "\xc3\xa4"},
};

START_TEST(texts_are_read)
{
	expect_ok(read_text(texts[_i].line));
	ck_assert_str_eq(config.database, texts[_i].text);
}
END_TEST

START_TEST(shown_texts_are_read_back)
{
	size_t index;
	const struct config_setting *setting = find("database", &index);
	char text[1100];
	char first[1000];

	expect_ok(read_text(texts[_i].line));
	(void)snprintf(first, sizeof(first), "%s", formatted(setting));
	/* Texts that are no connection strings are hidden as a whole: nothing to read back. */
	(void)snprintf(text, sizeof(text), "database = %s", first);
	expect_ok(read_text(text));
	ck_assert_str_eq(formatted(setting), first);
}
END_TEST

/* ---- messages ---- */

static const struct {
	const char *text;
	const char *message; /* after the file's name */
} messages[] = {
	{"item_size", ":1: line without \"=\""},
	{"# a\n\n  \nitem_size 5\n", ":4: line without \"=\""},
	{"item_size # = 5", ":1: line without \"=\""},
	{"= 5", ":1: line without the name of a setting before \"=\""},
	{"item size = 5", ":1: line without the name of a setting before \"=\""},
	{"postgresql://u:hunter2@h/d?sslmode=require",
	 ":1: line without the name of a setting before \"=\""},
	{"iten_size = 5", ":1: unknown setting \"iten_size\", did you mean \"item_size\"?"},
	{"itemsize = 5", ":1: unknown setting \"itemsize\", did you mean \"item_size\"?"},
	{"ITEM_SIZE = 5", ":1: unknown setting \"ITEM_SIZE\""},
	{"item-size = 5", ":1: unknown setting \"item-size\", did you mean \"item_size\"?"},
	{"bulk_itmes = 5", ":1: unknown setting \"bulk_itmes\", did you mean \"bulk_items\"?"},
	{"log = 5", ":1: unknown setting \"log\""},
	{"colour = red", ":1: unknown setting \"colour\""},
	{"\nitem_size = 1023", ":2: item_size takes a size from 1KiB to 8MiB, not \"1023\""},
	{"request_timeout = 2h",
	 ":1: request_timeout takes a duration from 100ms to 1h, not \"2h\""},
	{"json_depth = 0", ":1: json_depth takes a number from 1 to 512, not \"0\""},
	{"prepared_statements = 2", ":1: prepared_statements takes on or off, not \"2\""},
	{"log_level = all\n",
	 ":1: log_level takes one of debug, info, warning, error, not \"all\""},
	{"log_level = a\x1b[2J\xff\n",
	 ":1: log_level takes one of debug, info, warning, error, not \"a?[2J?\""},
	{"log_level = a b~\x7f c",
	 ":1: log_level takes one of debug, info, warning, error, not \"a b~? c\""},
	{"batch_items = 1\nitem_size = 1KiB\nbatch_items = 1\n",
	 ":3: batch_items is set already in line 1"},
	{"database = password=hunter2\x01",
	 ":1: database takes at most 900 bytes without control characters"},
	{"public_url = hooks.example.com\n",
	 ":1: public_url takes nothing, or a URL with http:// or https://, not \"hooks.example.com\""},
	{"public_url = https://\n",
	 ":1: public_url takes nothing, or a URL with http:// or https://, not \"https://\""},
	{"public_url = https:///settings\n",
	 ":1: public_url takes nothing, or a URL with http:// or https://, not \"https:///settings\""},
	{"public_url = https://a b\n",
	 ":1: public_url takes nothing, or a URL with http:// or https://, not \"https://a b\""},
	{"database = 'password=hunter2", ":1: the closing quote must end the value"},
	{"database = 'a' b", ":1: the closing quote must end the value"},
	{"database = 'a'''b", ":1: the closing quote must end the value"},
};

START_TEST(messages_say_what_and_where)
{
	ck_assert_int_eq(read_text(messages[_i].text), STATUS_MISCONFIGURED);
	ck_assert_int_eq(strncmp(message, path, strlen(path)), 0);
	ck_assert_str_eq(message + strlen(path), messages[_i].message);
	ck_assert_ptr_null(strstr(message, "hunter2"));
}
END_TEST

START_TEST(long_refused_values_are_cut)
{
	char text[400];

	memset(text, 'x', sizeof(text));
	memcpy(text, "log_level = ", 12);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(read_text(text), STATUS_MISCONFIGURED);
	ck_assert_ptr_nonnull(strstr(message, "xxx...\""));
	ck_assert_uint_lt(strlen(message), 200);
}
END_TEST

START_TEST(a_nul_byte_is_no_text)
{
	write_file("database = a\0b\n", 15);
	ck_assert_int_eq(config_read(&arena, path, &config, NULL, &message), STATUS_MISCONFIGURED);
	char text[256];
	(void)snprintf(text, sizeof(text),
		       "could not read configuration file \"%s\": holds a NUL byte", path);
	ck_assert_str_eq(message, text);
}
END_TEST

static const struct {
	size_t bytes;
	enum status status;
} line_lengths[] = {{1023, STATUS_OK}, {1024, STATUS_OK}, {1025, STATUS_MISCONFIGURED}};

START_TEST(lines_have_a_length)
{
	char text[1100];

	for (int last = 0; last < 2; last++) {
		memset(text, ' ', sizeof(text));
		memcpy(text, "batch_items = 7", 15);
		text[line_lengths[_i].bytes] = last == 1 ? '\0' : '\n';
		text[line_lengths[_i].bytes + 1] = '\0';
		ck_assert_int_eq(read_text(text), line_lengths[_i].status);
		if (line_lengths[_i].status == STATUS_OK)
			ck_assert_int_eq(config.batch_items, 7);
		else
			ck_assert_ptr_nonnull(strstr(message, ":1: line longer than 1024 bytes"));
	}
}
END_TEST

static const size_t text_lengths[] = {899, 900, 901};

START_TEST(texts_have_a_length)
{
	char text[1000] = "database = ";

	memset(text + 11, 'x', text_lengths[_i]);
	enum status status = read_text(text);
	ck_assert_int_eq(status, text_lengths[_i] <= 900 ? STATUS_OK : STATUS_MISCONFIGURED);
	if (status == STATUS_OK)
		ck_assert_uint_eq(strlen(config.database), text_lengths[_i]);
}
END_TEST

START_TEST(files_have_a_size)
{
	enum { MAX = 1 << 20 };
	static char text[MAX + 1];

	memset(text, '\n', sizeof(text));
	write_file(text, MAX);
	expect_ok(config_read(&arena, path, &config, &source, &message));
	write_file(text, MAX + 1);
	ck_assert_int_eq(config_read(&arena, path, &config, &source, &message),
			 STATUS_MISCONFIGURED);
	char wanted[256];
	(void)snprintf(wanted, sizeof(wanted),
		       "could not read configuration file \"%s\": is too large", path);
	ck_assert_str_eq(message, wanted);
}
END_TEST

static const struct {
	const char *path;
	int error;
} unreadable[] = {
	{"/nonexistent/sluice.conf", ENOENT},
	{"/", EISDIR},
	{"/dev/null/sluice.conf", ENOTDIR},
};

START_TEST(a_named_file_must_be_readable)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "could not read configuration file \"%s\": %s",
		       unreadable[_i].path, strerror(unreadable[_i].error));
	ck_assert_int_eq(config_read(&arena, unreadable[_i].path, &config, &source, &message),
			 STATUS_MISCONFIGURED);
	ck_assert_str_eq(message, text);
	ck_assert_int_eq(setenv("SLUICE_CONFIG", unreadable[_i].path, 1), 0);
	ck_assert_int_eq(config_read(&arena, NULL, &config, &source, &message),
			 STATUS_MISCONFIGURED);
	ck_assert_str_eq(message, text);
}
END_TEST

/* The lowest free descriptor says whether one was left open. */
START_TEST(no_file_stays_open)
{
	int before = dup(STDIN_FILENO);

	ck_assert_int_ge(before, 0);
	ck_assert_int_eq(close(before), 0);
	expect_ok(read_text("batch_items = 7\n"));
	ck_assert_int_eq(read_text("batch_items = 0\n"), STATUS_MISCONFIGURED);
	int after = dup(STDIN_FILENO);
	ck_assert_int_eq(after, before);
	ck_assert_int_eq(close(after), 0);
}
END_TEST

/* ---- where settings come from ---- */

START_TEST(the_environment_names_the_file)
{
	write_file("batch_items = 7\n", 16);
	ck_assert_int_eq(setenv("SLUICE_CONFIG", path, 1), 0);
	expect_ok(config_read(&arena, NULL, &config, &source, &message));
	ck_assert_int_eq(config.batch_items, 7);
	ck_assert_str_eq(source.path, path);
	/* The caller's name goes before it. */
	expect_ok(config_read(&arena, "/dev/null", &config, &source, &message));
	ck_assert_int_eq(config.batch_items, 5000);
	ck_assert_str_eq(source.path, "/dev/null");
}
END_TEST

static const char *const unnamed[] = {NULL, ""};

START_TEST(without_a_name_the_usual_file_is_taken_if_it_is_there)
{
	static const char usual[] = "/etc/sluice/sluice.conf";

	if (unnamed[_i] != NULL)
		ck_assert_int_eq(setenv("SLUICE_CONFIG", unnamed[_i], 1), 0);
	enum status status = config_read(&arena, NULL, &config, &source, &message);
	if (access(usual, F_OK) != 0) {
		expect_ok(status);
		ck_assert_ptr_null(source.path);
	} else if (status == STATUS_OK) {
		ck_assert_str_eq(source.path, usual);
	} else {
		ck_assert_ptr_nonnull(strstr(message, usual));
	}
}
END_TEST

START_TEST(the_environment_goes_before_the_file)
{
	size_t items, size;

	(void)find("batch_items", &items);
	(void)find("item_size", &size);
	ck_assert_int_eq(setenv("SLUICE_BATCH_ITEMS", "8", 1), 0);
	ck_assert_int_eq(setenv("SLUICE_DATABASE", "", 1), 0);
	ck_assert_int_eq(setenv("SLUICELESS", "8", 1), 0);
	ck_assert_int_eq(setenv("NOT_SLUICE_ITEM_SIZE", "8", 1), 0);
	expect_ok(read_text("batch_items = 7\nitem_size = 1KiB\n"));
	ck_assert_int_eq(config.batch_items, 8);
	ck_assert_int_eq(config.item_bytes, 1024);
	ck_assert_str_eq(config.database, "");
	ck_assert_int_eq(source.origin[items], CONFIG_FROM_ENVIRONMENT);
	ck_assert_int_eq(source.origin[size], CONFIG_FROM_FILE);
	ck_assert_int_eq(source.origin[0], CONFIG_FROM_ENVIRONMENT);
	/* A wrong value in the file is an error all the same. */
	ck_assert_int_eq(read_text("batch_items = 0\n"), STATUS_MISCONFIGURED);
}
END_TEST

static const struct {
	const char *variable, *value, *message;
} environments[] = {
	{"SLUICE_BATCH_ITEMS", "0",
	 "SLUICE_BATCH_ITEMS takes a number from 1 to 1000000, not \"0\""},
	{"SLUICE_LOG_LEVEL", "'info'",
	 "SLUICE_LOG_LEVEL takes one of debug, info, warning, error, not \"'info'\""},
	{"SLUICE_DATABASE", "password=hunter2\n",
	 "SLUICE_DATABASE takes at most 900 bytes without control characters"},
	{"SLUICE_ITEM_SISE", "1KiB",
	 "unknown setting \"item_sise\" in the environment variable SLUICE_ITEM_SISE, did you mean "
	 "\"item_size\"?"},
};

START_TEST(the_environment_is_checked)
{
	ck_assert_int_eq(setenv(environments[_i].variable, environments[_i].value, 1), 0);
	ck_assert_int_eq(read_text(""), STATUS_MISCONFIGURED);
	ck_assert_str_eq(message, environments[_i].message);
	ck_assert_ptr_null(strstr(message, "hunter2"));
}
END_TEST

static const char *const foreign[] = {"SLUICE_SECRET", "SLUICE_", "SLUICE_\x1b\n",
				      "SLUICE_MIGRATIONS", "SLUICE_SERVICE_HOST"};

START_TEST(foreign_variables_are_left_alone)
{
	ck_assert_int_eq(setenv(foreign[_i], "hunter2", 1), 0);
	ck_assert_int_eq(read_text(""), STATUS_OK);
}
END_TEST

/* ---- passwords ---- */

#define HIDDEN "********"

static const struct {
	const char *database, *shown;
} passwords[] = {
	{"dbname=sluice", "dbname=sluice"},
	{"host=h password=hunter2 dbname=d", "host=h password=" HIDDEN " dbname=d"},
	{"password=hunter2", "password=" HIDDEN},
	{"password = hunter2 dbname=d", "password = " HIDDEN " dbname=d"},
	{"password\t=\thunter2", NULL},
	{"password='hunter2 hunter2' dbname=d", "password=" HIDDEN " dbname=d"},
	{"password='it\\'s hunter2' dbname=d", "password=" HIDDEN " dbname=d"},
	{"password=a\\ hunter2 dbname=d", "password=" HIDDEN " dbname=d"},
	{"password='hunter2", "password=" HIDDEN},
	{"password=hunter2\\", "password=" HIDDEN},
	{"password= dbname=d", "password= " HIDDEN},
	{"sslpassword=hunter2 user=u", "sslpassword=" HIDDEN " user=u"},
	{"password=hunter2 password=hunter2", "password=" HIDDEN " password=" HIDDEN},
	{"passfile=/etc/pass user=u", "passfile=/etc/pass user=u"},
	{"user='a b' host=h", "user='a b' host=h"},
	{"hunter2", HIDDEN},
	{"dbname=d hunter2", "dbname=d" HIDDEN},
	{"postgresql://u@h/d", "postgresql://u@h/d"},
	{"postgresql://h:5432/d", "postgresql://h:5432/d"},
	{"postgresql:///d?host=/run", "postgresql:///d?host=/run"},
	{"postgresql://", "postgresql://"},
	{"postgresql://u:hunter2@h:5432/d", "postgresql://u:" HIDDEN "@h:5432/d"},
	{"postgres://u:hunter2@h/d", "postgres://u:" HIDDEN "@h/d"},
	{"postgresql://u:@h/d", "postgresql://u:" HIDDEN "@h/d"},
	{"postgresql://:hunter2@h", "postgresql://:" HIDDEN "@h"},
	{"postgresql://u:hunter2@", "postgresql://u:" HIDDEN "@"},
	{"postgresql://u:a/hunter2@h/d", "postgresql://u:" HIDDEN "@h/d"},
	{"postgresql://u:a?hunter2@h/d", "postgresql://u:" HIDDEN "@h/d"},
	{"postgresql://u:a@hunter2@h/d", "postgresql://u:" HIDDEN "@h/d"},
	{"postgresql://u:a:hunter2@h/d", "postgresql://u:" HIDDEN "@h/d"},
	{"postgresql://h/d?password=hunter2", "postgresql://h/d?password=" HIDDEN},
	{"postgresql://h/d?password=hunter2&user=u", "postgresql://h/d?password=" HIDDEN "&user=u"},
	{"postgresql://h/d?user=u&password=hunter2=", "postgresql://h/d?user=u&password=" HIDDEN},
	{"postgresql://h/d?pass%77ord=hunter2", "postgresql://h/d?pass%77ord=" HIDDEN},
	{"postgresql://h/d?sslpassword=hunter2&a=b", "postgresql://h/d?sslpassword=" HIDDEN "&a=b"},
	{"postgresql://u:hunter2@h/d?password=hunter2",
	 "postgresql://u:" HIDDEN "@h/d?password=" HIDDEN},
	{"POSTGRESQL://u:hunter2@h/d", HIDDEN},
};

START_TEST(passwords_are_hidden)
{
	size_t index;
	const struct config_setting *setting = find("database", &index);

	ck_assert_int_eq(setenv("SLUICE_DATABASE", passwords[_i].database, 1), 0);
	enum status status = read_text("");
	if (passwords[_i].shown == NULL) {
		ck_assert_int_eq(status, STATUS_MISCONFIGURED);
		ck_assert_ptr_null(strstr(message, "hunter2"));
		return;
	}
	expect_ok(status);
	ck_assert_str_eq(config.database, passwords[_i].database);
	ck_assert_str_eq(formatted(setting), passwords[_i].shown);
}
END_TEST

/* ---- documents ---- */

static const char *written_default(const struct config_setting *setting)
{
	return *setting->default_text == '\0' ? "''" : setting->default_text;
}

/* The line that gives a setting its value in the example, commented out. */
static void add_example_line(char *text, size_t bytes, const struct config_setting *setting)
{
	(void)snprintf(text, bytes, "\n#%s = %s\n", setting->key, written_default(setting));
}

START_TEST(the_example_is_the_file)
{
	struct buf example = buf_make(1 << 20);
	FILE *kept = fopen(SLUICE_SOURCE_DIR "/deploy/sluice.conf.example", "r");
	static char text[1 << 16];

	ck_assert_msg(kept != NULL, "%s", strerror(errno));
	size_t n = fread(text, 1, sizeof(text) - 1, kept);
	ck_assert_int_eq(fclose(kept), 0);
	config_example(&example);
	buf_add_char(&example, '\0');
	ck_assert_int_eq(example.status, STATUS_OK);
	ck_assert_str_eq(text, example.p);
	ck_assert_uint_eq(n, example.n - 1);
	expect_ok(read_text(text));
	buf_free(&example);
}
END_TEST

START_TEST(the_example_has_every_default)
{
	struct buf example = buf_make(1 << 20);
	char line[256];
	size_t count;
	const struct config_setting *settings = config_settings(&count);
	struct config defaults;

	expect_ok(read_text(""));
	defaults = config;
	config_example(&example);
	buf_add_char(&example, '\0');
	for (const char *c = example.p; *c != '\0';) {
		size_t n = strcspn(c, "\n");
		ck_assert_msg(n <= 80, "%.*s", (int)n, c);
		c += n + (c[n] == '\n');
	}
	for (size_t i = 0; i < count; i++) {
		add_example_line(line, sizeof(line), &settings[i]);
		char *place = strstr(example.p, line);
		ck_assert_msg(place != NULL, "%s", settings[i].key);
		place[1] = ' ';
	}
	/* Without the comment signs it sets everything to what it was. */
	expect_ok(read_text(example.p));
	for (size_t i = 0; i < count; i++) {
		char shown[256];
		struct config changed = config;
		ck_assert_int_eq(source.origin[i], CONFIG_FROM_FILE);
		(void)snprintf(shown, sizeof(shown), "%s", formatted(&settings[i]));
		config = defaults;
		ck_assert_str_eq(shown, formatted(&settings[i]));
		config = changed;
	}
	buf_free(&example);
}
END_TEST

START_TEST(the_manual_has_every_setting)
{
	struct buf manual = buf_make(1 << 20);
	char item[256];
	size_t count;
	const struct config_setting *settings = config_settings(&count);

	config_manual(&manual);
	buf_add_char(&manual, '\0');
	ck_assert_int_eq(manual.status, STATUS_OK);
	ck_assert_int_eq(strncmp(manual.p, ".Bl -tag -width Ds\n", 19), 0);
	ck_assert_str_eq(manual.p + manual.n - 5, ".El\n");
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(item, sizeof(item), "\n.It Ic %s\n", settings[i].key);
		char *place = strstr(manual.p, item);
		ck_assert_msg(place != NULL, "%s", item);
		(void)snprintf(item, sizeof(item), "The default is\n.Ql %s .\n",
			       written_default(&settings[i]));
		ck_assert_ptr_nonnull(strstr(place, item));
	}
	ck_assert_ptr_null(strstr(manual.p, ". "));
	buf_free(&manual);
}
END_TEST

/* ---- memory ---- */

static enum status read_and_show(void)
{
	size_t count;
	const struct config_setting *settings = config_settings(&count);
	struct buf out = buf_make(1 << 20);
	struct arena memory = {0};
	struct config read;
	enum status status = config_read(&memory, path, &read, NULL, &message);

	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		config_format(&read, &settings[i], &out);
		status = out.status;
	}
	if (status == STATUS_OK) {
		config_example(&out);
		config_manual(&out);
		status = out.status;
	}
	buf_free(&out);
	arena_free(&memory);
	return status;
}

static enum status complain(void)
{
	struct arena memory = {0};
	struct config read;
	enum status status = config_read(&memory, path, &read, NULL, &message);

	arena_free(&memory);
	/* The refusal is the good end here. */
	return status == STATUS_MISCONFIGURED ? STATUS_OK : status;
}

START_TEST(reading_survives_failure)
{
	static const char good[] = "database = 'host=h password=''hunter2'''\nbatch_items = 7\n";
	static const char bad[] = "iten_size = 1KiB\n";

	write_file(good, strlen(good));
	ck_assert_int_ge(unit_torture(read_and_show), 4);
	write_file(bad, strlen(bad));
	ck_assert_int_ge(unit_torture(complain), 3);
}
END_TEST

static void add_file_tests(TCase *tests)
{
	tcase_add_loop_test(tests, values_are_read, 0, LENGTH(values));
	tcase_add_loop_test(tests, values_are_refused, 0, LENGTH(refused));
	tcase_add_loop_test(tests, bools_are_read, 0, LENGTH(bools));
	tcase_add_loop_test(tests, texts_are_read, 0, LENGTH(texts));
	tcase_add_loop_test(tests, shown_texts_are_read_back, 0, LENGTH(texts));
	tcase_add_loop_test(tests, messages_say_what_and_where, 0, LENGTH(messages));
	tcase_add_test(tests, long_refused_values_are_cut);
	tcase_add_test(tests, a_nul_byte_is_no_text);
	tcase_add_loop_test(tests, lines_have_a_length, 0, LENGTH(line_lengths));
	tcase_add_loop_test(tests, texts_have_a_length, 0, LENGTH(text_lengths));
	tcase_add_test(tests, files_have_a_size);
	tcase_add_test(tests, no_file_stays_open);
	tcase_add_loop_test(tests, a_named_file_must_be_readable, 0, LENGTH(unreadable));
}

Suite *unit_suite(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("config");
	size_t count;

	(void)config_settings(&count);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, defaults_are_the_contracts);
	tcase_add_loop_test(tests, each_key_sets_one_member, 0, (int)count);
	tcase_add_test(tests, networks_are_read_and_shown);
	tcase_add_loop_test(tests, numbers_keep_their_range, 0, (int)count);
	tcase_add_loop_test(tests, help_is_written, 0, (int)count);
	add_file_tests(tests);
	tcase_add_test(tests, the_environment_names_the_file);
	tcase_add_loop_test(tests, without_a_name_the_usual_file_is_taken_if_it_is_there, 0,
			    LENGTH(unnamed));
	tcase_add_test(tests, the_environment_goes_before_the_file);
	tcase_add_loop_test(tests, the_environment_is_checked, 0, LENGTH(environments));
	tcase_add_loop_test(tests, foreign_variables_are_left_alone, 0, LENGTH(foreign));
	tcase_add_loop_test(tests, passwords_are_hidden, 0, LENGTH(passwords));
	tcase_add_test(tests, the_example_is_the_file);
	tcase_add_test(tests, the_example_has_every_default);
	tcase_add_test(tests, the_manual_has_every_setting);
	tcase_add_test(tests, reading_survives_failure);
	suite_add_tcase(suite, tests);
	return suite;
}

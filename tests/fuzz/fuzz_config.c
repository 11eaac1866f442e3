/*
 * fuzz_config.c - configuration files: what is read is within its range, written out it is read as
 * the same, and neither that nor a message shows a password.
 */
#define _GNU_SOURCE /* memfd_create, memmem */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "fuzz.h"

#define PASSWORD "T0p-Hidden"

enum { PATH_BYTES = 64 };

static enum status read_text(struct arena *arena, struct slice text, struct config *config,
			     const char **message)
{
	struct config_source source;
	char path[PATH_BYTES];
	int fd = memfd_create("sluice.conf", MFD_CLOEXEC);

	CHECK(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n);
	CHECK(snprintf(path, sizeof(path), "/proc/self/fd/%d", fd) < PATH_BYTES);
	enum status status = config_read(arena, path, config, &source, message);
	CHECK(status == STATUS_OK || status == STATUS_MISCONFIGURED);
	CHECK((status == STATUS_OK) == (*message == NULL));
	CHECK(*message == NULL || strstr(*message, PASSWORD) == NULL);
	(void)close(fd);
	return status;
}

static void check_range(const struct config *config, const struct config_setting *setting)
{
	const void *member = (const char *)config + setting->offset;

	if (setting->type == CONFIG_COUNT || setting->type == CONFIG_BYTES ||
	    setting->type == CONFIG_DURATION_MS) {
		int64_t number = *(const int64_t *)member;
		CHECK(number >= setting->min && number <= setting->max);
	} else if (setting->type == CONFIG_TEXT) {
		CHECK((int64_t)strlen(*(const char *const *)member) <= setting->max);
	}
}

static void check_hidden(const struct config *config, const struct config_setting *setting)
{
	struct buf shown = buf_make(SIZE_MAX / 2);

	config_format(config, setting, &shown);
	CHECK(shown.status == STATUS_OK);
	CHECK(shown.n == 0 || memmem(shown.p, shown.n, PASSWORD, strlen(PASSWORD)) == NULL);
	buf_free(&shown);
}

/* All but those with a hidden part, which is not written. */
static void add_settings(const struct config *config, struct buf *out)
{
	size_t count;
	const struct config_setting *settings = config_settings(&count);

	for (size_t i = 0; i < count; i++) {
		check_range(config, &settings[i]);
		if (settings[i].secret) {
			check_hidden(config, &settings[i]);
			continue;
		}
		buf_add_text(out, settings[i].key);
		buf_add_text(out, " = ");
		config_format(config, &settings[i], out);
		buf_add_char(out, '\n');
	}
	CHECK(out->status == STATUS_OK);
}

static void check_written(struct arena *arena, const struct config *config)
{
	struct buf one = buf_make(SIZE_MAX / 2), two = buf_make(SIZE_MAX / 2);
	struct config again;
	const char *message;

	add_settings(config, &one);
	CHECK(read_text(arena, buf_slice(&one), &again, &message) == STATUS_OK);
	add_settings(&again, &two);
	CHECK(slice_equal(buf_slice(&one), buf_slice(&two)));
	buf_free(&one);
	buf_free(&two);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return clearenv();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char database[] = "\ndatabase = host=x password=" PASSWORD " dbname=y\n";
	struct arena arena = {0};
	struct config config;
	const char *message;

	if (n > 0 && memmem(data, n, PASSWORD, strlen(PASSWORD)) != NULL)
		return 0;
	struct buf text = buf_make(SIZE_MAX / 2);
	buf_add(&text, data, n);
	if (fuzz_random_of((struct slice){(const char *)data, n}).state & 2)
		buf_add_text(&text, database);
	if (read_text(&arena, buf_slice(&text), &config, &message) == STATUS_OK)
		check_written(&arena, &config);
	buf_free(&text);
	arena_free(&arena);
	return 0;
}

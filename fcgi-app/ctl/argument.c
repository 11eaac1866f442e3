/*
 * ctl/argument.c - timestamps, ids, files and what chooses rows of a list among the arguments of
 * sluicectl. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <string.h>

#include "base/ascii.h"
#include "base/file.h"
#include "base/timestamp.h"

/* ---- timestamps ---- */

enum { RELATIVE_DIGITS_MAX = 5, GIVEN_BYTES_MAX = 1 << 20 };

/* 90d, 12h: up to five digits and a unit, which PostgreSQL knows too. */
bool ctl_is_span(const char *text)
{
	int digits = 0;

	while (ascii_is_digit(text[digits]))
		digits++;
	return digits > 0 && digits <= RELATIVE_DIGITS_MAX && text[digits] != '\0' &&
	       strchr("wdhms", text[digits]) != NULL && text[digits + 1] == '\0';
}

enum ctl_exit ctl_read_timestamp(struct ctl *ctl, enum ctl_option option, const char *sign,
				 struct store_timestamp *timestamp)
{
	const char *text = ctl->values[option];
	bool only_date = false;
	bool relative = ctl_is_span(text);
	int64_t us = 0;
	struct buf given = buf_make(GIVEN_BYTES_MAX);

	/* By the rule of the settings service. */
	if (!relative &&
	    !(timestamp_is_exact(text, &only_date) && timestamp_read(slice_of(text), &us)))
		return ctl_fail(
			CTL_USAGE,
			"write 2031-05-01T12:00:00Z, 2031-05-01, or a span such as 90d or 12h",
			"\"%s\" is not a valid timestamp", text);
	if (relative) {
		buf_add_text(&given, sign);
		buf_add_text(&given, text);
	} else {
		timestamp_add(&given, us);
	}
	buf_add_char(&given, '\0');
	enum status status = STATUS_NO_MEMORY;
	if (given.status == STATUS_OK)
		status = store_timestamp_read(&ctl->store, (struct slice){given.p, given.n - 1},
					      relative, timestamp);
	buf_free(&given);
	if (status == STATUS_INVALID_VALUE)
		return ctl_fail(CTL_USAGE, NULL, "\"%s\" is not a valid timestamp: %s", text,
				pg_message(ctl->db));
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

enum ctl_exit ctl_read_past(struct ctl *ctl, enum ctl_option option, struct slice *text)
{
	struct store_timestamp timestamp = {0};

	if (!ctl_has(ctl, option))
		return CTL_FINE;
	enum ctl_exit result = ctl_read_timestamp(ctl, option, "-", &timestamp);
	*text = timestamp.text;
	return result;
}

/* ---- ids ---- */

enum ctl_exit ctl_read_id(const struct ctl *ctl, const char *noun, int64_t *id)
{
	const char *text = ctl->argument;

	if (*text == '\0')
		return ctl_fail(CTL_USAGE, NULL, "the id is empty");
	if (!slice_to_int(slice_of(text), id))
		return ctl_fail(CTL_USAGE, "the command \"list\" shows the ids",
				"\"%s\" is not the id of a %s", text, noun);
	return CTL_FINE;
}

enum ctl_exit ctl_check_id(const struct ctl *ctl, enum ctl_option option)
{
	struct slice text = ctl_value(ctl, option);
	int64_t id;

	if (text.p == NULL || slice_to_int(text, &id))
		return CTL_FINE;
	return ctl_fail(CTL_USAGE,
			option == CTL_KEY ? "\"sluicectl key list\" shows the ids" : NULL,
			"%s must be an id, not \"%s\"", ctl_options[option].name, text.p);
}

/* ---- lists ---- */

enum ctl_exit ctl_check_limit(const struct ctl *ctl)
{
	struct slice text = ctl_value(ctl, CTL_LIMIT);
	int64_t limit;

	if (text.p == NULL || (slice_to_int(text, &limit) && limit >= 1 && limit <= CTL_LIMIT_MAX))
		return CTL_FINE;
	return ctl_fail(CTL_USAGE, NULL, "--limit must be a number from 1 to %d, not \"%s\"",
			CTL_LIMIT_MAX, text.p);
}

enum ctl_exit ctl_read_selection(const struct ctl *ctl, struct store_selection *selection)
{
	*selection = (struct store_selection){
		.match = ctl_value(ctl, CTL_MATCH),
		.role = ctl_value(ctl, CTL_ROLE),
		.endpoint_type = ctl_value(ctl, CTL_ENDPOINT),
		.status = ctl_value(ctl, CTL_STATUS),
		.limit = ctl_value(ctl, CTL_LIMIT),
	};
	return ctl_check_limit(ctl);
}

/* ---- files ---- */

enum ctl_exit ctl_read_file(struct ctl *ctl, const char *what, const char *path, size_t max_bytes,
			    struct slice *text)
{
	const char *message = NULL;
	const bool is_input = strcmp(path, "-") == 0;
	enum status status =
		file_read(&ctl->arena, is_input ? "/dev/stdin" : path, max_bytes, text, &message);

	if (status == STATUS_MISCONFIGURED)
		return ctl_fail(CTL_FAILED, NULL, "could not read the %s \"%s\": %s", what,
				is_input ? "standard input" : path, message);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

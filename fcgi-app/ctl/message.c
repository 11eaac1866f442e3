/*
 * ctl/message.c - error messages. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { MESSAGE_MAX_BYTES = 16384 };

/* A kind of message, and its colour at a terminal. */
struct kind {
	const char *prefix;
	enum ctl_colour colour;
};

/* Appends a line, escaped and without keys: one may have been typed where an id belongs. */
static void add_line(struct buf *out, const char *prefix, const char *text)
{
	struct buf redacted = buf_make(2 * MESSAGE_MAX_BYTES);

	log_redact(&redacted, slice_of(text));
	buf_add_text(out, prefix);
	(void)ctl_add_escaped(out, buf_slice(&redacted));
	buf_add_char(out, '\n');
	if (out->status == STATUS_OK)
		out->status = redacted.status;
	buf_free(&redacted);
}

/* NULL or "" as detail or hint: there is none. */
__attribute__((format(printf, 4, 0))) static void print_message(struct kind kind,
								const char *detail,
								const char *hint,
								const char *format, va_list args)
{
	char text[MESSAGE_MAX_BYTES];
	struct buf out = buf_make(64 * MESSAGE_MAX_BYTES);
	const struct ctl_screen screen = ctl_screen_of(STDERR_FILENO);

	(void)vsnprintf(text, sizeof(text), format, args);
	ctl_add_colour(&out, &screen, kind.colour);
	buf_add_text(&out, kind.prefix);
	ctl_add_colour(&out, &screen, CTL_PLAIN);
	add_line(&out, "", text);
	if (detail != NULL && *detail != '\0')
		add_line(&out, "DETAIL: ", detail);
	if (hint != NULL && *hint != '\0')
		add_line(&out, "HINT: ", hint);
	/* Out of memory, the message still has to get out. */
	if (out.status == STATUS_OK)
		(void)fwrite(out.p, 1, out.n, stderr);
	else
		(void)fputs("sluicectl: out of memory\n", stderr);
	buf_free(&out);
}

static const struct kind failure = {"sluicectl: ", CTL_RED};
static const struct kind warning = {"sluicectl: warning: ", CTL_YELLOW};

enum ctl_exit ctl_fail(enum ctl_exit status, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_message(failure, NULL, hint, format, args);
	va_end(args);
	return status;
}

enum ctl_exit ctl_fail_server(const struct ctl *ctl, enum ctl_exit status, const char *hint,
			      const char *format, ...)
{
	const char *servers = pg_hint(ctl->db);
	va_list args;

	va_start(args, format);
	print_message(failure, pg_detail(ctl->db), *servers == '\0' ? hint : servers, format, args);
	va_end(args);
	return status;
}

void ctl_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_message(warning, NULL, NULL, format, args);
	va_end(args);
}

enum ctl_exit ctl_exit_of(enum status status)
{
	if (status == STATUS_UNAVAILABLE || status == STATUS_DEADLINE ||
	    status == STATUS_OUTCOME_UNKNOWN)
		return CTL_UNREACHABLE;
	return CTL_FAILED;
}

/* What to do about a failure; NULL when that is not known. */
static const char *hint_for(enum status status, const char *sqlstate)
{
	static const struct {
		const char *sqlstate, *hint;
	} hints[] = {
		{"42501",
		 "connect as a member of sluice_admin, or for migrate as the database's owner"},
		{"42883", "the schema is missing or old; run sluicectl migrate"},
		{"42P01", "the schema is missing or old; run sluicectl migrate"},
		{"3F000", "the schema is missing; run sluicectl migrate"},
		{"25006", "connect to the primary server"},
	};

	if (status == STATUS_OUTCOME_UNKNOWN)
		return "it is not known whether the change was made; check before you try again";
	for (size_t i = 0; i < ARRAY_LENGTH(hints); i++) {
		if (strcmp(hints[i].sqlstate, sqlstate) == 0)
			return hints[i].hint;
	}
	return NULL;
}

enum ctl_exit ctl_fail_status(const struct ctl *ctl, enum status status)
{
	const char *message = ctl->db == NULL ? "" : pg_message(ctl->db);
	const char *sqlstate = ctl->db == NULL ? "" : pg_sqlstate(ctl->db);

	if (status == STATUS_NO_MEMORY)
		return ctl_fail(CTL_FAILED, NULL, "out of memory");
	if (*message == '\0')
		return ctl_fail(ctl_exit_of(status), hint_for(status, ""), "failed: %s",
				status_name(status));
	return ctl_fail_server(ctl, ctl_exit_of(status), hint_for(status, sqlstate), "%s", message);
}

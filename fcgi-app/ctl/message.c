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

#define OTHER_RELEASE                                                                              \
	"the schema is missing, or of another release than this program: sluicectl check says which"

/* What is known about a failure, to be said in place of the server's own hint if that is about SQL;
 * sqlstate NULL: of STATUS_INTERNAL, such as a result that has other columns. */
static const struct known {
	const char *sqlstate, *hint;
	bool is_about_sql;
} known_failures[] = {
	{"42501", "connect as a member of sluice_admin, or for migrate as the database's owner",
	 false},
	{"42883", OTHER_RELEASE, true},
	{"42P01", OTHER_RELEASE, true},
	{"42703", OTHER_RELEASE, true},
	{"42704", OTHER_RELEASE, true},
	{NULL, OTHER_RELEASE, true},
	{"3F000", "the schema is missing; run sluicectl migrate", true},
	{"25006", "connect to the primary server", false},
};

/* NULL when nothing is known. */
static const struct known *known_failure(enum status status, const char *sqlstate)
{
	for (size_t i = 0; i < ARRAY_LENGTH(known_failures); i++) {
		const struct known *known = &known_failures[i];
		if (known->sqlstate == NULL ? status == STATUS_INTERNAL && *sqlstate == '\0'
					    : strcmp(known->sqlstate, sqlstate) == 0)
			return known;
	}
	return NULL;
}

enum ctl_exit ctl_fail_status(const struct ctl *ctl, enum status status)
{
	const char *message = ctl->db == NULL ? "" : pg_message(ctl->db);
	const char *sqlstate = ctl->db == NULL ? "" : pg_sqlstate(ctl->db);
	const struct known *known = known_failure(status, sqlstate);
	const char *hint = known == NULL ? NULL : known->hint;

	if (status == STATUS_NO_MEMORY)
		return ctl_fail(CTL_FAILED, NULL, "out of memory");
	if (status == STATUS_OUTCOME_UNKNOWN)
		hint = "it is not known whether the change was made; check before you try again";
	if (*message == '\0' && status == STATUS_INTERNAL)
		return ctl_fail(CTL_FAILED, hint, "the database's answer is not the expected one");
	if (*message == '\0')
		return ctl_fail(ctl_exit_of(status), hint, "failed: %s", status_name(status));
	if (known != NULL && known->is_about_sql)
		return ctl_fail(ctl_exit_of(status), hint, "%s", message);
	return ctl_fail_server(ctl, ctl_exit_of(status), hint, "%s", message);
}

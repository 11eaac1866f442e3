/*
 * base/log.h - one logfmt line per event, to the standard error stream or to syslog.
 *
 * The code that knows a cause logs it, once. Values are quoted if need be, control characters are
 * escaped, and whatever looks like a key, secret or token ("sk_…", "whs_…", "slt_…", also
 * percent-encoded) is cut to its first characters, in any field.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#include "base/buf.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_target { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG };

/* One name=value pair; left out if its text is absent or empty. */
struct log_field {
	const char *name;
	enum { LOG_FIELD_TEXT, LOG_FIELD_INT } type;
	struct slice text;
	int64_t number;
};

#define LOG_TEXT(name, string) ((struct log_field){(name), LOG_FIELD_TEXT, slice_of(string), 0})
#define LOG_SLICE(name, slice) ((struct log_field){(name), LOG_FIELD_TEXT, (slice), 0})
#define LOG_INT(name, value)                                                                       \
	((struct log_field){(name), LOG_FIELD_INT, SLICE_ABSENT, (int64_t)(value)})

/* Sets the target and the least level that is written. program is not copied. Until then lines of
 * LOG_LEVEL_INFO and above go to the standard error stream. */
void log_open(const char *program, enum log_target target, enum log_level least);

/* For a worker: from now on a line that would have to wait for the reader of the log is lost. Lost
 * lines are counted, and once lines are read again, one says how many were lost. */
void log_never_wait(void);

/* After log_never_wait(): if the standard error stream is a file that has been moved away, goes on
 * in a new one. */
void log_reopen(void);

/* Call it in a forked child, so that its lines show its own process id. */
void log_forked(void);

/*
 * Writes one line: time=… level=… program=… pid=… event=… and the fields. Lines have at most 4096
 * bytes and one write(2) each, so those of several processes never mix; long values are cut.
 * message is a constant in PostgreSQL's style: lower case, no full stop, "could not …" if it may
 * work later.
 */
void log_write(enum log_level level, const char *message, const struct log_field *fields,
	       size_t count);

/* log_write() with the fields as further arguments: LOG_TEXT, LOG_SLICE, LOG_INT. */
#define log_event(level, message, ...)                                                             \
	log_write((level), (message), (struct log_field[]){__VA_ARGS__},                           \
		  sizeof((struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

/*
 * Between these two, lines below LOG_LEVEL_WARNING to the standard error stream are collected and
 * written together, up to 4096 bytes with each write(2). For the loop, which writes many lines in a
 * turn. Do not fork in between.
 */
void log_hold(void);
void log_release(void);

/* Appends a text, such as a message of a library, with all keys and secrets in it cut. */
void log_redact(struct buf *out, struct slice text);

#endif

/*
 * base/log.h - one logfmt line per event, to the standard error stream or to syslog.
 *
 * Whoever knows a cause logs it, once. Values are quoted when they need it, control characters
 * are escaped, and anything that looks like one of our keys or secrets ("sk_…", "whs_…", also
 * percent-encoded) is replaced by its first characters and an ellipsis, whatever field it stands
 * in. An absent text (NULL) leaves its field out.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#include "base/buf.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_target { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG };

/* One name=value pair. */
struct log_field {
	const char *name;
	enum { LOG_FIELD_TEXT, LOG_FIELD_INT } type;
	struct slice text;
	int64_t number;
};

#define LOG_TEXT(name, string) ((struct log_field){(name), LOG_FIELD_TEXT, slice_of(string), 0})
#define LOG_SLICE(name, slice) ((struct log_field){(name), LOG_FIELD_TEXT, (slice), 0})
#define LOG_INT(name, value)                                                                       \
	((struct log_field){(name), LOG_FIELD_INT, {NULL, 0}, (int64_t)(value)})

/* Opens the log. program must outlive it. Before this, lines go to the standard error stream. */
void log_open(const char *program, enum log_target target, enum log_level least);

/* In a forked child: from here on lines bear its own process id. */
void log_forked(void);

/*
 * Writes one line: time=… level=… program=… pid=… event=… and the fields. One write(2) per line
 * of at most 4096 bytes, so lines of several processes never mix; a longer value is cut with an
 * ellipsis. message is a constant in PostgreSQL's style: lower case, no full stop, "could not …"
 * for what may work later.
 */
void log_write(enum log_level level, const char *message, const struct log_field *fields,
	       size_t count);

#define log_event(level, message, ...)                                                             \
	log_write((level), (message), (struct log_field[]){__VA_ARGS__},                           \
		  sizeof((struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

/*
 * Between these two, lines of the standard error stream below LOG_LEVEL_WARNING are gathered and
 * written together, whole lines of at most 4096 bytes with each write(2). For the loop, which
 * writes many lines in a turn and none while it waits. A child must not be forked in between.
 */
void log_hold(void);
void log_release(void);

/* Appends text to out with every key and secret in it shortened; for texts of other libraries. */
void log_redact(struct buf *out, struct slice text);

#endif

/*
 * model/event_time.h - when something happened, as a member of a payload says: the one reader for
 * signals and product orgs (CONTRACT.md, section 6).
 */
#ifndef MODEL_EVENT_TIME_H
#define MODEL_EVENT_TIME_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

#define EVENT_TIME_DAY_US (INT64_C(86400) * 1000000)

/*
 * Reads a JSON value, a string or number, as base/timestamp.h describes; blanks around a string do
 * not matter. Sets *us, microseconds since 1970, and *reason to NULL; or *reason, a constant, to
 * why the value is no timestamp. STATUS_OK or STATUS_NO_MEMORY.
 */
enum status event_time_read(struct arena *arena, struct slice value, int64_t *us,
			    const char **reason) MUST_CHECK;

/* The same for a text, such as a header's. */
const char *event_time_of_text(struct slice text, int64_t *us);

/* NULL when a time can be used for something received at received_us; else why not: it lies before
 * 1990 or more than a day ahead. */
const char *event_time_fault(int64_t us, int64_t received_us);

#endif

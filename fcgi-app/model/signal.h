/*
 * model/signal.h - what a signal is: source, type, identity, message id, cold or not (contract
 * section 6). Pure: from one item's text to one row, without the database or the request.
 *
 * Named model/signal.h inside a directory that never is a system include path; POSIX signals are in
 * <signal.h>.
 */
#ifndef MODEL_SIGNAL_H
#define MODEL_SIGNAL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

/* One row of sluice.signal_staging. Absent texts are NULL slices. For where they live see
 * signal_read. */
struct signal {
	int64_t position;    /* which item of the body it is, -1: the body itself; the caller's */
	struct slice source; /* never absent; "generic" at least */
	struct slice event_type; /* "type" */
	struct slice event_name; /* "event" */
	struct slice email;	 /* lower-cased */
	struct slice user_id;
	struct slice anonymous_id;
	struct slice message_id;
	int64_t occurred_at_us;	  /* microseconds since 1970-01-01 UTC; INT64_MIN when absent */
	bool cold;		  /* no identity: goes to signal_cold_storage */
	struct slice payload;	  /* the text for jsonb: as received, or repaired */
	struct slice payload_raw; /* the received bytes when payload was repaired, else absent */
};

/* True for [A-Za-z0-9._-]{1,64}: a source from path or header must be so. */
bool signal_source_is_valid(struct slice source);

/* True for 1 to 1,024 visible ASCII characters or spaces: a message id from a header must be so. */
bool signal_id_is_valid(struct slice id);

/*
 * Reads one item. text passed json_text and is an object; needs_repair as json_text says.
 * given_source is the source by path or header, absent when there is none. The texts of *out may
 * point into text, given_source or the arena, so they must live as long as *out.
 * Of members with the same name the last one counts. Ids that are numbers are kept exactly as they
 * were written. Values longer than 1,024 bytes are treated as absent (they stay in the payload).
 * Returns STATUS_OK, STATUS_NO_MEMORY or STATUS_MALFORMED_JSON.
 */
enum status signal_read(struct arena *arena, struct slice text, bool needs_repair,
			struct slice given_source, struct signal *out) MUST_CHECK;

#endif

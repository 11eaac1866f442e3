/*
 * model/signal.h - what a signal is: source, type, identity, time, message id, cold or not
 * (CONTRACT.md, sections 5 and 6). Pure: from one item's text to one row, without the database or
 * the request.
 */
#ifndef MODEL_SIGNAL_H
#define MODEL_SIGNAL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "model/warning.h"

/* What a request says of all its items. Texts may be absent. */
struct signal_given {
	int64_t received_us;	 /* microseconds since 1970-01-01 UTC */
	struct slice source;	 /* by path or header; overrules the item's */
	struct slice event_type; /* of a CloudEvent in headers; for an item without */
	struct slice event_name;
	struct slice time;
	/* Members beside a batch's array, as JSON; for items without. */
	struct slice envelope_context;
	struct slice envelope_timestamp;
	struct slice envelope_sent_at;
};

/* One row of sluice.signal_staging. For where its texts live see signal_read(). */
struct signal {
	int64_t position;    /* of the item in the body, -1: it is the body; set by the caller */
	struct slice source; /* never absent; "generic" at least */
	struct slice event_type; /* "type" */
	struct slice event_name; /* "event" */
	struct slice email;	 /* in small letters */
	struct slice user_id;
	struct slice anonymous_id;
	struct slice product_user_id;
	struct slice crm_id;
	struct slice marketing_automation_id;
	struct slice phone;
	struct slice product_org_id;
	struct slice message_id;
	bool repeat_by_bytes;	  /* it is a mail's: a repeat has the same bytes, too */
	int64_t occurred_at_us;	  /* microseconds since 1970-01-01 UTC; INT64_MIN when absent */
	bool in_envelope;	  /* the request's envelope is kept with it; set by the caller */
	bool cold;		  /* no identity: goes to signal_cold_storage */
	struct slice payload;	  /* the text for jsonb: as received, or repaired */
	struct slice payload_raw; /* the received bytes when payload was repaired, else absent */
	struct slice warnings;	  /* warnings_json() of what could not be used; absent: nothing */
};

/* True for [A-Za-z0-9._-]{1,64}, the form of a source. */
bool signal_source_is_valid(struct slice source);

/* True for 1 to 1,024 visible ASCII characters or spaces, the form of a message id in a header. */
bool signal_id_is_valid(struct slice id);

/*
 * Reads one item, an object that json_text_check() has accepted; needs_repair as it said. The texts
 * of *out may point into text, given or the arena, so all three must outlive it.
 * Of members with the same name the last one counts. Ids that are numbers are kept exactly as
 * written. Values over 1,024 bytes are absent (they stay in the payload).
 * STATUS_OK, STATUS_NO_MEMORY or STATUS_MALFORMED_JSON.
 */
enum status signal_read(struct arena *arena, struct slice text, bool needs_repair,
			const struct signal_given *given, struct signal *out) MUST_CHECK;

#endif

/*
 * model/template.h - a key's payload template, and what it makes of a payload: one row of
 * product-org data (CONTRACT.md, section 6, "Payload template"). Pure: texts in, a row out, without
 * the database or the request.
 *
 * A template is a JSON object of fields and paths (json/path.h), and under "custom" another one
 * with names of the user's choice:
 *
 *   {"product_org_id": "groupId", "name": "traits.name", "mrr": "traits.mrr",
 *    "custom": {"projects": "metrics.total_projects"}}
 *
 * What the fields take:
 *
 *   product_org_id, name, plan_id,   a string, a number (exactly as written), true or false, of 1
 *   plan_name, trial_status          to 1,024 bytes
 *   user_count, mrr                  a whole number within 64 bits, or a string of one with or
 *                                    without blanks around it. Its value counts: 12.0 and 1.2e1
 *                                    are 12, 12.5 is not whole. May be negative; mrr is in cents
 *   last_active_at                   what base/timestamp.h reads, as a string or a number
 *   feature_flags                    an object
 *   custom                           any value
 *
 * A missing or null value gives null; an unusable one gives null and a warning.
 */
#ifndef MODEL_TEMPLATE_H
#define MODEL_TEMPLATE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "model/warning.h"

enum {
	TEMPLATE_BYTES = 64 * 1024, /* of its text */
	TEMPLATE_CUSTOM_FIELDS = 100,
	TEMPLATE_NAME_BYTES = 256,    /* of a custom field's name; a path: JSON_PATH_BYTES */
	PRODUCT_ORG_TEXT_BYTES = 1024 /* of an id or a name */
};

/* A compiled template; it lives in its arena and is never changed. */
struct template;

/* Why a template is not valid, and where. */
struct template_fault {
	uint64_t offset;      /* byte of the template's text */
	struct slice message; /* in the arena: "field \"mrr\": the path is empty" */
	/* In the template's text or the arena. */
	struct slice field;  /* "mrr", "custom"; absent: the template as a whole */
	struct slice custom; /* which field of "custom"; else absent */
};

/*
 * Compiles a template's text. STATUS_OK, STATUS_NO_MEMORY, or STATUS_INVALID_TEMPLATE with *fault.
 * The text need not outlive the call.
 */
enum status template_compile(struct arena *arena, struct slice text, struct template **compiled,
			     struct template_fault *fault) MUST_CHECK;

struct product_org_number {
	bool given;
	int64_t value;
};

/* One row of product-org data. */
struct product_org {
	int64_t position; /* of the item in the body, -1: it is the body; set by the caller */
	struct slice message_id; /* messageId or message_id, a string or a number */
	bool repeat_by_bytes;	 /* it is a message_id: a repeat has the same bytes, too */
	struct slice product_org_id;
	struct slice name;
	struct slice plan_id;
	struct slice plan_name;
	struct product_org_number user_count;
	struct product_org_number mrr; /* cents */
	struct slice trial_status;
	int64_t last_active_at_us;  /* microseconds since 1970-01-01 UTC; INT64_MIN when absent */
	struct slice feature_flags; /* JSON text of an object, as received */
	struct slice custom;	    /* JSON text of an object of the values that were found, as
				     * received; absent when none was */
	struct warning *warnings;
	size_t warning_count;
	struct slice warnings_text; /* warnings_json() of them; set by the caller */
	bool in_envelope;	    /* the request's envelope is kept with it; set by the caller */
	struct slice payload;	    /* the text for jsonb: as received, or repaired */
	struct slice payload_raw;   /* the received bytes when payload was repaired, else absent */
};

/*
 * Applies a template to one item, an object that json_text_check() has accepted; needs_repair as it
 * said; received_us is when it was received, in microseconds since 1970. The texts of *out may
 * point into text, the arena or the template's arena. STATUS_OK, STATUS_NO_MEMORY,
 * STATUS_MALFORMED_JSON, or STATUS_MISSING_PRODUCT_ORG_ID: then the only warning says why, and no
 * other field is set.
 */
enum status template_apply(const struct template *compiled, struct arena *arena, struct slice text,
			   bool needs_repair, int64_t received_us,
			   struct product_org *out) MUST_CHECK;

#endif

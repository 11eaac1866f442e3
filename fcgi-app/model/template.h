/*
 * model/template.h - a key's payload template, and what it makes of a payload: one row of
 * product-org data (contract section 6, "Payload template"). Pure: texts in, a row out, without the
 * database or the request.
 *
 * A template is a JSON object: field -> path (json/path.h), and under "custom" an object of the
 * same kind with names of one's own:
 *
 *   {"product_org_id": "groupId", "name": "traits.name", "mrr": "traits.mrr",
 *    "custom": {"projects": "metrics.total_projects"}}
 *
 * What the fields take:
 *
 *   product_org_id, name, plan_id,   a string, a number (exactly as it was written) or true or
 *   plan_name, trial_status          false, 1 to 1,024 bytes
 *   user_count, mrr                  a whole number within 64 bits, or a string of one, blanks
 *                                    around it allowed; by its value: 12.0 and 1.2e1 are 12,
 *                                    12.5 is none. Negative ones too; mrr is in cents
 *   last_active_at                   what base/timestamp.h reads, as a string or a number
 *   feature_flags                    an object
 *   custom                           any value
 *
 * A value that is missing or null makes a null; one that cannot be used makes a null and a warning.
 */
#ifndef MODEL_TEMPLATE_H
#define MODEL_TEMPLATE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum {
	TEMPLATE_BYTES = 64 * 1024, /* of its text */
	TEMPLATE_CUSTOM_FIELDS = 100,
	TEMPLATE_NAME_BYTES = 256,    /* of a custom field's name; a path: JSON_PATH_BYTES */
	PRODUCT_ORG_TEXT_BYTES = 1024 /* of an id or a name */
};

/* A compiled template; it lives in its arena and is never changed. */
struct template;

/* What is wrong with a template, and where. */
struct template_fault {
	uint64_t offset;      /* byte of the template's text */
	struct slice message; /* in the arena: "field \"mrr\": the path is empty" */
	/* Whose it is, in the template's text or the arena: "mrr", "custom"; absent: of the whole.
	 */
	struct slice field;
	struct slice custom; /* of "custom", which; else absent */
};

/*
 * Compiles a template's text. STATUS_OK, STATUS_NO_MEMORY, or STATUS_INVALID_TEMPLATE with *fault.
 * The text need not outlive the call.
 */
enum status template_compile(struct arena *arena, struct slice text, struct template **compiled,
			     struct template_fault *fault) MUST_CHECK;

/* A field that is null although the payload has something for it. */
struct product_org_warning {
	struct slice field; /* "mrr", "custom.projects" */
	const char *reason; /* constant: "is not a whole number", … */
};

struct product_org_number {
	bool given;
	int64_t value;
};

/* One row of product-org data. Absent texts are NULL slices. */
struct product_org {
	int64_t position; /* which item of the body it is, -1: the body itself; the caller's */
	struct slice message_id; /* messageId or message_id, a string or a number */
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
	struct product_org_warning *warnings;
	size_t warning_count;
	struct slice warnings_text; /* of product_org_warnings; the caller's */
	struct slice payload;	    /* the text for jsonb: as received, or repaired */
	struct slice payload_raw;   /* the received bytes when payload was repaired, else absent */
};

/*
 * Applies a template to one item. text passed json_text and is an object; needs_repair as json_text
 * says. The texts of *out may point into text, the arena or the template's arena.
 * STATUS_OK, STATUS_NO_MEMORY, STATUS_MALFORMED_JSON, or STATUS_MISSING_PRODUCT_ORG_ID: then the
 * one warning says why there is none, and of the other fields nothing is set.
 */
enum status template_apply(const struct template *compiled, struct arena *arena, struct slice text,
			   bool needs_repair, struct product_org *out) MUST_CHECK;

/*
 * The row's warnings as a JSON array, in the arena: [{"field":…,"reason":…}]; absent when there are
 * none. Nothing of it points into the template. STATUS_OK or STATUS_NO_MEMORY.
 */
enum status product_org_warnings(struct arena *arena, const struct product_org *row,
				 struct slice *text) MUST_CHECK;

#endif

/*
 * base/status.h - the one list of outcomes.
 *
 * Whoever knows the cause of a failure logs it once and returns a status; everyone above passes
 * the status on. A status says everything a sender may be told: the HTTP status line, the stable
 * problem code, the public title and the advice to retry (contract section 3).
 *
 * This module knows nothing of requests, PostgreSQL or JSON.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#define MUST_CHECK __attribute__((warn_unused_result))

/*
 * X(name, HTTP status, problem code, public title, Retry-After in seconds or 0, what to do about
 * it)
 *
 * Codes are part of the interface: senders compare them, so a code never changes its meaning.
 */
#define STATUS_LIST(X)                                                                             \
	X(OK, 200, "ok", "OK", 0, "The request was served.")                                       \
	X(CREATED, 201, "created", "Created", 0, "It was created.")                                \
	X(ACCEPTED, 202, "accepted", "Accepted", 0, "The signals are committed.")                  \
	/* The sender's payload or request: 4xx. */                                                \
	X(MALFORMED_REQUEST, 400, "malformed_request", "The request is malformed", 0,              \
	  "The request line or a header cannot be read.")                                          \
	X(EMPTY_BODY, 400, "empty_body", "The request has no body", 0,                             \
	  "Send one JSON object, an array of objects, or NDJSON.")                                 \
	X(MALFORMED_JSON, 400, "malformed_json", "The body is not valid JSON", 0,                  \
	  "The body must be JSON as RFC 8259 defines it, in UTF-8.")                               \
	X(MALFORMED_CODING, 400, "malformed_coding", "The body could not be decompressed", 0,      \
	  "The gzip stream is damaged or ends too early.")                                         \
	X(INCOMPLETE_BODY, 400, "incomplete_body", "The body is shorter than announced", 0,        \
	  "The connection ended before all announced bytes had arrived.")                          \
	X(NOT_AN_OBJECT, 400, "not_an_object", "An item is not a JSON object", 0,                  \
	  "A signal is a JSON object.")                                                            \
	X(NOT_A_BATCH, 400, "not_a_batch", "The body holds no array of items", 0,                  \
	  "Send an array, NDJSON, or an object whose \"batch\", \"signals\" or \"events\" is an "  \
	  "array.")                                                                                \
	X(EMPTY_BATCH, 400, "empty_batch", "The batch holds no items", 0,                          \
	  "There is nothing to store in an empty array.")                                          \
	X(NESTING_TOO_DEEP, 400, "nesting_too_deep", "An item is nested too deeply", 0,            \
	  "Arrays and objects are nested too deeply.")                                             \
	X(NUMBER_TOO_LARGE, 400, "number_too_large", "A number has too many digits", 0,            \
	  "A number has more digits, or a larger exponent, than can be stored.")                   \
	X(INVALID_VALUE, 400, "invalid_value", "A value cannot be stored", 0,                      \
	  "The database cannot hold a value of this payload.")                                     \
	X(INVALID_SOURCE, 400, "invalid_source", "The source name is not valid", 0,                \
	  "A source is 1 to 64 characters of A-Z a-z 0-9 . _ -")                                   \
	X(MISSING_PRODUCT_ORG_ID, 400, "missing_product_org_id", "The product org has no id", 0,   \
	  "The payload template of this key finds no usable product_org_id in the payload.")       \
	X(INVALID_TEMPLATE, 400, "invalid_template", "The payload template is not valid", 0,       \
	  "A template is a JSON object of fields and the paths to their values.")                  \
	X(INVALID_REQUEST, 400, "invalid_request", "The request is not valid", 0,                  \
	  "A parameter or a member of the body has a value that is not taken.")                    \
	X(ORGANIZATION_MISSING, 400, "organization_missing", "No organization is named", 0,        \
	  "You are a member of several organizations: name one with ?organization=ID.")            \
	X(REPEATED_HEADER, 400, "repeated_header", "A header was sent more than once", 0,          \
	  "A header that is read once was sent more than once.")                                   \
	X(BATCH_REJECTED, 400, "batch_rejected", "No item was stored", 0,                          \
	  "No item of the batch can be stored.")                                                   \
	X(UNAUTHENTICATED, 401, "unauthenticated", "The API key or secret was not accepted", 0,    \
	  "Check the key in the path and that it is neither expired nor deactivated; if it has a " \
	  "secret, check X-Api-Secret.")                                                           \
	X(WRONG_ENDPOINT, 403, "wrong_endpoint", "The key is for another endpoint", 0,             \
	  "This key was made for the other kind of endpoint.")                                     \
	X(NOT_SIGNED_IN, 403, "not_signed_in", "Nobody is signed in", 0,                           \
	  "The web server has to say who is asking: see \"Settings\" in Sluice's README.")         \
	X(NOT_A_MEMBER, 403, "not_a_member", "You are no member of this organization", 0,          \
	  "Somebody who operates Sluice can make you a member.")                                   \
	X(ROLE_TOO_LOW, 403, "role_too_low", "Your role does not allow this", 0,                   \
	  "Ask an owner of the organization, or somebody who operates Sluice.")                    \
	X(CSRF_REFUSED, 403, "csrf_refused", "The request does not come from the page", 0,         \
	  "Load the page again. Changes need its token, from GET /api/settings/me, in "            \
	  "X-CSRF-Token.")                                                                         \
	X(NOT_FOUND, 404, "not_found", "There is nothing at this path", 0,                         \
	  "Check the path; it ends with the API key, or with /batch behind it.")                   \
	X(METHOD_NOT_ALLOWED, 405, "method_not_allowed", "The method is not allowed here", 0,      \
	  "The Allow header names the method of this path.")                                       \
	X(REQUEST_TIMEOUT, 408, "request_timeout", "The body did not arrive in time", 0,           \
	  "Send the whole body faster, or in smaller requests.")                                   \
	X(BODY_TOO_LARGE, 413, "body_too_large", "The body is too large", 0,                       \
	  "Send it in several requests, or use the batch or bulk path.")                           \
	X(TOO_MANY_ITEMS, 413, "too_many_items", "The body holds too many items", 0,               \
	  "Send them in several requests, or use the bulk path.")                                  \
	X(ITEM_TOO_LARGE, 413, "item_too_large", "An item is too large", 0,                        \
	  "One signal is larger than can be stored.")                                              \
	X(UNSUPPORTED_MEDIA_TYPE, 415, "unsupported_media_type", "The media type is not read", 0,  \
	  "Send application/json or application/x-ndjson, in UTF-8.")                              \
	X(UNSUPPORTED_CODING, 415, "unsupported_coding", "The content coding is not read", 0,      \
	  "Send the body as it is or with gzip.")                                                  \
	X(LIMIT_REACHED, 429, "limit_reached", "The signal limit of the period is reached", 3600,  \
	  "The organization has used up its signals for this period.")                             \
	/* Our own trouble: 503, with advice to come back. */                                      \
	X(UNAVAILABLE, 503, "database_unavailable", "The database is not available", 5,            \
	  "Nothing was stored. Send the request again later.")                                     \
	X(DEADLINE, 503, "database_timeout", "The database did not answer in time", 5,             \
	  "Nothing was stored. Send the request again later.")                                     \
	X(READ_ONLY, 503, "database_read_only", "The database is read-only", 30,                   \
	  "Nothing was stored. Send the request again later.")                                     \
	X(STORAGE_FULL, 503, "database_full", "The database cannot take more", 60,                 \
	  "Nothing was stored. Send the request again later.")                                     \
	X(OUTCOME_UNKNOWN, 503, "outcome_unknown", "It is not known whether this was stored", 5,   \
	  "The commit was not confirmed. Send the request again, with ids so that it is stored "   \
	  "once.")                                                                                 \
	X(CONFLICT, 503, "database_conflict", "The database is busy", 1,                           \
	  "Nothing was stored. Send the request again.")                                           \
	X(BUSY, 503, "busy", "Too many requests are being served", 2,                              \
	  "Nothing was stored. Send the request again later.")                                     \
	X(NO_MEMORY, 503, "out_of_memory", "There is not enough memory", 5,                        \
	  "Nothing was stored. Send the request again later.")                                     \
	X(MISCONFIGURED, 503, "misconfigured", "The service is not set up correctly", 60,          \
	  "Nothing was stored. The operator has to mend something first.")                         \
	X(INTERNAL, 503, "internal_error", "The service failed", 5,                                \
	  "Nothing was stored. Send the request again later.")                                     \
	/* Not for senders: how modules speak to each other and to the tool. */                    \
	X(AGAIN, 503, "again", "Not finished yet", 1, "This is not for senders.")                  \
	X(LARGE, 503, "large", "Too large for the loop", 1, "This is not for senders.")            \
	X(END, 503, "end", "Nothing more", 1, "This is not for senders.")                          \
	X(NO_SUCH_ROW, 503, "no_such_row", "There is no such row", 1, "This is not for senders.")  \
	X(NOT_UNIQUE, 503, "not_unique", "It is there already", 1, "This is not for senders.")     \
	X(REFUSED, 503, "refused", "The database refused the value", 1, "This is not for senders.")

enum status {
#define STATUS_ENUM(name, http, code, title, retry_after_s, detail) STATUS_##name,
	STATUS_LIST(STATUS_ENUM)
#undef STATUS_ENUM
		STATUS_COUNT
};

/* The HTTP status code of a status: 200..503. */
int status_http(enum status status);

/* The stable problem code, such as "malformed_json". */
const char *status_code(enum status status);

/* One public sentence without a full stop, RFC 9457 "title". */
const char *status_title(enum status status);

/* What a sender can do about it, for RFC 9457 "detail" where nothing more exact is known. */
const char *status_detail(enum status status);

/* Seconds to wait before trying again, for Retry-After; 0 when trying again does not help. */
int status_retry_after_s(enum status status);

/* The reason phrase of an HTTP status code, RFC 9110; "Unknown" for a code never sent. */
const char *status_phrase(int http);

#endif

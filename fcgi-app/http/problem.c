/*
 * http/problem.c - see http/problem.h.
 */
#include "http/problem.h"

/* ---- the list: HTTP status, code, Retry-After in seconds, title, detail ---- */

#define PROBLEM(http, code, retry_after_s, title, detail)                                          \
	static const struct problem code = {http, #code, retry_after_s, title, detail}

/* Success. Title and detail are never sent. */
PROBLEM(200, ok, 0, "OK", "The request was served.");
PROBLEM(201, created, 0, "Created", "It was created.");
PROBLEM(202, accepted, 0, "Accepted", "It is committed.");

/* The request or its body is at fault: 4xx. */
PROBLEM(400, empty_body, 0, "The request has no body",
	"Send one JSON object, an array of objects, or NDJSON.");
PROBLEM(400, malformed_json, 0, "The body is not valid JSON",
	"The body must be JSON as RFC 8259 defines it, in UTF-8.");
PROBLEM(400, malformed_coding, 0, "The body could not be decompressed",
	"The compressed bytes are damaged or end too early.");
PROBLEM(400, incomplete_body, 0, "The body is shorter than announced",
	"The connection ended before all announced bytes had arrived.");
PROBLEM(400, not_an_object, 0, "An item is not a JSON object", "A signal is a JSON object.");
PROBLEM(400, not_a_batch, 0, "The body holds no array of items",
	"Send an array, NDJSON, or an object whose \"batch\", \"signals\" or \"events\" is an array.");
PROBLEM(400, empty_batch, 0, "The batch holds no items",
	"There is nothing to store in an empty array.");
PROBLEM(400, nesting_too_deep, 0, "An item is nested too deeply",
	"Arrays and objects are nested too deeply.");
PROBLEM(400, number_too_large, 0, "A number has too many digits",
	"A number has more digits, or a larger exponent, than can be stored.");
PROBLEM(400, invalid_value, 0, "A value cannot be stored",
	"The payload holds a value that the database cannot store.");
PROBLEM(400, invalid_source, 0, "The source name is not valid",
	"A source is 1 to 64 characters of A-Z a-z 0-9 . _ -");
PROBLEM(400, missing_product_org_id, 0, "The product org has no id",
	"The payload template of this key finds no usable product_org_id in the payload.");
PROBLEM(400, invalid_template, 0, "The payload template is not valid",
	"A template is a JSON object of fields and the paths to their values.");
PROBLEM(400, invalid_request, 0, "The request is not valid",
	"A parameter or a member of the body has a value that is not accepted.");
PROBLEM(400, organization_missing, 0, "No organization is named",
	"You are a member of several organizations: name one with ?organization=ID.");
PROBLEM(400, repeated_header, 0, "A header was sent more than once",
	"A header that may occur only once was sent more than once.");
PROBLEM(400, batch_rejected, 0, "No item was stored", "No item of the batch can be stored.");
PROBLEM(401, unauthenticated, 0, "The API key or secret was not accepted",
	"Check the key in the path and that it is neither expired nor deactivated; if it has a secret, check X-Api-Secret.");
PROBLEM(401, invalid_token, 0, "The token was not accepted",
	"Check that it is complete and neither expired nor revoked, and that its user is still a member.");
PROBLEM(403, wrong_endpoint, 0, "The key is for another endpoint",
	"This key was made for the other kind of endpoint.");
PROBLEM(403, wrong_network, 0, "The key is for other networks",
	"This key is accepted only from certain networks.");
PROBLEM(403, not_signed_in, 0, "You are not signed in",
	"The web server must authenticate users and pass on their names.");
PROBLEM(403, insufficient_scope, 0, "The token is not for this",
	"Create a token with the scope that WWW-Authenticate names.");
PROBLEM(403, not_a_member, 0, "You are not a member",
	"An operator of Sluice can make you a member.");
PROBLEM(403, role_too_low, 0, "Your role does not allow this",
	"Ask an owner of the organization or an operator of Sluice.");
PROBLEM(403, csrf_refused, 0, "The request did not come from the settings page",
	"Reload the page. Changes need its token, from GET /api/settings/me, in X-CSRF-Token.");
PROBLEM(404, not_found, 0, "There is nothing at this path",
	"Check the path; it ends with the API key, or with the key and /batch.");
PROBLEM(405, method_not_allowed, 0, "The method is not allowed here",
	"The Allow header names the method of this path.");
PROBLEM(408, request_timeout, 0, "The body did not arrive in time",
	"Send the whole body faster, or in smaller requests.");
PROBLEM(409, wrong_state, 0, "The present state does not allow this",
	"Reload the page to see the present state.");
PROBLEM(409, name_taken, 0, "The name is taken", "Choose another name.");
PROBLEM(413, body_too_large, 0, "The body is too large",
	"Send it in several requests, or use the batch or bulk path.");
PROBLEM(413, too_many_items, 0, "The body holds too many items",
	"Send them in several requests, or use the bulk path.");
PROBLEM(413, item_too_large, 0, "An item is too large", "One signal is larger than can be stored.");
PROBLEM(415, unsupported_media_type, 0, "The media type is not supported",
	"Send JSON, NDJSON, or a form without files, in UTF-8.");
PROBLEM(415, unsupported_coding, 0, "The content coding is not supported",
	"Send the body uncompressed, or with gzip or deflate.");
PROBLEM(429, limit_reached, 3600, "The signal limit of the month is reached",
	"The organization has used up its signals of this month.");
PROBLEM(431, headers_too_large, 0, "The headers are too large",
	"Send fewer or shorter headers, 128 KiB at most with the request line.");

/* Our own trouble: 503, and when to try again. */
#define NOT_STORED "Nothing was stored. Send the request again later."

PROBLEM(503, database_unavailable, 5, "The database is not available", NOT_STORED);
PROBLEM(503, database_timeout, 5, "The database did not answer in time", NOT_STORED);
PROBLEM(503, database_read_only, 30, "The database is read-only", NOT_STORED);
PROBLEM(503, database_full, 60, "The database cannot take more", NOT_STORED);
PROBLEM(503, outcome_unknown, 5, "It is not known whether this was stored",
	"The commit was not confirmed. Send the request again, with ids so that it is stored once.");
PROBLEM(503, database_conflict, 1, "The database is busy",
	"Nothing was stored. Send the request again.");
PROBLEM(503, busy, 2, "Too many requests are being served", NOT_STORED);
PROBLEM(503, out_of_memory, 5, "There is not enough memory", NOT_STORED);
PROBLEM(503, misconfigured, 60, "The service is not set up correctly",
	"Nothing was stored. An operator has to fix the service first.");
PROBLEM(503, internal_error, 5, "The service failed", NOT_STORED);

/* ---- from status to problem ---- */

static const struct problem *const problems[STATUS_COUNT] = {
	[STATUS_OK] = &ok,
	[STATUS_CREATED] = &created,
	[STATUS_ACCEPTED] = &accepted,
	[STATUS_AGAIN] = &internal_error,
	[STATUS_END] = &internal_error,
	[STATUS_LARGE] = &internal_error,
	[STATUS_NO_SUCH_ROW] = &internal_error,
	[STATUS_NOT_UNIQUE] = &internal_error,
	[STATUS_CONSTRAINT] = &internal_error,
	[STATUS_REPEATED_HEADER] = &repeated_header,
	[STATUS_HEADERS_TOO_LARGE] = &headers_too_large,
	[STATUS_INVALID_REQUEST] = &invalid_request,
	[STATUS_INVALID_SOURCE] = &invalid_source,
	[STATUS_NOT_FOUND] = &not_found,
	[STATUS_METHOD_NOT_ALLOWED] = &method_not_allowed,
	[STATUS_UNSUPPORTED_MEDIA_TYPE] = &unsupported_media_type,
	[STATUS_UNSUPPORTED_CODING] = &unsupported_coding,
	[STATUS_UNAUTHENTICATED] = &unauthenticated,
	[STATUS_WRONG_ENDPOINT] = &wrong_endpoint,
	[STATUS_WRONG_NETWORK] = &wrong_network,
	[STATUS_LIMIT_REACHED] = &limit_reached,
	[STATUS_NOT_SIGNED_IN] = &not_signed_in,
	[STATUS_INVALID_TOKEN] = &invalid_token,
	[STATUS_INSUFFICIENT_SCOPE] = &insufficient_scope,
	[STATUS_CSRF_REFUSED] = &csrf_refused,
	[STATUS_ORGANIZATION_MISSING] = &organization_missing,
	[STATUS_NOT_A_MEMBER] = &not_a_member,
	[STATUS_ROLE_TOO_LOW] = &role_too_low,
	[STATUS_WRONG_STATE] = &wrong_state,
	[STATUS_NAME_TAKEN] = &name_taken,
	[STATUS_REQUEST_TIMEOUT] = &request_timeout,
	[STATUS_INCOMPLETE_BODY] = &incomplete_body,
	[STATUS_EMPTY_BODY] = &empty_body,
	[STATUS_TOO_LARGE] = &body_too_large,
	[STATUS_MALFORMED_CODING] = &malformed_coding,
	[STATUS_MALFORMED_JSON] = &malformed_json,
	[STATUS_NOT_A_BATCH] = &not_a_batch,
	[STATUS_EMPTY_BATCH] = &empty_batch,
	[STATUS_BATCH_REJECTED] = &batch_rejected,
	[STATUS_TOO_MANY_ITEMS] = &too_many_items,
	[STATUS_NOT_AN_OBJECT] = &not_an_object,
	[STATUS_ITEM_TOO_LARGE] = &item_too_large,
	[STATUS_NESTING_TOO_DEEP] = &nesting_too_deep,
	[STATUS_NUMBER_TOO_LARGE] = &number_too_large,
	[STATUS_INVALID_VALUE] = &invalid_value,
	[STATUS_INVALID_TEMPLATE] = &invalid_template,
	[STATUS_MISSING_PRODUCT_ORG_ID] = &missing_product_org_id,
	[STATUS_UNAVAILABLE] = &database_unavailable,
	[STATUS_DEADLINE] = &database_timeout,
	[STATUS_READ_ONLY] = &database_read_only,
	[STATUS_STORAGE_FULL] = &database_full,
	[STATUS_OUTCOME_UNKNOWN] = &outcome_unknown,
	[STATUS_CONFLICT] = &database_conflict,
	[STATUS_BUSY] = &busy,
	[STATUS_NO_MEMORY] = &out_of_memory,
	[STATUS_MISCONFIGURED] = &misconfigured,
	[STATUS_INTERNAL] = &internal_error,
};

const struct problem *problem_of(enum status status)
{
	return problems[status];
}

const char *problem_phrase(int http)
{
	switch (http) {
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 202:
		return "Accepted";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 409:
		return "Conflict";
	case 413:
		return "Content Too Large";
	case 415:
		return "Unsupported Media Type";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	default:
		return "Unknown";
	}
}

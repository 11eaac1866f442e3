/*
 * base/status.c - see base/status.h.
 */
#include "base/status.h"

static const char *const names[STATUS_COUNT] = {
	[STATUS_OK] = "ok",
	[STATUS_CREATED] = "created",
	[STATUS_ACCEPTED] = "accepted",
	[STATUS_AGAIN] = "again",
	[STATUS_END] = "end",
	[STATUS_LARGE] = "large",
	[STATUS_NO_SUCH_ROW] = "no_such_row",
	[STATUS_NOT_UNIQUE] = "not_unique",
	[STATUS_CONSTRAINT] = "constraint",
	[STATUS_REPEATED_HEADER] = "repeated_header",
	[STATUS_HEADERS_TOO_LARGE] = "headers_too_large",
	[STATUS_INVALID_REQUEST] = "invalid_request",
	[STATUS_INVALID_SOURCE] = "invalid_source",
	[STATUS_NOT_FOUND] = "not_found",
	[STATUS_METHOD_NOT_ALLOWED] = "method_not_allowed",
	[STATUS_UNSUPPORTED_MEDIA_TYPE] = "unsupported_media_type",
	[STATUS_UNSUPPORTED_CODING] = "unsupported_coding",
	[STATUS_UNAUTHENTICATED] = "unauthenticated",
	[STATUS_WRONG_ENDPOINT] = "wrong_endpoint",
	[STATUS_LIMIT_REACHED] = "limit_reached",
	[STATUS_NOT_SIGNED_IN] = "not_signed_in",
	[STATUS_CSRF_REFUSED] = "csrf_refused",
	[STATUS_ORGANIZATION_MISSING] = "organization_missing",
	[STATUS_NOT_A_MEMBER] = "not_a_member",
	[STATUS_ROLE_TOO_LOW] = "role_too_low",
	[STATUS_REQUEST_TIMEOUT] = "request_timeout",
	[STATUS_INCOMPLETE_BODY] = "incomplete_body",
	[STATUS_EMPTY_BODY] = "empty_body",
	[STATUS_TOO_LARGE] = "too_large",
	[STATUS_MALFORMED_CODING] = "malformed_coding",
	[STATUS_MALFORMED_JSON] = "malformed_json",
	[STATUS_NOT_A_BATCH] = "not_a_batch",
	[STATUS_EMPTY_BATCH] = "empty_batch",
	[STATUS_BATCH_REJECTED] = "batch_rejected",
	[STATUS_TOO_MANY_ITEMS] = "too_many_items",
	[STATUS_NOT_AN_OBJECT] = "not_an_object",
	[STATUS_ITEM_TOO_LARGE] = "item_too_large",
	[STATUS_NESTING_TOO_DEEP] = "nesting_too_deep",
	[STATUS_NUMBER_TOO_LARGE] = "number_too_large",
	[STATUS_INVALID_VALUE] = "invalid_value",
	[STATUS_INVALID_TEMPLATE] = "invalid_template",
	[STATUS_MISSING_PRODUCT_ORG_ID] = "missing_product_org_id",
	[STATUS_UNAVAILABLE] = "unavailable",
	[STATUS_DEADLINE] = "deadline",
	[STATUS_READ_ONLY] = "read_only",
	[STATUS_STORAGE_FULL] = "storage_full",
	[STATUS_OUTCOME_UNKNOWN] = "outcome_unknown",
	[STATUS_CONFLICT] = "conflict",
	[STATUS_BUSY] = "busy",
	[STATUS_NO_MEMORY] = "no_memory",
	[STATUS_MISCONFIGURED] = "misconfigured",
	[STATUS_INTERNAL] = "internal",
};

const char *status_name(enum status status)
{
	return names[status];
}

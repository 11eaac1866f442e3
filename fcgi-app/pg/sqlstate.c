/*
 * pg/sqlstate.c - see pg/sqlstate_internal.h.
 */
#include "pg/sqlstate_internal.h"

#include <string.h>

#include "base/slice.h"

/* SQLSTATE prefixes in the order they are tried; see PostgreSQL's appendix A. */
static const struct {
	const char *prefix;
	enum status status;
} by_sqlstate[] = {
	{"08", STATUS_UNAVAILABLE},
	{"57014", STATUS_DEADLINE}, /* query_canceled: statement_timeout */
	{"57P", STATUS_UNAVAILABLE},
	{"55P03", STATUS_DEADLINE}, /* lock_not_available */
	{"25006", STATUS_READ_ONLY},
	{"25P03", STATUS_UNAVAILABLE}, /* idle_in_transaction_session_timeout */
	{"53300", STATUS_UNAVAILABLE}, /* too_many_connections */
	{"53", STATUS_STORAGE_FULL},
	{"58", STATUS_UNAVAILABLE},	 /* system error: I/O */
	{"2200H", STATUS_STORAGE_FULL},	 /* a sequence is exhausted */
	{"22023", STATUS_INVALID_VALUE}, /* what our functions do not take */
	{"22", STATUS_CONSTRAINT},	 /* in a trigger, say; but see by_payload */
	{"23505", STATUS_NOT_UNIQUE},
	{"23", STATUS_CONSTRAINT},
	{"54", STATUS_CONSTRAINT},
	{"40", STATUS_CONFLICT},
	{"26000", STATUS_CONFLICT}, /* the pooler lost our prepared statement */
	{"42P05", STATUS_CONFLICT}, /* … or has another client's of that name */
	{"42", STATUS_MISCONFIGURED},
	{"28", STATUS_MISCONFIGURED},
	{"3D", STATUS_MISCONFIGURED},
	{"3F", STATUS_MISCONFIGURED},
	{"0A", STATUS_MISCONFIGURED},
	{"P0001", STATUS_CONSTRAINT},
	{"P0002", STATUS_NO_SUCH_ROW},
	{"SL001", STATUS_NOT_A_MEMBER},
	{"SL002", STATUS_ROLE_TOO_LOW},
	{"SL003", STATUS_ORGANIZATION_MISSING},
	{"SL004", STATUS_WRONG_STATE},
	{"SL005", STATUS_NAME_TAKEN},
	{"SL006", STATUS_LIMIT_REACHED},
	{"SL007", STATUS_INSUFFICIENT_SCOPE},
};

/* What reading a value can fail with, so that its sender is at fault. */
static const char *const by_payload[] = {
	"22P02", /* invalid_text_representation */
	"22P05", /* untranslatable_character */
	"22003", /* numeric_value_out_of_range */
	"22021", /* character_not_in_repertoire */
	"22007", /* invalid_datetime_format */
	"22008", /* datetime_field_overflow */
	"22009", /* invalid_time_zone_displacement_value */
};

static bool is_by_payload(const char *sqlstate)
{
	for (size_t i = 0; i < ARRAY_LENGTH(by_payload); i++) {
		if (strcmp(sqlstate, by_payload[i]) == 0)
			return true;
	}
	return false;
}

enum status sqlstate_status(const char *sqlstate, const char *function)
{
	bool raised = function != NULL && strcmp(function, "exec_stmt_raise") == 0;

	if (is_by_payload(sqlstate))
		return raised ? STATUS_CONSTRAINT : STATUS_INVALID_VALUE;
	for (size_t i = 0; i < ARRAY_LENGTH(by_sqlstate); i++) {
		if (strncmp(sqlstate, by_sqlstate[i].prefix, strlen(by_sqlstate[i].prefix)) == 0)
			return by_sqlstate[i].status;
	}
	return STATUS_INTERNAL;
}

bool sqlstate_is_of_types(const char *sqlstate)
{
	static const char *const states[] = {
		"0A000", /* "cached plan must not change result type" */
		"42704", /* undefined_object */
		"42804", /* datatype_mismatch */
		"42846", /* cannot_coerce */
		"XX000", /* "cache lookup failed for type", and other internal errors */
	};

	for (size_t i = 0; i < ARRAY_LENGTH(states); i++) {
		if (strcmp(sqlstate, states[i]) == 0)
			return true;
	}
	return false;
}

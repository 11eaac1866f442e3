/*
 * json/members.h - the members of a received object, by name and type.
 *
 * Over json_walk, not json-c: json-c drops a repeated name, cuts names at \u0000, turns integers
 * past 64 bits into others, and loses texts without a word when memory runs out; and a value that
 * passes through has to stay as it was written.
 */
#ifndef JSON_MEMBERS_H
#define JSON_MEMBERS_H

#include "base/arena.h"
#include "base/status.h"

enum json_member_type {
	JSON_MEMBER_TEXT, /* a string */
	JSON_MEMBER_INT,  /* a whole number of 64 bits, written without fraction and exponent */
	JSON_MEMBER_BOOL,
	JSON_MEMBER_JSON /* any value, null too */
};

struct json_member {
	const char *name; /* ASCII letters, digits, underscores */
	enum json_member_type type;
	bool required;

	/* What was read. */
	bool given;	   /* it is there, and not null unless null is a value of its type */
	struct slice text; /* TEXT: what the string means, terminated, U+FFFD for what jsonb
			    * cannot hold; JSON: the bytes as they were written; else absent */
	int64_t number;	   /* INT; for BOOL 0 or 1 */
};

enum json_member_fault_kind {
	JSON_MEMBER_UNKNOWN,
	JSON_MEMBER_REPEATED,
	JSON_MEMBER_MISSING,
	JSON_MEMBER_WRONG_TYPE
};

/* Which member is wrong, and in what. */
struct json_member_fault {
	enum json_member_fault_kind kind;
	const char *name;   /* as in the list; of an unknown one as it was sent */
	const char *detail; /* "is not a string"; a constant */
};

enum { JSON_MEMBER_FAULTS_MAX = 20 };

struct json_member_faults {
	struct json_member_fault list[JSON_MEMBER_FAULTS_MAX]; /* in the order of the text */
	size_t count;					       /* further ones are left out */
};

/*
 * Reads an object, a text that passed json_text_check, into count members. Each name may be there
 * once, no other may be. STATUS_OK, STATUS_NO_MEMORY, or STATUS_INVALID_VALUE with all that is
 * wrong in *faults, also for a text that is not an object, whose name is "".
 */
enum status json_members_read(struct arena *arena, struct slice object, struct json_member *members,
			      size_t count, struct json_member_faults *faults) MUST_CHECK;

#endif

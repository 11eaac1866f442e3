/*
 * json/members.c - see json/members.h.
 */
#include "json/members.h"

#include "base/ascii.h"
#include "json/text.h"
#include "json/walk.h"

/* Notes a fault; reading goes on. */
static enum status blame(struct json_member_faults *faults, enum json_member_fault_kind kind,
			 const char *name, const char *detail)
{
	if (faults->count < JSON_MEMBER_FAULTS_MAX)
		faults->list[faults->count++] = (struct json_member_fault){kind, name, detail};
	return STATUS_OK;
}

/* ---- values ---- */

static enum status read_string(struct arena *arena, struct slice value, struct slice *text)
{
	struct slice meant;
	enum status status = json_text_string(arena, value, &meant);

	if (status != STATUS_OK)
		return status;
	*text = (struct slice){arena_copy(arena, meant), meant.n};
	return text->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* The grammar is checked, so what begins like a number is one. */
static bool read_int(struct slice value, int64_t *number)
{
	bool negative = *value.p == '-';

	*number = 0;
	for (size_t i = negative ? 1 : 0; i < value.n; i++) {
		if (!ascii_is_digit(value.p[i]))
			return false;
		/* Counted below zero, where there is one number more. */
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_sub_overflow(*number, value.p[i] - '0', number))
			return false;
	}
	return negative || !__builtin_sub_overflow(0, *number, number);
}

static enum status read_value(struct arena *arena, struct slice value, struct json_member *member,
			      struct json_member_faults *faults)
{
	bool is_true = slice_equal(value, SLICE("true"));

	if (member->type != JSON_MEMBER_JSON && slice_equal(value, SLICE("null")))
		return STATUS_OK;
	member->given = true;
	switch (member->type) {
	case JSON_MEMBER_TEXT:
		if (*value.p != '"')
			return blame(faults, JSON_MEMBER_WRONG_TYPE, member->name,
				     "is not a string");
		return read_string(arena, value, &member->text);
	case JSON_MEMBER_INT:
		if (!json_text_is_number(value) || !read_int(value, &member->number))
			return blame(faults, JSON_MEMBER_WRONG_TYPE, member->name,
				     "is not a whole number of 64 bits");
		return STATUS_OK;
	case JSON_MEMBER_BOOL:
		if (!is_true && !slice_equal(value, SLICE("false")))
			return blame(faults, JSON_MEMBER_WRONG_TYPE, member->name,
				     "is not true or false");
		member->number = is_true;
		return STATUS_OK;
	case JSON_MEMBER_JSON:
		member->text = value;
		return STATUS_OK;
	}
	return STATUS_INTERNAL;
}

/* ---- members ---- */

static enum status blame_unknown(struct arena *arena, struct slice name,
				 struct json_member_faults *faults)
{
	struct slice text;
	enum status status = read_string(arena, name, &text);

	return status == STATUS_OK ? blame(faults, JSON_MEMBER_UNKNOWN, text.p, "is not known here")
				   : status;
}

static enum status take(struct arena *arena, const struct json_walk *walk,
			struct json_member *members, bool *seen, size_t count,
			struct json_member_faults *faults)
{
	size_t i = 0;

	while (i < count && !json_text_is_name(walk->name, slice_of(members[i].name)))
		i++;
	if (i == count)
		return blame_unknown(arena, walk->name, faults);
	if (seen[i])
		return blame(faults, JSON_MEMBER_REPEATED, members[i].name, "is given twice");
	seen[i] = true;
	return read_value(arena, walk->value, &members[i], faults);
}

enum status json_members_read(struct arena *arena, struct slice object, struct json_member *members,
			      size_t count, struct json_member_faults *faults)
{
	struct slice text = slice_trim(object);
	struct json_walk walk;
	bool *seen = arena_array(arena, count + 1, sizeof(*seen));
	enum status status = STATUS_OK;

	faults->count = 0;
	if (text.n == 0 || *text.p != '{') {
		(void)blame(faults, JSON_MEMBER_WRONG_TYPE, "", "is not an object");
		return STATUS_INVALID_VALUE;
	}
	if (seen == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < count; i++) {
		members[i].given = false;
		members[i].text = SLICE_ABSENT;
		members[i].number = 0;
	}
	json_walk_open(&walk, text);
	while (status == STATUS_OK && json_walk_next(&walk))
		status = take(arena, &walk, members, seen, count, faults);
	if (status == STATUS_OK)
		status = json_walk_finish(&walk);
	json_walk_close(&walk);
	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		if (members[i].required && !members[i].given)
			status = blame(faults, JSON_MEMBER_MISSING, members[i].name, "is missing");
	}
	return status == STATUS_OK && faults->count > 0 ? STATUS_INVALID_VALUE : status;
}

/*
 * settings/member_change.c - the members of an organization, its limit and currency. See
 * settings/settings_internal.h.
 */
#include "settings/settings_internal.h"
#include "store/member.h"

static const char may_manage[] = "The owner manages all members, an admin the editors and viewers.";

/* who_may: what a user is told whose role is too low. */
static enum status answer(struct settings *settings, enum status status, struct slice json,
			  const char *who_may)
{
	if (status == STATUS_OK)
		return settings_answer_json(settings, STATUS_OK, json);
	if (status == STATUS_ROLE_TOO_LOW && who_may != NULL)
		return settings_problem(settings, status, who_may);
	if (status == STATUS_NO_SUCH_ROW)
		return settings_problem(settings, STATUS_NOT_FOUND,
					"The organization has no member with this name.");
	if (status == STATUS_NOT_UNIQUE)
		return settings_problem(settings, STATUS_WRONG_STATE,
					"The user is a member already. Change the role instead.");
	return settings_problem_store(settings, status);
}

enum status settings_members(struct settings *settings)
{
	struct store_selection selection = {0};
	struct slice json = SLICE_ABSENT;
	enum status status = settings_read_limit(settings, SETTINGS_LIMIT, &selection.limit);

	if (status == STATUS_OK)
		status = settings_choice(settings, "before", &selection.before);
	if (status == STATUS_OK)
		status = settings_choice(settings, "match", &selection.match);
	if (status != STATUS_OK)
		return status;
	status =
		store_settings_members(&settings->store, settings->organization, &selection, &json);
	return answer(settings, status, json, NULL);
}

enum field { USER, ROLE, FIELDS };

#define MEMBER_FIELDS                                                                              \
	{                                                                                          \
		[USER] = {.name = "user", .type = JSON_MEMBER_TEXT, .required = true},             \
		[ROLE] = {.name = "role", .type = JSON_MEMBER_TEXT, .required = true},             \
	}

typedef enum status member_call(const struct store *store, struct slice organization,
				struct slice user, struct slice role, struct slice *json);

static enum status change(struct settings *settings, member_call *call)
{
	struct json_member fields[FIELDS] = MEMBER_FIELDS;
	struct slice json = SLICE_ABSENT;
	enum status status = settings_body(settings, fields, FIELDS);

	if (status != STATUS_OK)
		return status;
	status = call(&settings->store, settings->organization, fields[USER].text,
		      fields[ROLE].text, &json);
	return answer(settings, status, json, may_manage);
}

enum status settings_member_add(struct settings *settings)
{
	return change(settings, store_settings_member_add);
}

enum status settings_member_role(struct settings *settings)
{
	return change(settings, store_settings_member_role);
}

enum status settings_member_remove(struct settings *settings)
{
	struct json_member fields[FIELDS] = MEMBER_FIELDS;
	struct slice json = SLICE_ABSENT;
	enum status status = settings_body(settings, fields, ROLE); /* all before the role */

	if (status != STATUS_OK)
		return status;
	status = store_settings_member_remove(&settings->store, settings->organization,
					      fields[USER].text, &json);
	return answer(settings, status, json, may_manage);
}

enum status settings_limit(struct settings *settings)
{
	struct json_member fields[] = {
		{.name = "signal_limit", .type = JSON_MEMBER_INT},
		{.name = "overages", .type = JSON_MEMBER_BOOL},
	};
	struct slice digits = SLICE_ABSENT, overages = SLICE_ABSENT, json = SLICE_ABSENT;
	enum status status = settings_body(settings, fields, ARRAY_LENGTH(fields));

	if (status == STATUS_OK && fields[0].given)
		status = settings_digits(settings, fields[0].number, &digits);
	if (status != STATUS_OK)
		return status;
	if (fields[1].given)
		overages = fields[1].number != 0 ? SLICE("true") : SLICE("false");
	status = store_settings_limit(&settings->store, settings->organization, digits, overages,
				      &json);
	return answer(settings, status, json, "Only the owner may change the limit.");
}

enum status settings_currency(struct settings *settings)
{
	struct json_member field = {.name = "currency", .type = JSON_MEMBER_TEXT, .required = true};
	struct slice json = SLICE_ABSENT;
	enum status status = settings_body(settings, &field, 1);

	if (status != STATUS_OK)
		return status;
	status = store_settings_currency(&settings->store, settings->organization, field.text,
					 &json);
	return answer(settings, status, json, "Only the owner may change the currency.");
}

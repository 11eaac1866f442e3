/*
 * settings/parameter.c - what a request says in its path and query. See
 * settings/settings_internal.h.
 */
#include "http/query.h"
#include "settings/settings_internal.h"

enum status settings_id(struct settings *settings, int64_t *id)
{
	if (slice_to_int(settings->match.id, id))
		return STATUS_OK;
	return settings_problem(settings, STATUS_NOT_FOUND, "The id in the path is not a number.");
}

enum status settings_text(struct settings *settings, const char *name, struct slice *text)
{
	enum status status = http_query(&settings->http, &settings->arena, name, text);

	if (status == STATUS_INVALID_REQUEST)
		return settings_fault(settings, status, SETTINGS_FAULT_repeated, name,
				      SLICE("is not valid text, or is given twice"));
	return status == STATUS_OK ? status : settings_problem(settings, status, NULL);
}

enum status settings_number(struct settings *settings, const char *name, int64_t least,
			    int64_t most, int64_t *number)
{
	struct slice text;
	int64_t value;
	enum status status = settings_text(settings, name, &text);

	if (status != STATUS_OK || text.p == NULL)
		return status;
	if (!slice_to_int(text, &value) || value < least || value > most)
		return settings_fault(settings, STATUS_INVALID_REQUEST, SETTINGS_FAULT_out_of_range,
				      name, SLICE("is not a number in the allowed range"));
	*number = value;
	return STATUS_OK;
}

enum status settings_digits(struct settings *settings, int64_t number, struct slice *digits)
{
	*digits = arena_int(&settings->arena, number);
	return digits->p == NULL ? settings_problem(settings, STATUS_NO_MEMORY, NULL) : STATUS_OK;
}

enum status settings_read_limit(struct settings *settings, int64_t otherwise, struct slice *digits)
{
	int64_t limit = otherwise;
	enum status status = settings_number(settings, "limit", 1, SETTINGS_LIMIT_MAX, &limit);

	return status == STATUS_OK ? settings_digits(settings, limit, digits) : status;
}

enum status settings_read_before(struct settings *settings, struct slice *digits)
{
	int64_t before = -1;
	enum status status = settings_number(settings, "before", 0, INT64_MAX, &before);

	return status == STATUS_OK && before >= 0 ? settings_digits(settings, before, digits)
						  : status;
}

enum status settings_read_part(struct settings *settings, struct store_selection *selection,
			       int64_t *limit)
{
	enum status status = settings_read_before(settings, &selection->before);

	*limit = SETTINGS_LIMIT;
	if (status == STATUS_OK)
		status = settings_number(settings, "limit", 1, SETTINGS_LIMIT_MAX, limit);
	return status == STATUS_OK ? settings_digits(settings, *limit + 1, &selection->limit)
				   : status;
}

enum status settings_choice(struct settings *settings, const char *name, struct slice *text)
{
	enum status status = settings_text(settings, name, text);

	if (status == STATUS_OK && text->n == 0)
		*text = SLICE_ABSENT;
	return status;
}

enum status settings_choices(struct settings *settings, const struct settings_choice *choices,
			     size_t count)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = settings_choice(settings, choices[i].name, choices[i].text);
	return status;
}

enum status settings_read_organization(struct settings *settings)
{
	int64_t id = -1;
	enum status status = settings_number(settings, "organization", 0, INT64_MAX, &id);

	if (status != STATUS_OK || id < 0)
		return status;
	return settings_digits(settings, id, &settings->organization);
}

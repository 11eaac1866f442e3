/*
 * key_row.h - the row of a key as the database answers it, for tests over a libpq that plays
 * scripts, and a statement shown by what it calls.
 */
#ifndef UNIT_KEY_ROW_H
#define UNIT_KEY_ROW_H

#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "pg/scripted_libpq.h"
#include "store/key.h"

enum { KEY_ROW_MAX = 40 };

/* A key with id 7 named "n" that expires in 2031, with a secret or without. Replaces the one
 * before. */
static inline const struct libpq_result *key_row(bool has_secret)
{
	static struct libpq_value values[KEY_ROW_MAX];
	static struct libpq_result result;
	const struct {
		const char *member, *value;
	} known[] = {{"id", "7"},
		     {"name", "n"},
		     {"endpoint_type", "signal_staging"},
		     {"has_secret", has_secret ? "t" : "f"},
		     {"expires_at", "2031-05-01T12:00:00Z"},
		     {"old_secret_until", "2031-05-01T12:00:00Z"},
		     {"secret_needed_from", "2031-05-01T12:00:00Z"}};
	int columns = 0;

	for (size_t i = 0; i < store_key_entity.count; i++) {
		const struct store_column *column = &store_key_entity.columns[i];
		if (column->sql == NULL)
			continue;
		ck_assert_int_lt(columns, KEY_ROW_MAX);
		values[columns] = (struct libpq_value){NULL, 0};
		for (int j = 0; j < LENGTH(known); j++) {
			if (column->member != NULL && strcmp(column->member, known[j].member) == 0)
				values[columns] = (struct libpq_value){known[j].value,
								       (int)strlen(known[j].value)};
		}
		columns++;
	}
	result = (struct libpq_result){
		.status = PGRES_TUPLES_OK, .rows = 1, .columns = columns, .values = values};
	return &result;
}

/* For libpq_show_by(): the function that is called, and its parameters but for the actor. A
 * parameter that is random is shown by its length. */
static inline void key_show_call(const char *what, int count, const char *const *values,
				 const int *lengths, const int *formats, char *out, size_t size)
{
	const char *call = strstr(what, "sluice.");
	size_t n = call == NULL ? 0 : strcspn(call += strlen("sluice."), "(");

	(void)lengths, (void)formats;
	(void)snprintf(out, size, "%.*s", (int)n, n == 0 ? what : call);
	for (int i = 1; i < count; i++) {
		size_t used = strlen(out), length = values[i] == NULL ? 0 : strlen(values[i]);
		if (length == 2 * (size_t)CREDENTIAL_HASH_BYTES ||
		    length == (size_t)CREDENTIAL_DISPLAY_BYTES)
			(void)snprintf(out + used, size - used, "|#%zu", length);
		else
			(void)snprintf(out + used, size - used, "|%s",
				       values[i] == NULL ? "null" : values[i]);
	}
}

#endif

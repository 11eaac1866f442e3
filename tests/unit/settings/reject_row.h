/*
 * reject_row.h - rows of a rejected payload as the database answers them, for tests over a libpq
 * that plays scripts.
 */
#ifndef UNIT_REJECT_ROW_H
#define UNIT_REJECT_ROW_H

#include <string.h>

#include "check_main.h"
#include "pg/scripted_libpq.h"
#include "store/rejected.h"

enum { REJECT_ROW_MAX = 40 };

/* One with id 9, of the key 7, of which all or a part is kept; rows is 0 or 1. Replaces the one
 * before. */
static inline const struct libpq_result *reject_rows(int rows, bool truncated)
{
	static struct libpq_value values[REJECT_ROW_MAX];
	static struct libpq_result result;
	const struct {
		const char *sql, *value;
	} known[] = {{"id", "9"},	 {"key_id", "7"},
		     {"kind", "single"}, {"kept_bytes", "1000"},
		     {"code", "c"},	 {"truncated", truncated ? "t" : "f"}};
	int columns = 0;

	for (size_t i = 0; i < store_rejected_entity.count; i++) {
		const struct store_column *column = &store_rejected_entity.columns[i];
		ck_assert_int_lt(columns, REJECT_ROW_MAX);
		values[columns] = (struct libpq_value){NULL, 0};
		for (int j = 0; j < LENGTH(known); j++)
			if (strcmp(column->sql, known[j].sql) == 0)
				values[columns] = (struct libpq_value){known[j].value,
								       (int)strlen(known[j].value)};
		columns++;
	}
	result = (struct libpq_result){
		.status = PGRES_TUPLES_OK, .rows = rows, .columns = columns, .values = values};
	return &result;
}

/* A result of one text. */
#define ONE_TEXT(name, text)                                                                       \
	static const struct libpq_value name##_value = {(text), sizeof(text) - 1};                 \
	static const struct libpq_result name = {                                                  \
		.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &name##_value}

#endif

/*
 * pg/result.c - reading results. See pg/connection.h.
 */
#include <libpq-fe.h>
#include <stdlib.h>

#include "pg/connection.h"

int pg_result_rows(const struct pg_query_result *result)
{
	return PQntuples(result->pg);
}

struct slice pg_result_value(const struct pg_query_result *result, int row, int column)
{
	if (PQgetisnull(result->pg, row, column))
		return SLICE_ABSENT;
	return (struct slice){PQgetvalue(result->pg, row, column),
			      (size_t)PQgetlength(result->pg, row, column)};
}

int64_t pg_result_int(const struct pg_query_result *result, int row, int column)
{
	const char *text = PQgetvalue(result->pg, row, column);

	return *text == 't' ? 1 : strtoll(text, NULL, 10);
}

void pg_result_free(struct pg_query_result *result)
{
	PQclear(result->pg);
	result->pg = NULL;
}

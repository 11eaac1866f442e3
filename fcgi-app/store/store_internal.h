/*
 * store/store_internal.h - what the files of the store share: running statements and reading their
 * results.
 */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include "key/credential.h"
#include "store/entity.h"
#include "store/store.h"

/* ---- statements that return one value ---- */

/* A statement in text format that calls a function and returns its one value. */
#define STORE_CALL(its_name, call, params)                                                         \
	{                                                                                          \
		.name = (its_name), .sql = "SELECT " call, .param_count = (params), .columns = 1,  \
		.rows = 1                                                                          \
	}

/* Runs a statement; after a conflict again. Not for use inside a transaction. */
enum status store_run(const struct store *store, const struct pg_statement *statement,
		      const pg_param *params, struct pg_query_result *result) MUST_CHECK;

/* Runs a statement and reads its one value: as text (bytes, with a statement in binary format), or
 * as a number, a boolean being 0 or 1. */
enum status store_ask_text(const struct store *store, const struct pg_statement *statement,
			   const pg_param *params, struct slice *text) MUST_CHECK;
enum status store_ask_int(const struct store *store, const struct pg_statement *statement,
			  const pg_param *params, int64_t *number) MUST_CHECK;

/* Copies a value of a result, which may be absent, to where results live. */
enum status store_keep(const struct store *store, struct slice value,
		       struct slice *text) MUST_CHECK;

/* ---- statements that select an entity's columns ---- */

struct store_query {
	const char *name; /* as of a struct pg_statement */
	const struct store_entity *entity;
	const char *from; /* what stands behind FROM: the call of a function */
	int param_count;
};

/* Conditions for rows of a function that takes no such parameter; an absent parameter is none. */
#define STORE_MATCH(column, param)                                                                 \
	"(" param "::text IS NULL OR strpos(lower(" column "), lower(" param "::text)) > 0)"
#define STORE_EQUAL(column, param) "(" param "::text IS NULL OR " column " = " param "::text)"
#define STORE_LIMIT(param)	   " LIMIT " param "::bigint"

/* Selects one row into *item, the entity's struct; another number of rows is STATUS_INTERNAL. */
enum status store_query_one(const struct store *store, const struct store_query *query,
			    const pg_param *params, void *item) MUST_CHECK;

/* Selects all rows. */
enum status store_query_list(const struct store *store, const struct store_query *query,
			     const pg_param *params, struct store_list *list) MUST_CHECK;

/* ---- texts of parameters ---- */

/* A hash in hexadecimal, terminated: as text it passes through statements in text format. */
enum { STORE_HEX_CHARS = 2 * CREDENTIAL_HASH_BYTES };
struct slice store_hash_hex(const struct credential_hash *hash, char hex[STORE_HEX_CHARS + 1]);

#endif

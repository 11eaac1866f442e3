/*
 * store/retention.c - see store/retention.h.
 */
#include "store/retention.h"

#include "store/store_internal.h"

struct retention {
	struct slice table_name;
	struct slice keep;    /* absent: for ever */
	struct slice expired; /* absent: no partitions, rows are deleted */
	struct slice goes_with, meaning;
};

static const struct store_column columns[] = {
	STORE_COLUMN(struct retention, table_name, .member = "table", .sql = "table_name",
		     .heading = "TABLE"),
	STORE_SAME(struct retention, keep, .heading = "KEEP"),
	STORE_SAME(struct retention, expired, .heading = "EXPIRED"),
	STORE_SAME(struct retention, goes_with, .heading = "GOES WITH"),
	STORE_SAME(struct retention, meaning),
};

static const struct store_entity entity = STORE_ENTITY(struct retention, columns);

enum status store_retention_list(const struct store *store, const struct store_selection *selection,
				 struct store_list *retentions)
{
	static const struct store_query query = {
		.name = "store_retention_list",
		.entity = &entity,
		.from = "(SELECT o.table_name, o.meaning, o.goes_with, r.keep, "
			"CASE WHEN o.days_ahead IS NOT NULL THEN r.expired END AS expired "
			"FROM sluice.retention AS o JOIN sluice.retention AS r "
			"ON r.table_name = coalesce(o.goes_with, o.table_name)) AS r "
			"WHERE " STORE_MATCH("table_name",
					     "$1") " ORDER BY table_name" STORE_LIMIT("$2"),
		.param_count = 2,
	};
	const pg_param params[] = {selection->match, selection->limit};

	return store_query_list(store, &query, params, retentions);
}

enum status store_retention_set(const struct store *store, struct slice table, struct slice keep,
				struct slice expired)
{
	static const struct pg_statement statement =
		STORE_CALL("store_retention_set",
			   "sluice.retention_set($1::text, $2::text, $3::interval, $4::text)", 4);
	const pg_param params[] = {store->actor, table, keep, expired};

	return store_run(store, &statement, params, NULL);
}

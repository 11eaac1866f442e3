/*
 * store/health.c - see store/health.h.
 */
#include "store/health.h"

#include "store/store_internal.h"

static const struct store_column columns[] = {
	STORE_SAME(struct store_key_health, key_id, .heading = "KEY"),
	STORE_SAME(struct store_key_health, key_name, .heading = "NAME"),
	STORE_SAME(struct store_key_health, organization, .heading = "ORGANIZATION"),
	STORE_SAME(struct store_key_health, status, .heading = "STATUS"),
	STORE_SAME(struct store_key_health, refused_today, .heading = "REFUSED TODAY"),
	STORE_SAME(struct store_key_health, last_refusal, .heading = "LAST REASON"),
	STORE_TIME(struct store_key_health, last_refused_at, .heading = "LAST REFUSED"),
};

const struct store_entity store_key_health_entity = STORE_ENTITY(struct store_key_health, columns);

enum status store_key_health_list(const struct store *store, struct store_list *keys)
{
	static const struct store_query query = {
		.name = "store_key_health_list",
		.entity = &store_key_health_entity,
		.from = "(SELECT * FROM sluice.key_health WHERE refused_today > 0 "
			"ORDER BY refused_today DESC LIMIT 7) AS k",
	};

	return store_query_list(store, &query, NULL, keys);
}

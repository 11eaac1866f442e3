/*
 * store/person.c - see store/person.h.
 */
#include "store/person.h"

#include "store/store_internal.h"

/* A signal, as far as it says who somebody is and what they did. */
struct person_signal {
	int64_t id;
	struct slice received_at, occurred_at, source, event_type, event_name;
	struct slice email, user_id, anonymous_id, phone;
	struct slice payload;
};

static const struct store_column columns[] = {
	STORE_SAME(struct person_signal, id, .heading = "ID"),
	STORE_TIME(struct person_signal, received_at, .heading = "RECEIVED"),
	STORE_TIME(struct person_signal, occurred_at),
	STORE_SAME(struct person_signal, source, .heading = "SOURCE"),
	STORE_SAME(struct person_signal, event_type),
	STORE_SAME(struct person_signal, event_name, .heading = "EVENT"),
	STORE_SAME(struct person_signal, email, .heading = "EMAIL"),
	STORE_SAME(struct person_signal, user_id, .heading = "USER ID"),
	STORE_SAME(struct person_signal, anonymous_id, .heading = "ANONYMOUS ID"),
	STORE_SAME(struct person_signal, phone),
	STORE_JSON_COLUMN(struct person_signal, payload, .member = "payload", .sql = "payload"),
};

static const struct store_entity entity = STORE_ENTITY(struct person_signal, columns);

enum status store_person_signals(const struct store *store, struct slice organization,
				 struct slice identity, const struct store_selection *selection,
				 struct store_list *signals)
{
	static const struct store_query query = {
		.name = "store_person_signals",
		.entity = &entity,
		.from = "sluice.person_signals($1::text, $2::text) ORDER BY received_at, id" STORE_LIMIT(
			"$3"),
		.param_count = 3,
	};
	const pg_param params[] = {organization, identity, selection->limit};

	return store_query_list(store, &query, params, signals);
}

enum status store_person_delete(const struct store *store, struct slice organization,
				struct slice identity, int64_t *count)
{
	static const struct pg_statement statement = STORE_CALL(
		"store_person_delete", "sluice.person_delete($1::text, $2::text, $3::text)", 3);
	const pg_param params[] = {store->actor, organization, identity};

	return store_ask_int(store, &statement, params, count);
}

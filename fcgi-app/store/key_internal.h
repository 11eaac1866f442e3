/*
 * store/key_internal.h - creating a key, for the tool and for the settings service.
 */
#ifndef STORE_KEY_INTERNAL_H
#define STORE_KEY_INTERNAL_H

#include "store/key.h"
#include "store/store_internal.h"

/* A parameter that is a JSON array of texts as an array of SQL. */
#define STORE_NETWORKS(param)                                                                      \
	"CASE WHEN " param                                                                         \
	"::jsonb IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(" param "::jsonb)) END"

/* The parameters of a function that creates a key, behind the actor and the organization. */
#define STORE_NEW_KEY_PARAMS                                                                       \
	"$3::text, $4::text, decode($5::text, 'hex'), $6::text, decode($7::text, 'hex'), "         \
	"$8::timestamptz, $9::jsonb, $10::text, " STORE_NETWORKS("$11")

enum { STORE_NEW_KEY_PARAM_COUNT = 11 };

/* Runs a query that creates a key. */
enum status store_new_key(const struct store *store, const struct store_query *query,
			  const struct store_new_key *new_key, struct store_key *key) MUST_CHECK;

#endif

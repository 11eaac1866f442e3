/*
 * commit/refusal.c - adding refusals up. See commit/refusal.h.
 */
#include "commit/refusal.h"

#include <string.h>

static bool is_of(const struct refusal *refusal, const struct credential_hash *key_hash,
		  const char *outcome)
{
	return credential_hash_is_same(&refusal->key_hash, key_hash) &&
	       strcmp(refusal->outcome, outcome) == 0;
}

void refusal_add(struct refusal_tally *tally, const struct credential_hash *key_hash,
		 const char *outcome, int64_t due_ms)
{
	size_t i = 0;

	while (i < tally->count && !is_of(&tally->items[i], key_hash, outcome))
		i++;
	if (i == REFUSAL_ROOM)
		return;
	if (tally->count == 0)
		tally->due_ms = due_ms;
	if (i == tally->count)
		tally->items[tally->count++] =
			(struct refusal){.key_hash = *key_hash, .outcome = outcome};
	if (tally->items[i].count < INT32_MAX)
		tally->items[i].count++;
}

/*
 * commit/refusal.c - adding refusals up. See commit/refusal.h.
 */
#include "commit/refusal.h"

void refusal_add(struct refusal_tally *tally, int64_t key_id, int outcome, int64_t due_ms)
{
	size_t i = 0;

	while (i < tally->count &&
	       (tally->items[i].key_id != key_id || tally->items[i].outcome != outcome))
		i++;
	if (i == REFUSAL_ROOM)
		return;
	if (tally->count == 0)
		tally->due_ms = due_ms;
	if (i == tally->count)
		tally->items[tally->count++] =
			(struct refusal){.key_id = key_id, .outcome = outcome};
	if (tally->items[i].count < INT32_MAX)
		tally->items[i].count++;
}

/*
 * json/scan_internal.h - the stack of open containers, shared by json/scan and json/recover: a bit
 * for each, 1 for an object.
 */
#ifndef JSON_SCAN_INTERNAL_H
#define JSON_SCAN_INTERNAL_H

#include <stdlib.h>
#include <string.h>

#include "json/scan.h"

/* Deeper texts are not followed: at a bit for each level this is 1 MiB. */
#define JSON_SCAN_MOST_LEVELS ((size_t)1 << 23)

static inline uint64_t *json_scan_stack(struct json_scan *scan)
{
	return scan->heap == NULL ? scan->inline_stack : scan->heap;
}

static inline bool json_scan_stack_grow(struct json_scan *scan)
{
	size_t words = scan->heap == NULL ? JSON_SCAN_INLINE_WORDS : scan->heap_words;
	uint64_t *heap = realloc(scan->heap, 2 * words * sizeof(*heap));

	if (heap == NULL)
		return false;
	if (scan->heap == NULL)
		memcpy(heap, scan->inline_stack, sizeof(scan->inline_stack));
	scan->heap = heap;
	scan->heap_words = 2 * words;
	return true;
}

static inline size_t json_scan_stack_levels(const struct json_scan *scan)
{
	return 64 * (scan->heap == NULL ? (size_t)JSON_SCAN_INLINE_WORDS : scan->heap_words);
}

/* Enters a container, for which there is room. */
static inline void json_scan_push(struct json_scan *scan, bool object)
{
	uint64_t *word = json_scan_stack(scan) + scan->level / 64;
	uint64_t bit = (uint64_t)1 << (scan->level % 64);

	*word = object ? *word | bit : *word & ~bit;
	scan->in_object = object;
	scan->level++;
	scan->opened++;
}

/* Leaves the innermost container. */
static inline void json_scan_pop(struct json_scan *scan)
{
	scan->level--;
	if (scan->level > 0) {
		size_t top = scan->level - 1;
		scan->in_object = (json_scan_stack(scan)[top / 64] >> (top % 64) & 1) != 0;
	}
}

#endif

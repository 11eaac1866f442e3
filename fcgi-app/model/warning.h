/*
 * model/warning.h - what a payload has for a column and what could not be used.
 */
#ifndef MODEL_WARNING_H
#define MODEL_WARNING_H

#include "base/arena.h"
#include "base/status.h"

struct warning {
	struct slice field; /* "mrr", "custom.projects", "timestamp" */
	const char *reason; /* constant: "is not a whole number", … */
};

/* Warnings as a JSON array in the arena, [{"field":…,"reason":…}]; absent when there are none.
 * STATUS_OK or STATUS_NO_MEMORY. */
enum status warnings_json(struct arena *arena, const struct warning *warnings, size_t count,
			  struct slice *text) MUST_CHECK;

#endif

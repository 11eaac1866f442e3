/*
 * scripted_tool.h - what the tests of commands share that ask the database: sluicectl over a libpq
 * that plays scripts, from its arguments to what it has printed.
 */
#ifndef UNIT_SCRIPTED_TOOL_H
#define UNIT_SCRIPTED_TOOL_H

#include "pg/scripted_libpq.h"
#include "run_tool.h"

static const struct libpq_value tool_user = {"dba", 3};
static const struct libpq_result tool_user_result = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &tool_user};

/* How each command begins: it connects and asks for the user who acts. */
#define TOOL_CONNECT                                                                               \
	LIBPQ_CONNECT, LIBPQ_SEND("SELECT session_user()"), LIBPQ_ANSWER(&tool_user_result)

/* A value of a result, and one row of a single value. */
#define TOOL_VALUE(text)                                                                           \
	{                                                                                          \
		(text), sizeof(text) - 1                                                           \
	}
#define TOOL_ONE(value)                                                                            \
	{                                                                                          \
		.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = (value)              \
	}

/* Shows a statement without its first parameter, the actor, whose user of the system is anybody's.
 */
static inline void tool_show_without_actor(const char *what, int count, const char *const *values,
					   const int *lengths, const int *formats, char *out,
					   size_t size)
{
	bool acts = count > 0 && values[0] != NULL && strncmp(values[0], "sluicectl:dba@", 14) == 0;

	libpq_show_text(what, count - acts, values + acts, lengths == NULL ? NULL : lengths + acts,
			formats == NULL ? NULL : formats + acts, out, size);
}

/* Runs the tool to the end of a script. */
#define RUN_SCRIPTED(script, ...)                                                                  \
	(libpq_show_by(tool_show_without_actor), libpq_play(script), RUN_TOOL(__VA_ARGS__))

#endif

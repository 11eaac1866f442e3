/*
 * pg/sqlstate_internal.h - what an SQLSTATE means to us.
 */
#ifndef PG_SQLSTATE_INTERNAL_H
#define PG_SQLSTATE_INTERNAL_H

#include <stdbool.h>

#include "base/status.h"

/* As pg_run() documents. STATUS_INTERNAL for what the table does not know. function is the server's
 * that has failed, or NULL: what a trigger's RAISE calls invalid is not for the sender. */
enum status sqlstate_status(const char *sqlstate, const char *function);

/* True for what a prepared statement fails with when its types have been dropped and made anew. */
bool sqlstate_is_of_types(const char *sqlstate);

#endif

/*
 * pg/sqlstate_internal.h - what an SQLSTATE means to us.
 */
#ifndef PG_SQLSTATE_INTERNAL_H
#define PG_SQLSTATE_INTERNAL_H

#include <stdbool.h>

#include "base/status.h"

/* As pg_run() documents. STATUS_INTERNAL for what the table does not know. */
enum status sqlstate_status(const char *sqlstate);

/* True for what a prepared statement fails with when its types have been dropped and made anew. */
bool sqlstate_is_of_types(const char *sqlstate);

#endif

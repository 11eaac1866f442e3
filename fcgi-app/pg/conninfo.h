/*
 * pg/conninfo.h - what can be said of a connection string without connecting.
 */
#ifndef PG_CONNINFO_H
#define PG_CONNINFO_H

#include "base/buf.h"

/*
 * Appends a line for each fault: libpq does not understand the string, or the password file that it
 * names is missing, not readable by this process, or readable by others, in which case libpq
 * ignores it. *has_password: the string holds a password itself. False if libpq does not understand
 * it, so that nothing can be connected to.
 */
bool pg_conninfo_check(const char *conninfo, struct buf *out, bool *has_password);

#endif

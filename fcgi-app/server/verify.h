/*
 * server/verify.h - checks a configuration as a whole, without connecting: for --check of the
 * programs, for their start, and for the tool.
 */
#ifndef SERVER_VERIFY_H
#define SERVER_VERIFY_H

#include "config/config.h"

/* Appends a line for each fault that config_read() does not see: limits that contradict each other,
 * a connection string that libpq refuses, passwords that others can read. Returns how many. */
size_t verify_config(const struct config *config, const struct config_source *source,
		     struct buf *out);

/* The same, each fault a warning in the log. */
void verify_and_log(const struct config *config, const struct config_source *source);

#endif

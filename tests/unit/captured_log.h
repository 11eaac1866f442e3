/*
 * captured_log.h - what the code under test logs, for a test to read.
 */
#ifndef CAPTURED_LOG_H
#define CAPTURED_LOG_H

/* A fixture: the standard error stream goes into memory between the two. */
void captured_log_start(void);
void captured_log_stop(void);

/* The lines since the last call, or since the start. Valid until the next call. */
const char *captured_log(void);

/* How many of these lines hold the text, once they have been read by captured_log(). */
int captured_log_count(const char *lines, const char *text);

#endif

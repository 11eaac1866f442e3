/*
 * base/log_internal.h - where lines go: the standard error stream or syslog, neither of which is
 * waited for by a worker.
 */
#ifndef BASE_LOG_INTERNAL_H
#define BASE_LOG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

/* The socket of syslog; another one in tests. */
extern const char *log_syslog_path;

/* From now on nothing waits for the reader of the standard error stream. */
void log_stream_prepare(void);

/* If the stream is a file that has been moved or removed, writes to a new one of its first name.
 * False with errno if that cannot be opened. */
bool log_stream_reopen(void);

/* Writes lines with one write(2). False if they are lost. */
bool log_stream_write(const char *lines, size_t n);

/* Sends one message of LOG_DAEMON. False if it is lost. */
bool log_syslog_send(int priority, const char *program, const char *text, size_t n);

#endif

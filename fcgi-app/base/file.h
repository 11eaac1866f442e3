/*
 * base/file.h - reading a small text file: the configuration, migrations, payload templates.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/arena.h"
#include "base/status.h"

/*
 * Reads a file of at most max_bytes into the arena, terminated.
 * STATUS_OK, STATUS_MISCONFIGURED (unreadable, too large, or with a NUL byte) with *message, which
 * leaves out the path ("is too large", "No such file or directory"), or STATUS_NO_MEMORY.
 */
enum status file_read(struct arena *arena, const char *path, size_t max_bytes, struct slice *text,
		      const char **message) MUST_CHECK;

#endif

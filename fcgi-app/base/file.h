/*
 * base/file.h - reading a whole small file: migrations and payload templates, for the tool.
 *
 * Not on a request's way. Knows nothing of what is in the file.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/arena.h"
#include "base/status.h"

/*
 * Reads the file into the arena, terminated. On failure *message says what is wrong, without the
 * path ("is too large", "No such file or directory").
 * STATUS_OK, STATUS_MISCONFIGURED (cannot be read, not text, too large) or STATUS_NO_MEMORY.
 */
enum status file_read(struct arena *arena, const char *path, size_t max_bytes, struct slice *text,
		      const char **message) MUST_CHECK;

#endif

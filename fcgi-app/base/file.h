/*
 * base/file.h - reading a small text file (the configuration, migrations, payload templates), and
 * the descriptors that every program has.
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

/* Opens /dev/null for each of the descriptors 0 to 2 that is closed: otherwise what is opened next
 * would be taken for a standard stream. False if it cannot. */
bool file_open_standard(void);

#endif

/*
 * base/file.c - see base/file.h.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

/* The text for errno, copied: strerror() may overwrite its own. */
static enum status fail_errno(struct arena *arena, const char **message)
{
	*message = arena_copy(arena, slice_of(strerror(errno)));
	return *message == NULL ? STATUS_NO_MEMORY : STATUS_MISCONFIGURED;
}

static enum status read_stream(struct arena *arena, FILE *stream, size_t max_bytes, struct buf *buf,
			       const char **message)
{
	/* One byte more than allowed shows a larger file. */
	char *room = buf_reserve(buf, max_bytes + 1);

	if (room == NULL)
		return STATUS_NO_MEMORY;
	buf->n = fread(room, 1, max_bytes + 1, stream);
	if (ferror(stream))
		return fail_errno(arena, message);
	if (buf->n > max_bytes) {
		*message = "is too large";
		return STATUS_MISCONFIGURED;
	}
	if (memchr(room, '\0', buf->n) != NULL) {
		*message = "holds a NUL byte";
		return STATUS_MISCONFIGURED;
	}
	return STATUS_OK;
}

enum status file_read(struct arena *arena, const char *path, size_t max_bytes, struct slice *text,
		      const char **message)
{
	struct buf buf = buf_make(max_bytes + 1);
	FILE *stream = fopen(path, "r");

	if (stream == NULL)
		return fail_errno(arena, message);
	enum status status = read_stream(arena, stream, max_bytes, &buf, message);
	if (status == STATUS_OK) {
		text->p = arena_copy(arena, buf_slice(&buf));
		text->n = buf.n;
		if (text->p == NULL)
			status = STATUS_NO_MEMORY;
	}
	buf_free(&buf);
	(void)fclose(stream);
	return status;
}

bool file_open_standard(void)
{
	int fd;

	/* The lowest free descriptor is the one that is taken. */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && close(fd) == 0;
}

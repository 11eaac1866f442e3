/*
 * store/migration_file.c - see store/migration_file.h.
 */
#include "store/migration_file.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "store/store_internal.h"

enum { VERSION_DIGITS = 4, FILE_MAX_BYTES = 4 * 1024 * 1024 };

/* Formats a message into the arena. Returns the status, or STATUS_NO_MEMORY. */
__attribute__((format(printf, 4, 5))) static enum status say(struct arena *arena,
							     enum status status,
							     const char **message,
							     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	*message = arena_vformat(arena, format, args);
	va_end(args);
	return *message == NULL ? STATUS_NO_MEMORY : status;
}

/* ---- the files ---- */

static bool ends_in_sql(struct slice name)
{
	return name.n > 4 && memcmp(name.p + name.n - 4, ".sql", 4) == 0;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

bool migration_file_name_is_valid(struct slice name, int64_t *version)
{
	*version = 0;
	if (!ends_in_sql(name) || name.n < VERSION_DIGITS + 1 + 1 + 4)
		return false;
	for (size_t i = 0; i < VERSION_DIGITS; i++) {
		if (name.p[i] < '0' || name.p[i] > '9')
			return false;
		*version = *version * 10 + (name.p[i] - '0');
	}
	for (size_t i = VERSION_DIGITS + 1; i < name.n - 4; i++) {
		if (!is_name_char(name.p[i]))
			return false;
	}
	return *version > 0 && name.p[VERSION_DIGITS] == '_';
}

/* In hexadecimal, as store/migration has it. */
static enum status checksum(struct arena *arena, struct slice sql, struct slice *hex)
{
	struct credential_hash hash;
	enum status status = credential_hash(sql, &hash);
	char *text = arena_alloc(arena, STORE_HEX_CHARS + 1);

	if (status != STATUS_OK || text == NULL)
		return status != STATUS_OK ? status : STATUS_NO_MEMORY;
	*hex = store_hash_hex(&hash, text);
	return STATUS_OK;
}

static enum status read_one(struct arena *arena, const char *directory, struct migration_file *file,
			    const char **message)
{
	const char *path = arena_format(arena, "%s/%s", directory, file->migration.name.p);
	const char *reason = NULL;

	if (path == NULL)
		return STATUS_NO_MEMORY;
	enum status status = file_read(arena, path, FILE_MAX_BYTES, &file->sql, &reason);
	if (reason != NULL)
		status = say(arena, status, message, "could not read \"%s\": %s", path, reason);
	if (status == STATUS_OK)
		status = checksum(arena, file->sql, &file->migration.checksum);
	return status;
}

static int by_name(const void *a, const void *b)
{
	const struct migration_file *one = a, *other = b;

	return strcmp(one->migration.name.p, other->migration.name.p);
}

/* Lists the names in *items, which the caller frees. */
static enum status list_names(struct arena *arena, const char *directory, DIR *dir,
			      struct migration_file **items, size_t *count, const char **message)
{
	struct dirent *entry;
	size_t room = 0;

	while (errno = 0, (entry = readdir(dir)) != NULL) {
		struct slice name = slice_of(entry->d_name);
		int64_t version;

		if (!ends_in_sql(name) || name.p[0] == '.')
			continue;
		if (!migration_file_name_is_valid(name, &version))
			return say(arena, STATUS_MISCONFIGURED, message,
				   "file \"%s\" in \"%s\" is not named NNNN_what.sql",
				   entry->d_name, directory);
		if (*count == room) {
			room = room == 0 ? 64 : 2 * room;
			struct migration_file *more = realloc(*items, room * sizeof(**items));
			if (more == NULL)
				return STATUS_NO_MEMORY;
			*items = more;
		}
		(*items)[*count] = (struct migration_file){.migration.version = version};
		(*items)[*count].migration.name = (struct slice){arena_copy(arena, name), name.n};
		if ((*items)[(*count)++].migration.name.p == NULL)
			return STATUS_NO_MEMORY;
	}
	if (errno != 0)
		return say(arena, STATUS_MISCONFIGURED, message, "could not read \"%s\": %s",
			   directory, strerror(errno));
	return STATUS_OK;
}

enum status migration_file_read_all(struct arena *arena, const char *directory,
				    struct migration_files *files, const char **message)
{
	struct migration_file *items = NULL;
	size_t count = 0;
	DIR *dir = opendir(directory);

	*files = (struct migration_files){NULL, 0};
	if (dir == NULL)
		return say(arena, STATUS_MISCONFIGURED, message, "could not open \"%s\": %s",
			   directory, strerror(errno));
	enum status status = list_names(arena, directory, dir, &items, &count, message);
	if (status == STATUS_OK && count == 0)
		status = say(arena, STATUS_MISCONFIGURED, message,
			     "there are no migrations in \"%s\"", directory);
	if (status != STATUS_OK)
		goto out;
	qsort(items, count, sizeof(*items), by_name);
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = read_one(arena, directory, &items[i], message);
	files->items = arena_array(arena, count, sizeof(*items));
	if (files->items == NULL)
		status = status == STATUS_OK ? STATUS_NO_MEMORY : status;
	else
		memcpy(files->items, items, count * sizeof(*items));
	files->count = count;
out:
	free(items);
	(void)closedir(dir);
	return status;
}

/* ---- the plan ---- */

/* The files must be numbered 1, 2, 3, …; an applied one that is missing is named. */
static enum status check_numbers(struct arena *arena, const struct migration_files *files,
				 const struct store_list *applied, const char **message)
{
	const struct store_migration *in_database = applied->items;

	for (size_t i = 0; i < files->count; i++) {
		const struct store_migration *file = &files->items[i].migration;
		int64_t wanted = (int64_t)i + 1;

		if (file->version == wanted)
			continue;
		if (file->version < wanted)
			return say(arena, STATUS_MISCONFIGURED, message,
				   "\"%s\" and \"%s\" have the same number",
				   files->items[i - 1].migration.name.p, file->name.p);
		if (i < applied->count && in_database[i].version == wanted)
			return say(arena, STATUS_MISCONFIGURED, message,
				   "the applied migration \"%s\" is missing from the directory",
				   in_database[i].name.p);
		return say(arena, STATUS_MISCONFIGURED, message,
			   "there is no migration number %04" PRId64 " before \"%s\"", wanted,
			   file->name.p);
	}
	return STATUS_OK;
}

static enum status check_applied(struct arena *arena, const struct store_migration *applied,
				 const struct store_migration *file, int64_t wanted,
				 const char **message)
{
	if (applied->version != wanted)
		return say(arena, STATUS_MISCONFIGURED, message,
			   "the database has migration \"%s\" but not number %04" PRId64,
			   applied->name.p, wanted);
	if (!slice_equal(applied->name, file->name))
		return say(arena, STATUS_MISCONFIGURED, message,
			   "the applied migration \"%s\" is missing: its number is that of \"%s\"",
			   applied->name.p, file->name.p);
	if (!slice_equal(applied->checksum, file->checksum))
		return say(arena, STATUS_MISCONFIGURED, message,
			   "\"%s\" was changed after it was applied on %s", file->name.p,
			   applied->applied_at.p);
	return STATUS_OK;
}

enum status migration_file_plan(struct arena *arena, const struct migration_files *files,
				const struct store_list *applied, size_t *first,
				const char **message, const char **hint)
{
	const struct store_migration *in_database = applied->items;
	enum status status = check_numbers(arena, files, applied, message);

	*first = applied->count;
	*hint = NULL;
	if (status != STATUS_OK)
		return status;
	*hint = "restore the file, and put the change into a new one";
	for (size_t i = 0; i < applied->count && i < files->count && status == STATUS_OK; i++)
		status = check_applied(arena, &in_database[i], &files->items[i].migration,
				       (int64_t)i + 1, message);
	if (status == STATUS_OK && applied->count > files->count) {
		*hint = "use the program and the migrations of the newer release";
		status = say(arena, STATUS_MISCONFIGURED, message,
			     "the database is newer than the files: it has \"%s\"",
			     in_database[applied->count - 1].name.p);
	}
	return status;
}

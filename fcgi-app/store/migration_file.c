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

/* SHA-256 in hexadecimal. */
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

/* ---- the directory ---- */

/* Where a file stands in the order of application. */
enum place { PLACE_ROLES, PLACE_NUMBERED, PLACE_VIEWS, PLACE_FUNCTIONS, PLACE_ACCESS, PLACE_NONE };

static enum place place_of(const char *name)
{
	int64_t version;

	if (strcmp(name, "roles.sql") == 0)
		return PLACE_ROLES;
	if (strcmp(name, "access.sql") == 0)
		return PLACE_ACCESS;
	if (strncmp(name, "views/", 6) == 0)
		return PLACE_VIEWS;
	if (strncmp(name, "functions/", 10) == 0)
		return PLACE_FUNCTIONS;
	return migration_file_name_is_valid(slice_of(name), &version) ? PLACE_NUMBERED : PLACE_NONE;
}

bool migration_file_comes_first(const struct migration_file *file)
{
	return place_of(file->migration.name.p) == PLACE_ROLES;
}

static int by_place(const void *a, const void *b)
{
	const struct migration_file *one = a, *other = b;
	const char *name = one->migration.name.p, *other_name = other->migration.name.p;

	if (place_of(name) != place_of(other_name))
		return place_of(name) < place_of(other_name) ? -1 : 1;
	return strcmp(name, other_name);
}

/* The files that are found, in any order; the caller frees items. */
struct found {
	struct arena *arena;
	const char *directory;
	struct migration_file *items;
	size_t count, room;
	const char **message;
};

/* Adds a file by its name below the directory. */
static enum status add_name(struct found *found, const char *folder, const char *name)
{
	struct migration_file file = {
		.migration.name = slice_of(arena_format(found->arena, "%s%s", folder, name)),
	};

	if (file.migration.name.p == NULL)
		return STATUS_NO_MEMORY;
	if (place_of(file.migration.name.p) == PLACE_NONE)
		return say(found->arena, STATUS_MISCONFIGURED, found->message,
			   "file \"%s\" in \"%s\" is not named NNNN_what.sql", name,
			   found->directory);
	(void)migration_file_name_is_valid(file.migration.name, &file.migration.version);
	if (found->count == found->room) {
		found->room = found->room == 0 ? 64 : 2 * found->room;
		struct migration_file *more =
			realloc(found->items, found->room * sizeof(*found->items));
		if (more == NULL)
			return STATUS_NO_MEMORY;
		found->items = more;
	}
	found->items[found->count++] = file;
	return STATUS_OK;
}

/* Adds the files of a folder, "" or with a slash at its end. */
static enum status add_folder(struct found *found, const char *folder)
{
	const char *path = arena_format(found->arena, "%s/%s", found->directory, folder);
	struct dirent *entry;
	enum status status = STATUS_OK;

	if (path == NULL)
		return STATUS_NO_MEMORY;
	DIR *dir = opendir(path);
	if (dir == NULL && errno == ENOENT && *folder != '\0')
		return STATUS_OK;
	if (dir == NULL && errno == ENOMEM)
		return STATUS_NO_MEMORY;
	if (dir == NULL)
		return say(found->arena, STATUS_MISCONFIGURED, found->message,
			   "could not open \"%s\": %s", path, strerror(errno));
	while (status == STATUS_OK && (errno = 0, (entry = readdir(dir)) != NULL)) {
		if (ends_in_sql(slice_of(entry->d_name)) && entry->d_name[0] != '.')
			status = add_name(found, folder, entry->d_name);
	}
	if (status == STATUS_OK && errno != 0)
		status = say(found->arena, STATUS_MISCONFIGURED, found->message,
			     "could not read \"%s\": %s", path, strerror(errno));
	(void)closedir(dir);
	return status;
}

/* Divides what was found, in order, into the numbered files and the others. */
static enum status divide(const struct found *found, struct migration_files *files)
{
	struct arena *arena = found->arena;

	files->items = arena_array(arena, found->count, sizeof(*files->items));
	files->others = arena_array(arena, found->count, sizeof(*files->others));
	if (files->items == NULL || files->others == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < found->count; i++) {
		if (found->items[i].migration.version > 0)
			files->items[files->count++] = found->items[i];
		else
			files->others[files->other_count++] = found->items[i];
	}
	if (files->count == 0)
		return say(arena, STATUS_MISCONFIGURED, found->message,
			   "there are no migrations in \"%s\"", found->directory);
	return STATUS_OK;
}

enum status migration_file_read_all(struct arena *arena, const char *directory,
				    struct migration_files *files, const char **message)
{
	static const char *const folders[] = {"", "views/", "functions/"};
	struct found found = {.arena = arena, .directory = directory, .message = message};
	enum status status = STATUS_OK;

	*files = (struct migration_files){.count = 0};
	for (size_t i = 0; i < ARRAY_LENGTH(folders) && status == STATUS_OK; i++)
		status = add_folder(&found, folders[i]);
	if (found.count > 0)
		qsort(found.items, found.count, sizeof(*found.items), by_place);
	for (size_t i = 0; i < found.count && status == STATUS_OK; i++)
		status = read_one(arena, directory, &found.items[i], message);
	if (status == STATUS_OK && found.count == 0)
		status = say(arena, STATUS_MISCONFIGURED, message,
			     "there are no migrations in \"%s\"", directory);
	if (status == STATUS_OK)
		status = divide(&found, files);
	free(found.items);
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

bool migration_file_others_differ(const struct migration_files *files,
				  const struct store_list *applied)
{
	const struct store_migration *in_database = applied->items;
	size_t same = 0;

	for (size_t i = 0; i < files->other_count; i++) {
		const struct store_migration *file = &files->others[i].migration;
		for (size_t j = 0; j < applied->count; j++)
			same += slice_equal(file->name, in_database[j].name) &&
				slice_equal(file->checksum, in_database[j].checksum);
	}
	return same != files->other_count || same != applied->count;
}

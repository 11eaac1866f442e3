/*
 * test_migration_file.c - which migrations there are and which are due; reading small files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "check_main.h"
#include "store/migration_file.h"

/* ---- a directory of files ---- */

static char directory[200];

static const char *path_of(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void put(const char *name, const char *text, size_t n)
{
	FILE *file = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, n, file), n);
	ck_assert_int_eq(fclose(file), 0);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void make_directory(void)
{
	const char *parent = getenv("TMPDIR");

	(void)snprintf(directory, sizeof(directory), "%s/sluice-migrate-XXXXXX",
		       parent == NULL ? "/tmp" : parent);
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void)
{
	static const char *const names[] = {
		"0001_a.sql",	   "0002_b.sql",      "0003_c.sql",  "README",
		".0004_d.sql",	   "1_a.sql",	      "0002_b.sql~", "big",
		"roles.sql",	   "access.sql",      "views/a.sql", "views/z.sql",
		"views/README.md", "functions/a.sql", "views",	     "functions"};

	for (int i = 0; i < LENGTH(names); i++) {
		if (unlink(path_of(names[i])) != 0)
			(void)rmdir(path_of(names[i]));
	}
	ck_assert_int_eq(rmdir(directory), 0);
}

/* ---- names ---- */

static const struct {
	const char *name;
	int64_t version; /* 0: not valid */
} names[] = {
	{"0001_a.sql", 1},
	{"9999_A-b_0.sql", 9999},
	{"0010_x.sql", 10},
	{"0000_a.sql", 0},
	{"0001_az_AZ-09.sql", 1},
	{"0001_a@.sql", 0},
	{"0001_[.sql", 0},
	{"0001_`.sql", 0},
	{"0001_{.sql", 0},
	{"0001_/.sql", 0},
	{"0001_:.sql", 0},
	{"0001_.sql", 0},
	{"0001.sql", 0},
	{"0001-a.sql", 0},
	{"001_a.sql", 0},
	{"00001_a.sql", 0},
	{"0001_a.SQL", 0},
	{"0001_a.sql~", 0},
	{"0001_a b.sql", 0},
	{"0001_a.b.sql", 0},
	{"0001_\xc3\xa4.sql", 0},
	{"-001_a.sql", 0},
	{"+001_a.sql", 0},
	{".sql", 0},
	{"", 0},
};

START_TEST(test_name)
{
	int64_t version = -1;
	bool valid = migration_file_name_is_valid(slice_of(names[_i].name), &version);

	ck_assert_msg(valid == (names[_i].version != 0), "\"%s\"", names[_i].name);
	if (valid)
		ck_assert_int_eq(version, names[_i].version);
}
END_TEST

/* ---- the plan ---- */

enum { PLAN_MAX = 4 };

struct entry {
	int version;
	const char *name, *checksum;
};

#define A                                                                                          \
	{                                                                                          \
		1, "0001_a.sql", "aa"                                                              \
	}
#define B                                                                                          \
	{                                                                                          \
		2, "0002_b.sql", "bb"                                                              \
	}
#define C                                                                                          \
	{                                                                                          \
		3, "0003_c.sql", "cc"                                                              \
	}
#define B_EDITED                                                                                   \
	{                                                                                          \
		2, "0002_b.sql", "b2"                                                              \
	}
#define B_OTHER                                                                                    \
	{                                                                                          \
		2, "0002_other.sql", "bb"                                                          \
	}

static const struct {
	struct entry files[PLAN_MAX], applied[PLAN_MAX];
	int first;	     /* -1: refused */
	const char *message; /* a part of it */
} plans[] = {
	{{A, B, C}, {{0}}, 0, NULL},
	{{A, B, C}, {A}, 1, NULL},
	{{A, B, C}, {A, B, C}, 3, NULL},
	{{A, B}, {A, B_EDITED}, -1, "\"0002_b.sql\" was changed after it was applied"},
	{{A, B}, {A, B_OTHER}, -1, "\"0002_other.sql\" is missing"},
	{{A, C}, {{0}}, -1, "no migration number 0002 before \"0003_c.sql\""},
	{{B, C}, {{0}}, -1, "no migration number 0001 before \"0002_b.sql\""},
	{{A, C}, {A, B}, -1, "\"0002_b.sql\" is missing from the directory"},
	{{A, B, B_OTHER}, {{0}}, -1, "\"0002_b.sql\" and \"0002_other.sql\" have the same"},
	{{A, B}, {A, B, C}, -1, "database is newer than the files: it has \"0003_c.sql\""},
	{{A, B_EDITED}, {A, B, C}, -1, "\"0002_b.sql\" was changed"},
	{{A, B, C}, {A, C}, -1, "has migration \"0003_c.sql\" but not number 0002"},
};

static struct store_migration migration_of(const struct entry *entry)
{
	return (struct store_migration){.version = entry->version,
					.name = slice_of(entry->name),
					.checksum = slice_of(entry->checksum),
					.applied_at = SLICE("2026-01-01T00:00:00Z")};
}

START_TEST(test_plan)
{
	struct arena arena = {0};
	struct migration_file file_items[PLAN_MAX] = {0};
	struct store_migration applied_items[PLAN_MAX];
	struct migration_files files = {file_items, 0};
	struct store_list applied = {&store_migration_entity, applied_items, 0};
	const char *message = NULL, *hint = NULL;
	size_t first = 99;

	for (; files.count < PLAN_MAX && plans[_i].files[files.count].version != 0; files.count++)
		file_items[files.count].migration = migration_of(&plans[_i].files[files.count]);
	for (; applied.count < PLAN_MAX && plans[_i].applied[applied.count].version != 0;
	     applied.count++)
		applied_items[applied.count] = migration_of(&plans[_i].applied[applied.count]);
	enum status status = migration_file_plan(&arena, &files, &applied, &first, &message, &hint);
	if (plans[_i].first >= 0) {
		ck_assert_int_eq(status, STATUS_OK);
		ck_assert_uint_eq(first, (size_t)plans[_i].first);
	} else {
		ck_assert_int_eq(status, STATUS_MISCONFIGURED);
		ck_assert_msg(strstr(message, plans[_i].message) != NULL, "%s", message);
	}
	arena_free(&arena);
}
END_TEST

/* ---- the directory ---- */

START_TEST(test_read)
{
	struct arena arena = {0};
	struct migration_files files;
	const char *message = NULL;

	put_text("0002_b.sql", "SELECT 2;\n");
	put_text("0001_a.sql", "abc");
	put_text("0003_c.sql", "");
	put_text("README", "not a migration");
	put_text(".0004_d.sql", "an editor's copy");
	put_text("0002_b.sql~", "another");
	ck_assert_int_eq(migration_file_read_all(&arena, directory, &files, &message), STATUS_OK);
	ck_assert_uint_eq(files.count, 3);
	ck_assert_int_eq(files.items[0].migration.version, 1);
	ck_assert_str_eq(files.items[0].migration.name.p, "0001_a.sql");
	/* FIPS 180-2, appendix B.1 */
	ck_assert_str_eq(files.items[0].migration.checksum.p,
			 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_str_eq(files.items[0].sql.p, "abc");
	ck_assert_str_eq(files.items[1].sql.p, "SELECT 2;\n");
	ck_assert_uint_eq(files.items[2].sql.n, 0);
	arena_free(&arena);
}
END_TEST

/* ---- files that are applied again ---- */

static void put_below(const char *folder, const char *name, const char *text)
{
	char path[64];

	if (mkdir(path_of(folder), 0700) != 0)
		ck_assert_int_eq(errno, EEXIST);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	put_text(path, text);
}

static const struct store_migration *other(const struct migration_files *files, size_t i)
{
	return &files->others[i].migration;
}

START_TEST(test_others)
{
	static const char *const order[] = {"roles.sql", "views/a.sql", "views/z.sql",
					    "functions/a.sql", "access.sql"};
	struct arena arena = {0};
	struct migration_files files;
	const char *message = NULL;

	put_text("0001_a.sql", "");
	put_text("access.sql", "");
	put_text("roles.sql", "");
	put_below("functions", "a.sql", "");
	put_below("views", "z.sql", "abc");
	put_below("views", "a.sql", "");
	put_below("views", "README.md", "not applied");
	ck_assert_int_eq(migration_file_read_all(&arena, directory, &files, &message), STATUS_OK);
	ck_assert_uint_eq(files.count, 1);
	ck_assert_uint_eq(files.other_count, LENGTH(order));
	for (size_t i = 0; i < LENGTH(order); i++) {
		ck_assert_str_eq(other(&files, i)->name.p, order[i]);
		ck_assert_int_eq(other(&files, i)->version, 0);
		ck_assert(migration_file_comes_first(&files.others[i]) == (i == 0));
	}
	ck_assert_str_eq(files.others[2].sql.p, "abc");

	/* Whatever the order in the database, they differ by name, checksum or number. */
	struct store_migration applied_items[LENGTH(order) + 1];
	struct store_list applied = {&store_migration_entity, applied_items, LENGTH(order)};
	for (size_t i = 0; i < LENGTH(order); i++)
		applied_items[i] = *other(&files, LENGTH(order) - 1 - i);
	ck_assert(!migration_file_others_differ(&files, &applied));
	applied.count--;
	ck_assert(migration_file_others_differ(&files, &applied));
	applied.count += 2;
	applied_items[LENGTH(order)] = (struct store_migration){.name = SLICE("views/b.sql")};
	ck_assert(migration_file_others_differ(&files, &applied));
	applied.count--;
	applied_items[0].checksum = SLICE("00");
	ck_assert(migration_file_others_differ(&files, &applied));
	arena_free(&arena);
}
END_TEST

static void assert_not_read(const char *path, const char *part)
{
	struct arena arena = {0};
	struct migration_files files;
	const char *message = "";

	ck_assert_int_eq(migration_file_read_all(&arena, path, &files, &message),
			 STATUS_MISCONFIGURED);
	ck_assert_msg(strstr(message, part) != NULL, "%s", message);
	arena_free(&arena);
}

START_TEST(test_read_refused)
{
	assert_not_read(directory, "there are no migrations in");
	assert_not_read(path_of("nowhere"), "No such file");
	put_text("1_a.sql", "");
	assert_not_read(directory, "\"1_a.sql\" in");
	ck_assert_int_eq(unlink(path_of("1_a.sql")), 0);
	put("0001_a.sql", "a\0b", 3);
	assert_not_read(directory, "0001_a.sql\": holds a NUL byte");
	ck_assert_int_eq(unlink(path_of("0001_a.sql")), 0);
	ck_assert_int_eq(mkdir(path_of("0001_a.sql"), 0700), 0);
	assert_not_read(directory, "could not read");
}
END_TEST

static enum status read_and_plan(void)
{
	struct arena arena = {0};
	struct migration_files files;
	struct store_list applied = {0};
	const char *message, *hint;
	size_t first;
	enum status status = migration_file_read_all(&arena, directory, &files, &message);

	if (status == STATUS_OK)
		status = migration_file_plan(&arena, &files, &applied, &first, &message, &hint);
	arena_free(&arena);
	return status;
}

START_TEST(test_read_without_memory)
{
	put_text("0001_a.sql", "SELECT 1;");
	put_text("0002_b.sql", "SELECT 2;");
	ck_assert_int_ge(unit_torture(read_and_plan), 4);
}
END_TEST

/* ---- files ---- */

START_TEST(test_file_size)
{
	struct arena arena = {0};
	struct slice text;
	const char *message = NULL;

	put_text("big", "1234567890");
	ck_assert_int_eq(file_read(&arena, path_of("big"), 11, &text, &message), STATUS_OK);
	ck_assert_int_eq(file_read(&arena, path_of("big"), 10, &text, &message), STATUS_OK);
	ck_assert_uint_eq(text.n, 10);
	ck_assert_str_eq(text.p, "1234567890");
	ck_assert_int_eq(file_read(&arena, path_of("big"), 9, &text, &message),
			 STATUS_MISCONFIGURED);
	ck_assert_str_eq(message, "is too large");
	arena_free(&arena);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("migration_file");
	TCase *pure = tcase_create("pure");
	TCase *files = tcase_create("files");

	tcase_add_loop_test(pure, test_name, 0, LENGTH(names));
	tcase_add_loop_test(pure, test_plan, 0, LENGTH(plans));
	suite_add_tcase(suite, pure);
	tcase_add_checked_fixture(files, make_directory, remove_directory);
	tcase_add_test(files, test_read);
	tcase_add_test(files, test_others);
	tcase_add_test(files, test_read_refused);
	tcase_add_test(files, test_read_without_memory);
	tcase_add_test(files, test_file_size);
	suite_add_tcase(suite, files);
	return suite;
}

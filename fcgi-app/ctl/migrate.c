/*
 * ctl/migrate.c - sluicectl migrate. See ctl/ctl_internal.h.
 *
 * All that is due is one transaction: the old schema or the new one, nothing between. It begins
 * with the lock, before the applied migrations are read, so that the second of two concurrent runs
 * finds nothing left to do.
 */
#include "ctl/ctl_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/migration_file.h"

/* A migration may rewrite a large table; the operator can interrupt it. */
enum { MIGRATION_TIMEOUT_MS = 24 * 60 * 60 * 1000 };

/* How often all of it is tried when a table is in use, and the pause between. */
enum { TRIES = 20, PAUSE_MS = 500 };

const char *ctl_migrations(const struct ctl *ctl)
{
	const char *directory = ctl->values[CTL_DIRECTORY];

	if (directory == NULL)
		directory = getenv("SLUICE_MIGRATIONS");
	return directory == NULL || *directory == '\0' ? SLUICE_DATADIR "/sql-migrations"
						       : directory;
}

struct work {
	struct store_target target;
	struct migration_files files;
	size_t first; /* index of the first numbered file that is due */
	bool others;  /* the other files are due, too */
	bool dry_run;
	int tries_left;
	bool in_use; /* a lock was not granted in time */
	/* With dry_run: functions and views as they are and as they would be. */
	struct store_list before, after;
};

static bool is_due(const struct work *work)
{
	return work->others || work->first < work->files.count;
}

/* ---- where ---- */

static enum ctl_exit check_target(struct ctl *ctl, struct work *work)
{
	struct store_target *target = &work->target;
	enum status status = store_migration_target(&ctl->store, target);

	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (!ctl_has(ctl, CTL_DATABASE) && (slice_equal(target->database, SLICE("postgres")) ||
					    slice_equal(target->database, SLICE("template1"))))
		return ctl_fail(
			CTL_USAGE,
			"set PGDATABASE to Sluice's database, or name this one by --database",
			"database \"%s\" is the server's own", target->database.p);
	if (!slice_equal(target->encoding, SLICE("UTF8")))
		return ctl_fail(CTL_FAILED,
				"createdb --encoding=UTF8 --template=template0 makes one that fits",
				"the encoding of database \"%s\" is %s, and UTF8 is needed",
				target->database.p, target->encoding.p);
	if (ctl_has(ctl, CTL_JSON))
		return CTL_FINE;
	buf_add_format(&ctl->out, "host %s, port %s, database %s, user %s\n", target->host.p,
		       target->port.p, target->database.p, target->user.p);
	return ctl_flush(ctl);
}

/* ---- what is due ---- */

static enum ctl_exit plan(struct ctl *ctl, struct work *work)
{
	struct store_list applied, applied_files;
	bool exists = false;
	const char *message = NULL, *hint = NULL;
	enum status status = store_migration_list(&ctl->store, &exists, &applied, &applied_files);

	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (exists && applied.count == 0)
		return ctl_fail(CTL_FAILED, "restore the data of the dump, too",
				"schema sluice is there, without the migrations that made it");
	status = migration_file_plan(&ctl->arena, &work->files, &applied, &work->first, &message,
				     &hint);
	if (status == STATUS_MISCONFIGURED)
		return ctl_fail(CTL_FAILED, hint, "%s", message);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	work->others = work->files.other_count > 0 &&
		       (work->first < work->files.count || ctl_has(ctl, CTL_REPAIR) ||
			migration_file_others_differ(&work->files, &applied_files));
	return CTL_FINE;
}

/* ---- applying it ---- */

static enum ctl_exit explain(const struct ctl *ctl, const struct store_migration *migration,
			     enum status status)
{
	const char *name = migration->name.p;

	if (status == STATUS_END)
		return ctl_fail(CTL_FAILED,
				"remove COMMIT and ROLLBACK from it, and check what it has done",
				"\"%s\" ends its own transaction, so it is not recorded", name);
	if (ctl_exit_of(status) == CTL_UNREACHABLE && pg_state(ctl->db) != PG_READY)
		return ctl_fail(CTL_UNREACHABLE, "run migrate again to see what is applied",
				"lost the database during \"%s\": %s", name, pg_message(ctl->db));
	if (status == STATUS_NO_MEMORY)
		return ctl_fail_status(ctl, status);
	if (strcmp(pg_sqlstate(ctl->db), "55P03") == 0)
		return ctl_fail(
			CTL_FAILED,
			"a dump or another long transaction is at it, see pg_stat_activity: "
			"run migrate again when it has ended",
			"\"%s\" needs a table that is in use; everything was rolled back", name);
	return ctl_fail_server(ctl, CTL_FAILED, NULL,
			       "\"%s\" failed and everything was rolled back: %s (SQLSTATE %s)",
			       name, pg_message(ctl->db), pg_sqlstate(ctl->db));
}

/* Whether the whole run is to be tried again: a lock was not granted in time. */
static bool try_again(struct ctl *ctl, struct work *work, const struct store_migration *migration,
		      enum status status)
{
	if (status == STATUS_OK || work->dry_run || strcmp(pg_sqlstate(ctl->db), "55P03") != 0 ||
	    work->tries_left == 0)
		return false;
	if (work->tries_left == TRIES - 1)
		ctl_warn("\"%s\" needs a table that is in use; trying again", migration->name.p);
	work->in_use = true;
	return true;
}

static enum ctl_exit apply(struct ctl *ctl, struct work *work, const struct migration_file *file)
{
	enum status status = store_migration_apply(&ctl->store, file->sql);

	/* The ledger of the others is written when all of them are applied. */
	if (status == STATUS_OK && file->migration.version > 0)
		status = store_migration_record(&ctl->store, &file->migration);
	if (status == STATUS_OK)
		return CTL_FINE;
	return try_again(ctl, work, &file->migration, status)
		       ? CTL_FAILED
		       : explain(ctl, &file->migration, status);
}

static enum ctl_exit apply_others(struct ctl *ctl, struct work *work, bool first)
{
	enum ctl_exit result = CTL_FINE;

	for (size_t i = 0; i < work->files.other_count && result == CTL_FINE; i++) {
		const struct migration_file *file = &work->files.others[i];
		if (migration_file_comes_first(file) == first)
			result = apply(ctl, work, file);
	}
	return result;
}

static enum ctl_exit record_others(struct ctl *ctl, const struct work *work)
{
	enum status status = store_migration_forget_files(&ctl->store);

	for (size_t i = 0; i < work->files.other_count && status == STATUS_OK; i++)
		status = store_migration_record(&ctl->store, &work->files.others[i].migration);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

static enum ctl_exit apply_all(struct ctl *ctl, struct work *work)
{
	enum ctl_exit result = work->others ? apply_others(ctl, work, true) : CTL_FINE;

	for (size_t i = work->first; i < work->files.count && result == CTL_FINE; i++)
		result = apply(ctl, work, &work->files.items[i]);
	if (result == CTL_FINE && work->others)
		result = apply_others(ctl, work, false);
	if (result == CTL_FINE && work->others)
		result = record_others(ctl, work);
	return result;
}

static enum ctl_exit begin(struct ctl *ctl)
{
	bool locked = false;
	enum status status = store_migration_begin(&ctl->store, false, &locked);

	if (status == STATUS_OK && !locked) {
		ctl_warn("another run is in progress; waiting for it to end");
		status = store_migration_begin(&ctl->store, true, &locked);
	}
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

/* One try; work->in_use says whether there is to be another. */
static enum ctl_exit migrate_once(struct ctl *ctl, struct work *work)
{
	enum ctl_exit result = begin(ctl);

	work->in_use = false;
	if (result == CTL_FINE)
		result = plan(ctl, work);
	if (result == CTL_FINE)
		result = apply_all(ctl, work);
	if (result == CTL_FINE) {
		enum status status =
			ctl_has(ctl, CTL_REPAIR) ? store_migration_repair(&ctl->store) : STATUS_OK;
		if (status == STATUS_OK)
			status = store_migration_commit(&ctl->store);
		if (status == STATUS_OK)
			return CTL_FINE;
		result = ctl_fail_status(ctl, status);
	}
	store_migration_rollback(&ctl->store);
	return result;
}

static enum ctl_exit migrate(struct ctl *ctl, struct work *work)
{
	enum ctl_exit result;

	for (work->tries_left = TRIES - 1;; work->tries_left--) {
		result = migrate_once(ctl, work);
		if (!work->in_use)
			return result;
		clock_sleep_ms(PAUSE_MS);
	}
}

/* ---- not applying it ---- */

/*
 * What the functions would be, by a transaction that is rolled back. Not with a numbered migration:
 * that could lock tables for as long as it takes.
 */
static enum ctl_exit rehearse(struct ctl *ctl, struct work *work)
{
	enum status status = store_migration_rehearse(&ctl->store);
	enum ctl_exit result = CTL_FINE;

	if (status == STATUS_OK)
		status = store_migration_definitions(&ctl->store, &work->before);
	if (status == STATUS_OK)
		result = apply_all(ctl, work);
	if (status == STATUS_OK && result == CTL_FINE)
		status = store_migration_definitions(&ctl->store, &work->after);
	if (status != STATUS_OK)
		result = ctl_fail_status(ctl, status);
	store_migration_rollback(&ctl->store);
	return result;
}

static enum ctl_exit look(struct ctl *ctl, struct work *work)
{
	enum ctl_exit result = plan(ctl, work);

	if (result == CTL_FINE && work->others && work->first == work->files.count)
		result = rehearse(ctl, work);
	return result;
}

/* Calls add for each definition that differs; one that is absent has no text. Both lists are in the
 * order of their names. */
static enum ctl_exit each_difference(struct ctl *ctl, const struct work *work, void *context,
				     enum ctl_exit (*add)(struct ctl *ctl, void *context,
							  struct slice name, struct slice before,
							  struct slice after))
{
	const struct store_definition *a = work->before.items, *b = work->after.items;
	const struct store_definition *a_end = a + work->before.count;
	const struct store_definition *b_end = b + work->after.count;
	enum ctl_exit result = CTL_FINE;

	while ((a < a_end || b < b_end) && result == CTL_FINE) {
		int order = a == a_end ? 1 : b == b_end ? -1 : strcmp(a->name.p, b->name.p);
		struct slice name = order > 0 ? b->name : a->name;
		struct slice before = order > 0 ? SLICE_ABSENT : a->text;
		struct slice after = order < 0 ? SLICE_ABSENT : b->text;
		a += order <= 0;
		b += order >= 0;
		if (!slice_equal(before, after))
			result = add(ctl, context, name, before, after);
	}
	return result;
}

/* ---- the report ---- */

static enum ctl_exit add_difference(struct ctl *ctl, void *context, struct slice name,
				    struct slice before, struct slice after)
{
	(void)context;
	buf_add_format(&ctl->out, "\n%s %s:\n", before.p == NULL ? "new" : "changed", name.p);
	return ctl_add_diff(ctl, before, after);
}

struct differences {
	struct json_tree *tree;
	struct json_object *array;
};

static enum ctl_exit add_difference_json(struct ctl *ctl, void *context, struct slice name,
					 struct slice before, struct slice after)
{
	const struct differences *differences = context;
	struct json_tree *tree = differences->tree;
	struct json_object *object = json_tree_object(tree, differences->array, NULL);

	(void)ctl;
	json_tree_text(tree, object, "name", name);
	json_tree_text(tree, object, "before", before);
	json_tree_text(tree, object, "after", after);
	return CTL_FINE;
}

static enum ctl_exit add_report_json(struct ctl *ctl, const struct work *work, bool done)
{
	struct json_tree tree = {0};
	struct json_object *root = json_tree_object(&tree, NULL, NULL);
	bool listed = done || work->dry_run;
	size_t end = listed ? work->files.count : work->first;

	json_tree_bool(&tree, root, "dry_run", work->dry_run);
	store_item_json(&store_target_entity, &work->target, &tree,
			json_tree_object(&tree, root, "target"));
	json_tree_int(&tree, root, "version",
		      (int64_t)(done && !work->dry_run ? end : work->first));
	struct json_object *array = json_tree_array(&tree, root, work->dry_run ? "due" : "applied");
	for (size_t i = work->first; i < end; i++)
		store_item_json(&store_migration_entity, &work->files.items[i].migration, &tree,
				json_tree_object(&tree, array, NULL));
	array = json_tree_array(&tree, root, work->dry_run ? "files_due" : "files_applied");
	for (size_t i = 0; i < work->files.other_count && listed && work->others; i++)
		json_tree_text(&tree, array, NULL, work->files.others[i].migration.name);
	if (work->dry_run) {
		struct differences differences = {&tree,
						  json_tree_array(&tree, root, "differences")};
		(void)each_difference(ctl, work, &differences, add_difference_json);
	}
	return ctl_add_tree(ctl, &tree);
}

static enum ctl_exit add_report(struct ctl *ctl, const struct work *work)
{
	const char *verb = work->dry_run ? "would apply" : "applied";
	struct buf *out = &ctl->out;

	if (!is_due(work))
		buf_add_format(out, "nothing to apply: the schema is at version %zu\n",
			       work->first);
	for (size_t i = work->first; i < work->files.count; i++)
		buf_add_format(out, "%s %s\n", verb, work->files.items[i].migration.name.p);
	for (size_t i = 0; i < work->files.other_count && work->others; i++)
		buf_add_format(out, "%s %s\n", verb, work->files.others[i].migration.name.p);
	return each_difference(ctl, work, NULL, add_difference);
}

enum ctl_exit ctl_migrate(struct ctl *ctl)
{
	struct work work = {.dry_run = ctl_has(ctl, CTL_DRY_RUN)};
	const char *message = NULL;
	enum status status =
		migration_file_read_all(&ctl->arena, ctl_migrations(ctl), &work.files, &message);

	if (status == STATUS_MISCONFIGURED)
		return ctl_fail(CTL_FAILED, "--directory names the directory of the migrations",
				"%s", message);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	ctl->store.deadline_ms = clock_now_ms() + MIGRATION_TIMEOUT_MS;
	enum ctl_exit result = check_target(ctl, &work);
	if (result != CTL_FINE)
		return result;
	result = work.dry_run ? look(ctl, &work) : migrate(ctl, &work);
	if (ctl_has(ctl, CTL_JSON)) {
		enum ctl_exit reported = add_report_json(ctl, &work, result == CTL_FINE);
		return result != CTL_FINE ? result : reported;
	}
	return result == CTL_FINE ? add_report(ctl, &work) : result;
}

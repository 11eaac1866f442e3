/*
 * ctl/migrate.c - sluicectl migrate. See ctl/ctl_internal.h.
 *
 * The lock is taken before the applied migrations are read, so the second of two concurrent runs
 * finds nothing left to do.
 */
#include "ctl/ctl_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/migration_file.h"

/* A migration may rewrite a large table; the operator can interrupt it. */
enum { MIGRATION_TIMEOUT_MS = 24 * 60 * 60 * 1000 };

const char *ctl_migrations(const struct ctl *ctl)
{
	const char *directory = ctl->values[CTL_DIRECTORY];

	if (directory == NULL)
		directory = getenv("SLUICE_MIGRATIONS");
	return directory == NULL || *directory == '\0' ? SLUICE_DATADIR "/sql-migrations"
						       : directory;
}

static enum ctl_exit lock(struct ctl *ctl)
{
	bool locked = false;
	enum status status = store_migration_lock(&ctl->store, false, &locked);

	if (status == STATUS_OK && !locked) {
		ctl_warn("another run is in progress; waiting for it to end");
		status = store_migration_lock(&ctl->store, true, &locked);
	}
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

struct work {
	struct migration_files files;
	size_t first;	/* index of the first that is pending */
	size_t applied; /* how many from there on have been applied, or with dry_run would be */
	bool dry_run;
};

static enum ctl_exit plan(struct ctl *ctl, struct work *work)
{
	struct store_list applied;
	const char *message = NULL, *hint = NULL;
	enum status status = store_migration_list(&ctl->store, &applied);

	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	status = migration_file_plan(&ctl->arena, &work->files, &applied, &work->first, &message,
				     &hint);
	if (status == STATUS_MISCONFIGURED)
		return ctl_fail(CTL_FAILED, hint, "%s", message);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

static enum ctl_exit explain(const struct ctl *ctl, const struct store_migration *migration,
			     enum status status, const struct store_failure *failure)
{
	const char *name = migration->name.p;

	if (status == STATUS_NO_MEMORY)
		return ctl_fail_status(ctl, status);
	if (status == STATUS_END)
		return ctl_fail(CTL_FAILED,
				"remove COMMIT and ROLLBACK from it, and check what it has done",
				"\"%s\" ends its own transaction, so it is not recorded", name);
	if (ctl_exit_of(status) == CTL_UNREACHABLE)
		return ctl_fail(CTL_UNREACHABLE, "run migrate again to see what is applied",
				"lost the database during \"%s\": %s", name, failure->message.p);
	return ctl_fail(CTL_FAILED, NULL, "\"%s\" failed and was rolled back: %s (SQLSTATE %s)",
			name, failure->message.p, failure->sqlstate.p);
}

static enum ctl_exit apply_all(struct ctl *ctl, struct work *work)
{
	enum ctl_exit written = CTL_FINE;

	for (size_t i = work->first; i < work->files.count && written == CTL_FINE; i++) {
		const struct migration_file *file = &work->files.items[i];
		struct store_failure failure;
		int64_t start_ms = clock_now_ms();
		enum status status =
			store_migration_apply(&ctl->store, &file->migration, file->sql, &failure);
		if (status != STATUS_OK)
			return explain(ctl, &file->migration, status, &failure);
		work->applied++;
		if (ctl_has(ctl, CTL_JSON))
			continue;
		buf_add_format(&ctl->out, "applied %s (%" PRId64 " ms)\n", file->migration.name.p,
			       clock_now_ms() - start_ms);
		written = ctl_flush(ctl);
	}
	return written;
}

static enum ctl_exit add_result_json(struct ctl *ctl, const struct work *work)
{
	struct json_tree tree = {0};
	struct json_object *root = json_tree_object(&tree, NULL, NULL);
	size_t version = work->first + (work->dry_run ? 0 : work->applied);

	json_tree_bool(&tree, root, "dry_run", work->dry_run);
	json_tree_int(&tree, root, "version", (int64_t)version);
	struct json_object *array = json_tree_array(&tree, root, work->dry_run ? "due" : "applied");
	for (size_t i = work->first; i < work->first + work->applied; i++)
		store_item_json(&store_migration_entity, &work->files.items[i].migration, &tree,
				json_tree_object(&tree, array, NULL));
	return ctl_add_tree(ctl, &tree);
}

static void add_result(struct buf *out, const struct work *work)
{
	if (work->applied == 0)
		buf_add_format(out, "nothing to apply: the schema is at version %zu\n",
			       work->first);
	for (size_t i = 0; i < work->applied && work->dry_run; i++)
		buf_add_format(out, "would apply %s\n",
			       work->files.items[work->first + i].migration.name.p);
}

static enum ctl_exit migrate(struct ctl *ctl, struct work *work)
{
	enum ctl_exit status = work->dry_run ? CTL_FINE : lock(ctl);

	if (status == CTL_FINE)
		status = plan(ctl, work);
	if (status != CTL_FINE)
		return status;
	if (work->dry_run)
		work->applied = work->files.count - work->first;
	else
		status = apply_all(ctl, work);
	/* After a failure too: what was applied before it stays. */
	if (ctl_has(ctl, CTL_JSON))
		(void)add_result_json(ctl, work);
	else if (status == CTL_FINE)
		add_result(&ctl->out, work);
	return status;
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
	return migrate(ctl, &work);
}

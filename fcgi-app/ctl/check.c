/*
 * ctl/check.c - sluicectl check. See ctl/ctl_internal.h.
 *
 * Collects findings about the connection, the configuration, the schema's version against the
 * files, and what store/check asks the database. A check that fails does not stop the others.
 */
#include "ctl/ctl_internal.h"

#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "config/config.h"
#include "server/verify.h"
#include "store/check.h"
#include "store/migration_file.h"

enum { FINDINGS_MAX = 64, FAULTS_BYTES_MAX = 64 << 10 };

struct findings {
	struct store_finding items[FINDINGS_MAX];
	size_t count;
};

__attribute__((format(printf, 5, 6))) static void add(struct ctl *ctl, struct findings *findings,
						      const char *check, enum store_verdict verdict,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	findings->items[findings->count++] =
		store_finding(check, verdict, slice_of(arena_vformat(&ctl->arena, format, args)));
	va_end(args);
}

/* ---- the checks ---- */

/* Its owner alone may read a file with a password, which is as it should be. */
static bool is_closed_to_us(const char *path)
{
	return path != NULL && access(path, R_OK) != 0 && errno == EACCES;
}

/* The faults as one text. */
static struct slice verify(struct ctl *ctl, const struct config *config,
			   const struct config_source *source)
{
	struct buf faults = buf_make(FAULTS_BYTES_MAX), text = buf_make(FAULTS_BYTES_MAX);

	(void)verify_config(config, source, &faults);
	for (size_t i = 0; i + 1 < faults.n; i++) {
		if (faults.p[i] == '\n')
			buf_add_text(&text, "; ");
		else
			buf_add_char(&text, faults.p[i]);
	}
	buf_free(&faults);
	return arena_move(&ctl->arena, &text);
}

static void check_configuration(struct ctl *ctl, struct findings *findings)
{
	struct config config;
	struct config_source source = {0};
	const char *message = NULL;
	enum status status =
		config_read(&ctl->arena, ctl->values[CTL_CONFIG], &config, &source, &message);

	if (status != STATUS_OK && is_closed_to_us(source.path)) {
		add(ctl, findings, "configuration", STORE_CHECK_OK,
		    "not looked at: this user may not read %s; sluice-intake --check as the workers' "
		    "user does",
		    source.path);
		return;
	}
	if (status != STATUS_OK) {
		add(ctl, findings, "configuration", STORE_CHECK_FAILED, "%s",
		    message == NULL ? status_name(status) : message);
		return;
	}
	struct slice faults = verify(ctl, &config, &source);
	if (faults.n > 0)
		add(ctl, findings, "configuration", STORE_CHECK_WARNING, "%s", faults.p);
	else
		add(ctl, findings, "configuration", STORE_CHECK_OK, "%s",
		    source.path == NULL ? "no file: defaults and environment" : source.path);
}

/* The schema's migrations could not be read. Returns whether they are there. */
static bool add_hidden(struct ctl *ctl, struct findings *findings)
{
	enum store_verdict verdict = STORE_CHECK_FAILED;
	struct slice detail = SLICE_ABSENT;

	if (store_check_error(&ctl->store, &verdict, &detail) != STATUS_OK)
		detail = SLICE("not checked");
	add(ctl, findings, "schema", verdict, "%s", detail.p);
	return verdict == STORE_CHECK_WARNING;
}

/* Compares the schema with the files. Returns whether there is a schema. */
static bool check_schema(struct ctl *ctl, struct findings *findings)
{
	bool exists = false;
	struct migration_files files;
	struct store_list applied = {0}, applied_files = {0};
	const char *message = NULL, *hint = NULL;
	size_t first = 0;
	enum status status = store_migration_list(&ctl->store, &exists, &applied, &applied_files);

	if (status != STATUS_OK)
		return add_hidden(ctl, findings);
	if (applied.count == 0) {
		add(ctl, findings, "schema", STORE_CHECK_FAILED, "%s",
		    exists ? "there are no migrations in it: restore the data of the dump, too"
			   : "there is none: run sluicectl migrate");
		return false;
	}
	status = migration_file_read_all(&ctl->arena, ctl_migrations(ctl), &files, &message);
	if (status == STATUS_OK)
		status =
			migration_file_plan(&ctl->arena, &files, &applied, &first, &message, &hint);
	if (status != STATUS_OK)
		add(ctl, findings, "schema", STORE_CHECK_FAILED, "version %zu: %s%s%s",
		    applied.count, message == NULL ? status_name(status) : message,
		    hint == NULL ? "" : ": ", hint == NULL ? "" : hint);
	else if (first < files.count)
		add(ctl, findings, "schema", STORE_CHECK_FAILED,
		    "version %zu of %zu: run sluicectl migrate", first, files.count);
	else if (migration_file_others_differ(&files, &applied_files))
		add(ctl, findings, "schema", STORE_CHECK_FAILED,
		    "version %zu, with functions or views of other files: run sluicectl migrate",
		    applied.count);
	else
		add(ctl, findings, "schema", STORE_CHECK_OK, "version %zu, as in the files",
		    applied.count);
	return true;
}

/* Runs the checks of store/check. Fails only without the database or memory. */
static enum ctl_exit check_database(struct ctl *ctl, struct findings *findings)
{
	bool schema = check_schema(ctl, findings), owners = true;

	for (size_t i = 0; i < store_check_count(); i++) {
		/* Functions that cannot do their work would say nothing new. */
		if ((store_check_needs_schema(i) && !schema) ||
		    (store_check_needs_owners(i) && !owners))
			continue;
		struct store_finding *finding = &findings->items[findings->count];
		enum status status = store_check(&ctl->store, i, finding);
		if (status != STATUS_OK)
			return ctl_fail_status(ctl, status);
		if (store_check_is_of_owners(i) && finding->verdict == STORE_CHECK_FAILED)
			owners = false;
		findings->count++;
	}
	return CTL_FINE;
}

/* ---- the report ---- */

static size_t count_of(const struct findings *findings, enum store_verdict verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++)
		count += findings->items[i].verdict == verdict;
	return count;
}

static enum ctl_exit add_report(struct ctl *ctl, struct findings *findings)
{
	const struct store_list list = {&store_finding_entity, findings->items, findings->count};
	size_t failed = count_of(findings, STORE_CHECK_FAILED);
	size_t warnings = count_of(findings, STORE_CHECK_WARNING);
	enum ctl_exit result = ctl_print_list(ctl, "findings", &list);

	if (result == CTL_FINE && !ctl_has(ctl, CTL_JSON))
		buf_add_format(&ctl->out, "\n%s: %zu failed, %zu warning%s\n",
			       failed == 0 ? "fit for use" : "not fit for use", failed, warnings,
			       warnings == 1 ? "" : "s");
	return result;
}

enum ctl_exit ctl_check(struct ctl *ctl)
{
	struct findings findings = {.count = 0};
	enum ctl_exit status = ctl_connect(ctl);

	if (status == CTL_FINE)
		add(ctl, &findings, "connection", STORE_CHECK_OK, "%.*s", (int)ctl->store.actor.n,
		    ctl->store.actor.p);
	else
		add(ctl, &findings, "connection", STORE_CHECK_FAILED, "%s",
		    ctl->db == NULL ? "out of memory" : pg_message(ctl->db));
	check_configuration(ctl, &findings);
	if (status == CTL_FINE)
		status = check_database(ctl, &findings);
	enum ctl_exit reported = add_report(ctl, &findings);
	if (status == CTL_FINE && count_of(&findings, STORE_CHECK_FAILED) > 0)
		return CTL_FAILED;
	return status != CTL_FINE ? status : reported;
}

/*
 * ctl/check.c - sluicectl check. See ctl/ctl.h.
 *
 * Collects findings: the connection, the configuration, the schema's version against the files,
 * and what store_check asks of the database. Each check goes on after another has failed.
 */
#include "ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>

#include "store/check.h"

enum { FINDINGS_MAX = 32, DETAIL_MAX_BYTES = 4096 };

struct findings {
	struct store_finding items[FINDINGS_MAX];
	size_t count;
};

__attribute__((format(printf, 5, 6))) static void add(struct ctl *ctl, struct findings *findings,
						      const char *check, enum store_verdict verdict,
						      const char *format, ...)
{
	char text[DETAIL_MAX_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	findings->items[findings->count++] = (struct store_finding){
		check, verdict, slice_of(arena_copy(&ctl->arena, slice_of(text)))};
}

/* ---- the checks ---- */

static void check_configuration(struct ctl *ctl, struct findings *findings)
{
	struct config config;
	struct config_source source = {0};
	const char *message = NULL;
	enum status status =
		config_read(&ctl->arena, ctl->values[CTL_CONFIG], &config, &source, &message);

	if (status != STATUS_OK)
		add(ctl, findings, "configuration", STORE_CHECK_FAILED, "%s",
		    message == NULL ? status_name(status) : message);
	else
		add(ctl, findings, "configuration", STORE_CHECK_OK, "%s",
		    source.path == NULL ? "no file: defaults and environment" : source.path);
}

/* Compares the schema with the files; returns whether there is a schema at all. */
static bool check_schema(struct ctl *ctl, struct findings *findings)
{
	struct migrate_files files;
	struct store_migrations applied = {NULL, 0};
	const char *message = NULL, *hint = NULL;
	size_t first = 0;
	enum status status = store_migration_list(&ctl->store, &applied);

	if (status != STATUS_OK) {
		add(ctl, findings, "schema", STORE_CHECK_FAILED, "%s", pg_message(ctl->db));
		return false;
	}
	if (applied.count == 0) {
		add(ctl, findings, "schema", STORE_CHECK_FAILED,
		    "there is none; run sluicectl migrate");
		return false;
	}
	status = migrate_read(&ctl->arena, ctl_migrations(ctl), &files, &message);
	if (status == STATUS_OK)
		status = migrate_plan(&ctl->arena, &files, &applied, &first, &message, &hint);
	if (status != STATUS_OK)
		add(ctl, findings, "schema", STORE_CHECK_FAILED, "version %zu; %s", applied.count,
		    message == NULL ? status_name(status) : message);
	else if (first < files.count)
		add(ctl, findings, "schema", STORE_CHECK_FAILED,
		    "version %zu of %zu; run sluicectl migrate", first, files.count);
	else
		add(ctl, findings, "schema", STORE_CHECK_OK, "version %zu, as the files",
		    applied.count);
	return true;
}

/* What the database is asked; returns CTL_UNREACHABLE when it is lost on the way. */
static enum ctl_exit check_database(struct ctl *ctl, struct findings *findings)
{
	bool schema = check_schema(ctl, findings);
	size_t count = store_check_count(schema);

	for (size_t i = 0; i < count; i++) {
		struct store_finding *finding = &findings->items[findings->count];
		enum status status = store_check(&ctl->store, i, finding);
		if (status != STATUS_OK)
			return ctl_fail_status(ctl, status);
		findings->count++;
	}
	return CTL_FINE;
}

/* ---- the report ---- */

static const char *const verdicts[] = {
	[STORE_CHECK_OK] = "ok",
	[STORE_CHECK_WARNING] = "warning",
	[STORE_CHECK_FAILED] = "failed",
};

static size_t count_of(const struct findings *findings, enum store_verdict verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++)
		count += findings->items[i].verdict == verdict;
	return count;
}

static void add_report_json(struct buf *out, const struct findings *findings)
{
	buf_add_char(out, '[');
	for (size_t i = 0; i < findings->count; i++) {
		json_write_comma(out);
		buf_add_char(out, '{');
		json_write_member(out, "check", slice_of(findings->items[i].check));
		json_write_member(out, "result", slice_of(verdicts[findings->items[i].verdict]));
		json_write_member(out, "detail", findings->items[i].detail);
		buf_add_char(out, '}');
	}
	buf_add_text(out, "]\n");
}

static void add_report(struct buf *out, const struct findings *findings)
{
	static const char *const heads[] = {"RESULT", "CHECK", "DETAIL"};
	struct slice cells[3 * FINDINGS_MAX];
	size_t failed = count_of(findings, STORE_CHECK_FAILED);
	size_t warnings = count_of(findings, STORE_CHECK_WARNING);

	for (size_t i = 0; i < findings->count; i++) {
		cells[3 * i] = slice_of(verdicts[findings->items[i].verdict]);
		cells[3 * i + 1] = slice_of(findings->items[i].check);
		cells[3 * i + 2] = findings->items[i].detail;
	}
	ctl_add_table(out, heads, 3, cells, findings->count);
	buf_add_format(out, "\n%s: %zu failed, %zu warning%s\n",
		       failed == 0 ? "fit for use" : "not fit for use", failed, warnings,
		       warnings == 1 ? "" : "s");
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
	if (ctl_has(ctl, CTL_JSON))
		add_report_json(&ctl->out, &findings);
	else
		add_report(&ctl->out, &findings);
	if (status == CTL_FINE && count_of(&findings, STORE_CHECK_FAILED) > 0)
		return CTL_FAILED;
	return status;
}

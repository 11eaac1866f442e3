/*
 * ctl/export.c - --format of sluicectl: all that is found, part by part. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <stdio.h>
#include <string.h>

#include "store/document.h"
#include "store/export.h"

enum { NEXT_BYTES = 4096 };

enum ctl_exit ctl_check_format(const struct ctl *ctl)
{
	if (ctl_has(ctl, CTL_FORMAT) && ctl_has(ctl, CTL_JSON))
		return ctl_fail(CTL_USAGE, NULL, "--format cannot be combined with --json");
	return ctl_check_limit(ctl);
}

enum ctl_exit ctl_ask_document(struct ctl *ctl, enum store_document document,
			       const struct store_question *question, struct slice *answer)
{
	ctl->store.deadline_ms = ctl_deadline();
	enum status status = store_document(&ctl->store, document, question, answer);

	if (status == STATUS_INVALID_VALUE && strcmp(pg_column(ctl->db), "until") == 0)
		return ctl_fail(CTL_USAGE, NULL, "--until must be later than --since");
	if (status == STATUS_INVALID_VALUE && strcmp(pg_column(ctl->db), "before") == 0)
		return ctl_fail(CTL_USAGE, NULL,
				"--before must be the \"next\" of an answer, not \"%s\"",
				ctl->values[CTL_BEFORE]);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

/* An export under way. */
struct export
{
	enum store_document document;
	const struct store_export *what;
	enum store_format format;
	int64_t left;	       /* rows */
	char next[NEXT_BYTES]; /* where to go on, or "" */
};

/* One part, printed at once. */
static enum ctl_exit export_part(struct ctl *ctl, struct arena *arena,
				 struct store_question *question, struct export *export)
{
	char limit[16];
	struct slice answer, text;
	size_t rows = 0;

	(void)snprintf(limit, sizeof(limit), "%d",
		       export->left < STORE_EXPORT_ROWS ? (int)export->left : STORE_EXPORT_ROWS);
	question->limit = slice_of(limit);
	enum ctl_exit result = ctl_ask_document(ctl, export->document, question, &answer);
	if (result != CTL_FINE)
		return result;
	enum status status =
		store_export_rows(export->what, arena, answer, export->format, &ctl->out, &rows);
	if (status == STATUS_OK)
		status = store_answer_text(arena, answer, "next", &text);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	(void)snprintf(export->next, NEXT_BYTES, "%s", text.p == NULL ? "" : text.p);
	export->left -= (int64_t)rows;
	return ctl_flush(ctl);
}

enum ctl_exit ctl_export(struct ctl *ctl, enum store_document document,
			 const struct store_export *what, struct store_question *question)
{
	struct arena arena = {0};
	struct export export = {.document = document, .what = what, .left = INT64_MAX};
	enum ctl_exit result;

	export.format =
		slice_equal(ctl_value(ctl, CTL_FORMAT), SLICE("csv")) ? STORE_CSV : STORE_NDJSON;
	if (!slice_to_int(ctl_value(ctl, CTL_LIMIT), &export.left))
		export.left = INT64_MAX;
	if (question->before.p == NULL)
		store_export_head(what, export.format, &ctl->out);
	question->whole = true;
	ctl->store.arena = &arena;
	do {
		result = export_part(ctl, &arena, question, &export);
		question->before = slice_of(export.next);
		arena_reset(&arena);
	} while (result == CTL_FINE && *export.next != '\0' && export.left > 0);
	ctl->store.arena = &ctl->arena;
	arena_free(&arena);
	return result;
}

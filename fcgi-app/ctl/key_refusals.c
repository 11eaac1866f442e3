/*
 * ctl/key_refusals.c - sluicectl key refusals. See ctl/ctl_internal.h.
 */
#include <stdio.h>

#include "ctl/ctl_internal.h"
#include "store/key_change.h"

enum { REASONS_MAX = 16 };
enum cell { LAST_AT, HTTP_STATUS, REASON, REQUESTS, TODAY, WHY, ADVICE, CELLS };

static void add_sentence(struct buf *out, struct slice sentence)
{
	buf_add_text(out, "  ");
	ctl_add_escaped(out, sentence);
	buf_add_char(out, '\n');
}

static void add_refusal(struct buf *out, const struct slice cells[CELLS])
{
	static const char *const behind[REQUESTS + 1] = {
		[LAST_AT] = "  ", [HTTP_STATUS] = " ", [REASON] = "  ", [REQUESTS] = " refused, "};

	for (size_t i = 0; i <= REQUESTS; i++) {
		ctl_add_escaped(out, cells[i]);
		buf_add_text(out, behind[i]);
	}
	ctl_add_escaped(out, cells[TODAY]);
	buf_add_text(out, " of them today\n");
	add_sentence(out, cells[WHY]);
	add_sentence(out, cells[ADVICE]);
}

static enum ctl_exit add_refusals(struct ctl *ctl, struct slice json)
{
	static const char *const members[CELLS] = {
		"last_at", "http_status", "reason", "requests", "requests_today", "why", "advice"};
	enum { COUNT = 1 + REASONS_MAX * CELLS };
	char(*paths)[CTL_PATH_BYTES] = arena_array(&ctl->arena, COUNT, sizeof(*paths));
	struct slice *cells = arena_array(&ctl->arena, COUNT, sizeof(*cells));
	struct buf *out = &ctl->out;

	if (paths == NULL || cells == NULL)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	(void)snprintf(paths[0], CTL_PATH_BYTES, "advice");
	for (size_t i = 0; i + 1 < COUNT; i++)
		(void)snprintf(paths[i + 1], CTL_PATH_BYTES, "refusals.%zu.%s", i / CELLS,
			       members[i % CELLS]);
	enum status status = ctl_find_cells(&ctl->arena, json, paths, COUNT, cells);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (cells[0].p != NULL) {
		ctl_add_escaped(out, cells[0]);
		buf_add_char(out, '\n');
	} else if (cells[1].p == NULL) {
		buf_add_text(out, "no request was refused\n");
	}
	for (size_t i = 1; i < COUNT && cells[i].p != NULL; i += CELLS)
		add_refusal(out, cells + i);
	return CTL_FINE;
}

enum ctl_exit ctl_key_refusals(struct ctl *ctl)
{
	struct store_key_ref ref = {0};
	struct slice json;
	enum ctl_exit result = ctl_read_id(ctl, "key", &ref.id);

	if (result != CTL_FINE)
		return result;
	enum status status = store_key_refusals(&ctl->store, &ref, &json);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (!ctl_has(ctl, CTL_JSON))
		return add_refusals(ctl, json);
	return ctl_add_document(ctl, json);
}

/*
 * ctl/archive.c - sluicectl maintain --archive. See ctl/ctl_internal.h.
 *
 * Hands each detached partition to a program and drops it when the program succeeds. The program
 * finds the database by libpq's environment, as this one does.
 */
#include "ctl/ctl_internal.h"

#include "base/clock.h"
#include "store/maintenance.h"

static const struct store_column columns[] = {
	STORE_COLUMN(struct ctl_archived, partition, .member = "partition", .heading = "PARTITION"),
	STORE_COLUMN(struct ctl_archived, result, .member = "result", .heading = "RESULT"),
	STORE_COLUMN(struct ctl_archived, message, .member = "message", .heading = "MESSAGE",
		     .whole = true),
};

const struct store_entity ctl_archived_entity = STORE_ENTITY(struct ctl_archived, columns);

static enum ctl_exit archive_one(struct ctl *ctl, const struct store_detached *part,
				 struct ctl_archived *archived)
{
	const struct slice words[] = {ctl_value(ctl, CTL_ARCHIVE), part->partition, part->table,
				      part->from, part->until};
	const char *failure = ctl_run_program(&ctl->arena, words, ARRAY_LENGTH(words));

	*archived =
		(struct ctl_archived){.partition = part->partition, .result = SLICE("archived")};
	if (failure == NULL) {
		ctl->store.deadline_ms = ctl_deadline();
		enum status status = store_maintenance_archived(&ctl->store, part->partition);
		if (status == STATUS_OK)
			return CTL_FINE;
		if (status == STATUS_NO_MEMORY || pg_state(ctl->db) != PG_READY)
			return ctl_fail_status(ctl, status);
		failure = arena_format(&ctl->arena, "could not drop it: %s", pg_message(ctl->db));
	}
	archived->result = SLICE("failed");
	archived->message = slice_of(failure);
	return ctl_fail(CTL_FAILED, NULL, "could not archive \"%s\": %s", part->partition.p,
			failure == NULL ? "out of memory" : failure);
}

enum ctl_exit ctl_archive(struct ctl *ctl, int64_t end_ms, struct store_list *archived)
{
	struct store_list parts = {0};
	enum ctl_exit exit = CTL_FINE;

	ctl->store.deadline_ms = ctl_deadline();
	enum status status = store_maintenance_detached(&ctl->store, &parts);
	struct ctl_archived *items =
		arena_array(&ctl->arena, parts.count, sizeof(struct ctl_archived));
	if (status == STATUS_OK && items == NULL && parts.count > 0)
		status = STATUS_NO_MEMORY;
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	*archived = (struct store_list){.entity = &ctl_archived_entity, .items = items};
	for (size_t i = 0; i < parts.count && clock_now_ms() < end_ms; i++) {
		const struct store_detached *part = parts.items;
		enum ctl_exit result = archive_one(ctl, &part[i], &items[i]);
		archived->count++;
		if (result != CTL_FINE)
			exit = result;
		if (pg_state(ctl->db) != PG_READY)
			break;
	}
	return exit;
}

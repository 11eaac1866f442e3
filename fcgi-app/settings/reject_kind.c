/*
 * settings/reject_kind.c - the open rejected payloads by kind, which is a reason and a key, and
 * replaying all of one. See settings/settings_internal.h.
 *
 * Each is replayed in a transaction of its own, as the tool does it: one that is still bad holds up
 * no other. A request takes as many as it has time for, and says where the next one is to go on.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "http/problem.h"
#include "intake/replay.h"
#include "settings/settings_internal.h"
#include "store/document.h"

enum { AT_MOST = 100, TIME_MS = 3000 };

struct run {
	struct settings *settings;
	struct store_key key;
	struct arena arena; /* of one entry */
	struct store store; /* with that arena */
	struct json_tree tree;
	struct json_object *failed;
	int64_t replayed, last; /* how many, and the id up to which all were tried */
	size_t tried;
};

enum status settings_reject_kinds(struct settings *settings)
{
	struct store_question question = {.organization = settings->organization};
	struct slice json;
	enum status status = settings_read_limit(settings, SETTINGS_LIMIT, &question.limit);

	if (status == STATUS_OK)
		status = settings_choice(settings, "before", &question.before);
	if (status != STATUS_OK)
		return status;
	status = store_settings_document(&settings->store, STORE_REJECT_KINDS, &question, &json);
	return status == STATUS_OK ? settings_answer_json(settings, STATUS_OK, json)
				   : settings_problem_store(settings, status);
}

/* ---- one ---- */

static void note_failed(struct run *run, int64_t id, const struct replay_fault *fault)
{
	struct json_object *entry = json_tree_object(&run->tree, run->failed, NULL);

	json_tree_int(&run->tree, entry, "id", id);
	json_tree_text(&run->tree, entry, "code", slice_of(problem_of(fault->status)->code));
	json_tree_text(&run->tree, entry, "detail", slice_of(fault->detail));
}

static enum status read_and_store(struct run *run, const struct store_rejected *entry,
				  const struct store_rejected_ref *ref, struct slice bytes)
{
	struct slice ids = SLICE_ABSENT;
	struct replay_fault fault;
	struct intake intake;
	enum status status = replay_read(&intake, run->settings->config, &run->arena, entry,
					 &run->key, bytes, &fault);

	if (status == STATUS_OK && entry->truncated)
		status = replay_in_part(&run->arena, entry, &fault);
	if (status == STATUS_OK && fault.status != STATUS_OK) {
		note_failed(run, entry->id, &fault);
	} else if (status == STATUS_OK) {
		const struct store_replay replay = {.commit = &intake.commit};
		status = store_rejected_replay(&run->store, ref, &replay, &ids);
		run->replayed += status == STATUS_OK;
	}
	intake_free(&intake);
	return status;
}

/* Somebody else may have replayed or discarded it meanwhile. */
static enum status replay_entry(struct run *run, const struct store_rejected *entry)
{
	const struct config *config = run->settings->config;
	const struct store_rejected_ref ref = {
		.id = entry->id, .of_user = true, .organization = run->settings->organization};
	struct slice bytes = SLICE_ABSENT;

	arena_reset(&run->arena);
	run->store.deadline_ms =
		clock_deadline_ms(config->database_timeout_ms, run->settings->deadline_ms);
	enum status status = store_rejected_bytes(&run->store, &ref, &bytes);
	if (status == STATUS_OK)
		status = read_and_store(run, entry, &ref, bytes);
	if (status == STATUS_WRONG_STATE || status == STATUS_NO_SUCH_ROW)
		status = STATUS_OK;
	if (status == STATUS_OK)
		run->last = entry->id;
	return status;
}

/* ---- all ---- */

static enum status replay_list(struct run *run, const struct store_list *list)
{
	const struct store_rejected *entries = list->items;
	int64_t end_ms = clock_now_ms() + TIME_MS;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && run->tried < list->count && clock_now_ms() < end_ms) {
		status = replay_entry(run, &entries[run->tried]);
		run->tried += status == STATUS_OK;
	}
	/* What was done is told; the next request meets the trouble again. */
	return run->tried > 0 ? STATUS_OK : status;
}

static enum status answer(struct run *run, const struct store_list *list)
{
	struct json_object *root = run->tree.root;
	struct slice none = SLICE_ABSENT;

	json_tree_int(&run->tree, root, "replayed", run->replayed);
	if (run->tried == list->count && list->count < AT_MOST)
		json_tree_json(&run->tree, root, "next", none);
	else
		json_tree_int(&run->tree, root, "next", run->last);
	return settings_answer(run->settings, STATUS_OK, &run->tree);
}

static enum status trouble(struct settings *settings, enum status status)
{
	if (status == STATUS_NO_SUCH_ROW)
		return settings_problem(settings, STATUS_NOT_FOUND,
					"The organization has no key with this id.");
	return settings_problem_store(settings, status);
}

/* Replays what is in the list, and answers. */
static enum status replay_all(struct settings *settings, const struct store_key *key,
			      const struct store_list *list)
{
	struct run run = {.settings = settings, .key = *key, .store = settings->store};
	struct json_object *root = json_tree_object(&run.tree, NULL, NULL);

	run.store.arena = &run.arena;
	run.failed = json_tree_array(&run.tree, root, "failed");
	enum status status = replay_list(&run, list);
	status = status == STATUS_OK ? answer(&run, list) : trouble(settings, status);
	json_tree_free(&run.tree);
	arena_free(&run.arena);
	return status;
}

enum { CODE, KEY_ID, UNTIL, AFTER, FIELDS };

static enum status read_kind(struct settings *settings, struct json_member fields[FIELDS],
			     struct store_rejected_kind *kind)
{
	enum status status = settings_body(settings, fields, FIELDS);

	kind->code = fields[CODE].text;
	if (status == STATUS_OK)
		status = settings_digits(settings, fields[KEY_ID].number, &kind->key_id);
	if (status == STATUS_OK)
		status = settings_digits(settings, fields[UNTIL].number, &kind->until);
	if (status == STATUS_OK)
		status = settings_digits(settings, fields[AFTER].number, &kind->after);
	return status == STATUS_OK ? settings_digits(settings, AT_MOST, &kind->limit) : status;
}

enum status settings_rejects_replay(struct settings *settings)
{
	struct json_member fields[FIELDS] = {
		[CODE] = {.name = "code", .type = JSON_MEMBER_TEXT, .required = true},
		[KEY_ID] = {.name = "key_id", .type = JSON_MEMBER_INT, .required = true},
		[UNTIL] = {.name = "until", .type = JSON_MEMBER_INT, .required = true},
		[AFTER] = {.name = "after", .type = JSON_MEMBER_INT},
	};
	struct store_rejected_kind kind = {0};
	struct store_list list = {0};
	struct store_key key = {0};
	enum status status = read_kind(settings, fields, &kind);

	if (status != STATUS_OK)
		return status;
	status = store_rejected_of_kind(&settings->store, settings->organization, &kind, &list);
	if (status == STATUS_OK && list.count > 0)
		status = store_settings_key(&settings->store, settings->organization,
					    fields[KEY_ID].number, &key);
	return status == STATUS_OK ? replay_all(settings, &key, &list) : trouble(settings, status);
}

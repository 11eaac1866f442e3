/*
 * settings/reject.c - one rejected payload: its bytes, trying, replaying and discarding them; and
 * replaying all of a kind. See settings/settings_internal.h.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "http/problem.h"
#include "intake/replay.h"
#include "settings/settings_internal.h"

enum { TEXT_BYTES_MAX = 64 << 20 };

/* What the requests about one payload work on. */
struct reject {
	struct store_rejected_ref ref;
	struct store_rejected entry;
	struct store_key key;
	struct slice bytes; /* to be replayed */
	bool edited;	    /* not those that are kept */
	struct intake intake;
	struct replay_fault fault;
};

static enum status problem(struct settings *settings, enum status status)
{
	if (status == STATUS_NO_SUCH_ROW)
		return settings_problem(
			settings, STATUS_NOT_FOUND,
			"The organization has no such rejected payload. It may be older than its retention.");
	return settings_problem_store(settings, status);
}

static enum status read_ref(struct settings *settings, struct store_rejected_ref *ref)
{
	*ref = (struct store_rejected_ref){.of_user = true, .organization = settings->organization};
	return settings_id(settings, &ref->id);
}

/* ---- looking ---- */

/* The bytes as text. *exact: it is all of them, so that the text can be sent back. */
static enum status read_text(struct settings *settings, struct slice bytes, struct slice *text,
			     bool *exact)
{
	struct buf repaired = buf_make(TEXT_BYTES_MAX);

	utf8_repair(&repaired, bytes);
	*exact = repaired.status == STATUS_OK && slice_equal(buf_slice(&repaired), bytes);
	*text = bytes.n == 0 ? SLICE("") : arena_move(&settings->arena, &repaired);
	return text->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status settings_reject(struct settings *settings)
{
	struct reject reject = {0};
	struct slice json = SLICE_ABSENT, bytes = SLICE_ABSENT, text = SLICE_ABSENT;
	struct json_tree tree = {0};
	bool exact = false;
	enum status status = read_ref(settings, &reject.ref);

	if (status != STATUS_OK)
		return status;
	status = store_rejected_json(&settings->store, &reject.ref, &json);
	if (status == STATUS_OK)
		status = store_rejected_show(&settings->store, &reject.ref, &reject.entry);
	if (status == STATUS_OK)
		status = store_rejected_bytes(&settings->store, &reject.ref, &bytes);
	if (status == STATUS_OK)
		status = read_text(settings, bytes, &text, &exact);
	if (status != STATUS_OK)
		return problem(settings, status);
	struct json_object *object = json_tree_object(&tree, NULL, NULL);
	json_tree_json(&tree, object, "reject", json);
	json_tree_text(&tree, object, "payload", text);
	json_tree_bool(&tree, object, "exact", exact);
	json_tree_bool(&tree, object, "whole", !reject.entry.truncated);
	return settings_answer(settings, STATUS_OK, &tree);
}

/* ---- reading ---- */

/* Loads an entry and its key, whose id is in the entry. */
static enum status load_key(struct settings *settings, struct reject *reject)
{
	enum status status = store_settings_key(&settings->store, settings->organization,
						reject->entry.key_id, &reject->key);

	return status == STATUS_NO_SUCH_ROW
		       ? settings_problem(settings, STATUS_WRONG_STATE,
					  "The key with which it came no longer exists.")
	       : status == STATUS_OK ? status
				     : settings_problem_store(settings, status);
}

/* payload absent: the bytes that are kept. */
static enum status load(struct settings *settings, struct reject *reject, struct slice payload)
{
	struct slice kept = SLICE_ABSENT;
	enum status status = store_rejected_show(&settings->store, &reject->ref, &reject->entry);

	if (status == STATUS_OK)
		status = store_rejected_bytes(&settings->store, &reject->ref, &kept);
	if (status != STATUS_OK)
		return problem(settings, status);
	reject->edited = payload.p != NULL && !slice_equal(payload, kept);
	reject->bytes = reject->edited ? payload : kept;
	return load_key(settings, reject);
}

/* Reads the bytes; intake_free() is to be called then. */
static enum status read_bytes(struct settings *settings, struct reject *reject, struct arena *arena)
{
	enum status status = replay_read(&reject->intake, settings->config, arena, &reject->entry,
					 &reject->key, reject->bytes, &reject->fault);

	if (status == STATUS_OK && reject->entry.truncated && !reject->edited)
		status = replay_in_part(arena, &reject->entry, &reject->fault);
	return status;
}

enum { PAYLOAD, AGAIN, FIELDS };

/* The request's body, and the payload that it is about. */
static enum status read_request(struct settings *settings, struct reject *reject,
				struct json_member fields[FIELDS], size_t count)
{
	fields[PAYLOAD] = (struct json_member){.name = "payload", .type = JSON_MEMBER_TEXT};
	fields[AGAIN] = (struct json_member){.name = "again", .type = JSON_MEMBER_BOOL};
	enum status status = read_ref(settings, &reject->ref);

	if (status == STATUS_OK)
		status = settings_body(settings, fields, count);
	return status == STATUS_OK ? load(settings, reject, fields[PAYLOAD].text) : status;
}

/* ---- trying ---- */

static enum status answer_trial(struct settings *settings, const struct reject *reject)
{
	struct store_rejected_reason reason = {0};
	const struct replay_fault *fault = &reject->fault;
	struct json_tree tree = {0};
	bool good = fault->status == STATUS_OK;

	if (fault->bad_byte >= 0) {
		enum status status = store_rejected_place(&settings->store, &reject->ref,
							  reject->bytes, fault->bad_byte, &reason);
		if (status != STATUS_OK)
			return settings_problem_store(settings, status);
	}
	struct json_object *object = json_tree_object(&tree, NULL, NULL);
	json_tree_bool(&tree, object, "good", good);
	json_tree_int(&tree, object, "items", good ? (int64_t)reject->intake.commit.item_count : 0);
	if (!good) {
		struct json_object *error = json_tree_object(&tree, object, "error");
		json_tree_text(&tree, error, "code", slice_of(problem_of(fault->status)->code));
		json_tree_text(&tree, error, "why", slice_of(problem_of(fault->status)->title));
		json_tree_text(&tree, error, "detail", slice_of(fault->detail));
		json_tree_json(&tree, error, "place", reason.place);
	}
	return settings_answer(settings, STATUS_OK, &tree);
}

/* What is good may be more than the organization has left of the month. */
static enum status try_to_store(struct settings *settings, struct reject *reject)
{
	if (reject->fault.status != STATUS_OK)
		return STATUS_OK;
	enum status status = store_rejected_try(&settings->store, &reject->ref, true, 0);

	if (status != STATUS_LIMIT_REACHED)
		return status;
	reject->fault = (struct replay_fault){
		.status = status, .detail = settings_detail(status), .bad_byte = -1};
	return STATUS_OK;
}

enum status settings_reject_try(struct settings *settings)
{
	struct json_member fields[FIELDS];
	struct reject reject = {0};
	enum status status = read_request(settings, &reject, fields, AGAIN);

	if (status != STATUS_OK)
		return status;
	status = read_bytes(settings, &reject, &settings->arena);
	if (status == STATUS_OK)
		status = try_to_store(settings, &reject);
	status = status == STATUS_OK ? answer_trial(settings, &reject) : problem(settings, status);
	intake_free(&reject.intake);
	return status;
}

/* ---- replaying one ---- */

static enum status store(const struct settings *settings, const struct reject *reject, bool again,
			 struct slice *ids)
{
	const struct store_replay replay = {
		.commit = &reject->intake.commit, .edited = reject->edited, .again = again};

	return store_rejected_replay(&settings->store, &reject->ref, &replay, ids);
}

static enum status answer_replayed(struct settings *settings, const struct reject *reject,
				   struct slice ids)
{
	struct json_tree tree = {0};
	struct json_object *object = json_tree_object(&tree, NULL, NULL);

	json_tree_int(&tree, object, "id", reject->ref.id);
	json_tree_json(&tree, object, "ids", ids);
	json_tree_bool(&tree, object, "edited", reject->edited);
	return settings_answer(settings, STATUS_OK, &tree);
}

static enum status still_bad(struct settings *settings, const struct replay_fault *fault)
{
	const char *detail = arena_format(&settings->arena, "is still bad: %s: %s",
					  problem_of(fault->status)->title, fault->detail);

	return detail == NULL ? settings_problem(settings, STATUS_NO_MEMORY, NULL)
			      : settings_invalid(settings, "payload", slice_of(detail));
}

enum status settings_reject_replay(struct settings *settings)
{
	struct json_member fields[FIELDS];
	struct slice ids = SLICE_ABSENT;
	struct reject reject = {0};
	enum status status = read_request(settings, &reject, fields, FIELDS);

	if (status != STATUS_OK)
		return status;
	status = read_bytes(settings, &reject, &settings->arena);
	if (status != STATUS_OK) {
		status = settings_problem(settings, status, NULL);
	} else if (reject.fault.status != STATUS_OK) {
		status = still_bad(settings, &reject.fault);
	} else {
		status = store(settings, &reject, fields[AGAIN].number != 0, &ids);
		status = status == STATUS_OK ? answer_replayed(settings, &reject, ids)
					     : problem(settings, status);
	}
	intake_free(&reject.intake);
	return status;
}

/* ---- discarding ---- */

enum status settings_reject_discard(struct settings *settings)
{
	struct store_rejected_ref ref;
	struct json_tree tree = {0};
	enum status status = read_ref(settings, &ref);

	if (status == STATUS_OK)
		status = settings_body(settings, NULL, 0);
	if (status != STATUS_OK)
		return status;
	status = store_rejected_discard(&settings->store, &ref);
	if (status != STATUS_OK)
		return problem(settings, status);
	json_tree_int(&tree, json_tree_object(&tree, NULL, NULL), "id", ref.id);
	return settings_answer(settings, STATUS_OK, &tree);
}

/*
 * ctl/replay.c - sluicectl rejected replay. See ctl/ctl_internal.h.
 *
 * The bytes are read by the workers' own code, of many one after the other. The sender is not
 * authenticated again: it was when the bytes were kept.
 */
#include "ctl/ctl_internal.h"

#include <inttypes.h>

#include "base/timestamp.h"
#include "config/config.h"
#include "http/problem.h"
#include "intake/intake.h"
#include "model/template_cache.h"
#include "store/key.h"
#include "store/rejected.h"

/* What stands for the presented key in kept bytes, and so for the key of a replay. */
static const char crossed_out_key[] = "sk_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
_Static_assert(sizeof(crossed_out_key) == CREDENTIAL_KEY_CHARS + 1, "as long as a key");

static enum ctl_exit read_config(struct ctl *ctl, struct config *config)
{
	const char *message = NULL;
	enum status status =
		config_read(&ctl->arena, ctl->values[CTL_CONFIG], config, NULL, &message);

	if (status == STATUS_MISCONFIGURED)
		return ctl_fail(CTL_FAILED, NULL, "%s", message);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

/* The endpoint and the form in which it arrived. */
static enum intake_kind kind_of(const struct store_key *key, const struct store_rejected *entry)
{
	if (slice_equal(key->endpoint_type, SLICE("product_orgs")))
		return INTAKE_PRODUCT_ORGS;
	return slice_equal(entry->kind, SLICE(REJECT_KIND_BATCH)) ||
			       slice_equal(entry->kind, SLICE(REJECT_KIND_LINES))
		       ? INTAKE_BATCH
		       : INTAKE_SINGLE;
}

/* Strict: either everything becomes rows, or nothing is stored. */
static void prepare(struct intake *intake, const struct store_rejected *entry)
{
	int64_t received_us;

	if (slice_equal(entry->kind, SLICE(REJECT_KIND_LINES)))
		intake->media = HTTP_MEDIA_NDJSON;
	intake->is_item = slice_equal(entry->kind, SLICE(REJECT_KIND_ITEM));
	intake->item_envelope = entry->envelope;
	intake->key = slice_of(crossed_out_key);
	intake->given_source = entry->source;
	if (!timestamp_read(entry->received_at, &received_us))
		received_us = intake->given.received_us;
	intake->given.received_us = received_us;
	intake->strict = true;
}

static enum ctl_exit fail_bad(const struct intake *intake, const struct store_rejected *entry)
{
	enum status why = intake->body_status;
	const char *detail = intake->detail == NULL ? problem_of(why)->detail : intake->detail;

	return ctl_fail(
		CTL_FAILED,
		"save the bytes with \"rejected show ID --raw\", repair them, and replay them with --file",
		"rejected payload %" PRId64 " is still bad: %s: %s", entry->id,
		problem_of(why)->code, detail);
}

/* What is left of it may be good by itself, but is not what was sent. */
static enum ctl_exit fail_truncated(const struct store_rejected *entry)
{
	return ctl_fail(
		CTL_FAILED,
		"replay the whole with --file, or what is kept as it is: \"rejected show ID "
		"--raw\" prints it",
		"only the first %" PRId64 " bytes of rejected payload %" PRId64 " are kept",
		entry->kept_bytes, entry->id);
}

static enum ctl_exit print_replayed(struct ctl *ctl, const struct store_rejected *entry,
				    const struct intake *intake, struct slice ids)
{
	struct buf *out = &ctl->out;

	if (ctl_has(ctl, CTL_JSON)) {
		struct json_tree tree = {0};
		struct json_object *root = json_tree_object(&tree, NULL, NULL);
		json_tree_int(&tree, root, "id", entry->id);
		json_tree_json(&tree, root, "ids", ids);
		return ctl_add_tree(ctl, &tree);
	}
	bool one = intake->commit.item_count == 1;
	buf_add_format(out, "rejected payload %" PRId64 ": stored %zu %s%s with %s ", entry->id,
		       intake->commit.item_count,
		       intake->product_orgs != NULL ? "product org update" : "signal",
		       one ? "" : "s", one ? "id" : "ids");
	buf_add(out, ids.p + 1, ids.n - 2); /* without the brackets */
	buf_add_char(out, '\n');
	return CTL_FINE;
}

/* Maps by the template that the key has now. */
static enum status map(struct intake *intake, const struct store_key *key)
{
	const struct template *template;
	enum status status = template_load(intake->arena, key->payload_template, &template);

	return status == STATUS_OK ? intake_map(intake, template) : status;
}

static enum ctl_exit replay(struct ctl *ctl, const struct store *store,
			    const struct store_rejected *entry, const struct store_key *key,
			    struct intake *intake, struct slice bytes)
{
	struct slice ids = SLICE_ABSENT;

	prepare(intake, entry);
	enum status status = intake_body(intake, bytes, SIZE_MAX);
	if (status == STATUS_OK && intake_wants_template(intake))
		status = map(intake, key);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (intake->body_status == STATUS_OK && intake->is_item && !intake->single)
		intake->body_status = STATUS_NOT_AN_OBJECT;
	if (intake->body_status != STATUS_OK)
		return fail_bad(intake, entry);
	status = store_rejected_replay(store, entry->id, ctl_has(ctl, CTL_AGAIN), &intake->commit,
				       &ids);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	return print_replayed(ctl, entry, intake, ids);
}

/* Replays an entry; bytes absent: those that were kept. What it takes of memory goes with it. */
static enum ctl_exit replay_entry(struct ctl *ctl, const struct config *config,
				  const struct store_rejected *entry, struct slice bytes)
{
	struct arena arena = {0};
	struct store store = ctl->store;
	struct store_key key = {0};
	struct intake intake;

	if (bytes.p == NULL && entry->truncated)
		return fail_truncated(entry);
	store.arena = &arena;
	store.deadline_ms = ctl_deadline();
	enum status status = store_key_show(&store, entry->key_id, &key);
	if (status == STATUS_OK && bytes.p == NULL)
		status = store_rejected_bytes(&store, entry->id, &bytes);
	enum ctl_exit result = CTL_FINE;
	if (status != STATUS_OK) {
		result = ctl_fail_status(ctl, status);
	} else {
		intake_init(&intake, config, &arena, NULL, kind_of(&key, entry));
		result = replay(ctl, &store, entry, &key, &intake, bytes);
		intake_free(&intake);
	}
	arena_free(&arena);
	return result;
}

static enum ctl_exit replay_one(struct ctl *ctl, const struct config *config)
{
	struct store_rejected entry = {0};
	struct slice bytes = SLICE_ABSENT;
	int64_t id;
	enum ctl_exit result = ctl_read_id(ctl, "rejected payload", &id);

	if (result == CTL_FINE && ctl_has(ctl, CTL_FILE))
		result = ctl_read_file(ctl, "file", ctl->values[CTL_FILE],
				       (size_t)config->batch_body_bytes, &bytes);
	if (result != CTL_FINE)
		return result;
	enum status status = store_rejected_show(&ctl->store, id, &entry);
	return status == STATUS_OK ? replay_entry(ctl, config, &entry, bytes)
				   : ctl_fail_status(ctl, status);
}

/* Each in a transaction of its own: one that is still bad holds up no other. */
static enum ctl_exit replay_many(struct ctl *ctl, const struct config *config)
{
	struct store_rejected_filter filter;
	struct store_list list = {0};
	size_t failed = 0;
	enum ctl_exit result = ctl_read_filter(ctl, &filter);

	if (result != CTL_FINE)
		return result;
	if (!ctl_has(ctl, CTL_AGAIN))
		filter.state = SLICE("open");
	enum status status = store_rejected_list(&ctl->store, &filter, &list);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	const struct store_rejected *entries = list.items;
	for (size_t i = 0; i < list.count; i++) {
		result = replay_entry(ctl, config, &entries[i], SLICE_ABSENT);
		if (result == CTL_FINE)
			result = ctl_flush(ctl);
		else if (result == CTL_FAILED)
			failed++;
		if (result != CTL_FINE && result != CTL_FAILED)
			return result;
	}
	if (failed > 0)
		return ctl_fail(CTL_FAILED, NULL, "%zu of %zu rejected payloads were not replayed",
				failed, list.count);
	if (list.count == 0 && !ctl_has(ctl, CTL_JSON))
		buf_add_text(&ctl->out, "there is nothing to replay\n");
	return CTL_FINE;
}

enum ctl_exit ctl_rejected_replay(struct ctl *ctl)
{
	bool chosen = ctl_has(ctl, CTL_KEY) || ctl_has(ctl, CTL_CODE) || ctl_has(ctl, CTL_SINCE) ||
		      ctl_has(ctl, CTL_ORGANIZATION);
	struct config config;

	if (chosen == (ctl->argument != NULL))
		return ctl_fail(CTL_USAGE, NULL,
				"\"rejected replay\" needs either an ID or some of --key, --code, "
				"--since and --organization");
	if (chosen && ctl_has(ctl, CTL_FILE))
		return ctl_fail(CTL_USAGE, NULL, "--file needs an ID");
	enum ctl_exit result = read_config(ctl, &config);
	if (result != CTL_FINE)
		return result;
	return chosen ? replay_many(ctl, &config) : replay_one(ctl, &config);
}

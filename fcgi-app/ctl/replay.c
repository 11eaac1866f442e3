/*
 * ctl/replay.c - sluicectl rejected replay. See ctl/ctl_internal.h.
 *
 * Of many, one after the other, once somebody at a terminal has seen what they are.
 */
#include "ctl/ctl_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "config/config.h"
#include "http/problem.h"
#include "intake/replay.h"

static enum ctl_exit read_config(struct ctl *ctl, struct config *config)
{
	const char *message = NULL;
	enum status status =
		config_read(&ctl->arena, ctl->values[CTL_CONFIG], config, NULL, &message);

	if (status == STATUS_MISCONFIGURED)
		return ctl_fail(CTL_FAILED, NULL, "%s", message);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

/* " (line 2, column 7)" in the arena; "" where no place is known. */
static const char *place_of(struct ctl *ctl, const struct store *store,
			    const struct store_rejected *entry, const struct replay_fault *fault,
			    struct slice bytes)
{
	const struct store_rejected_ref ref = {.id = entry->id};
	struct store_rejected_reason reason = {0};
	const char *text = NULL;

	if (fault->bad_byte >= 0 &&
	    store_rejected_place(store, &ref, bytes, fault->bad_byte, &reason) == STATUS_OK &&
	    reason.place.p != NULL)
		text = arena_format(&ctl->arena, " (line %" PRId64 ", column %" PRId64 ")",
				    reason.line, reason.column);
	return text == NULL ? "" : text;
}

static enum ctl_exit fail_bad(const struct store_rejected *entry, const struct replay_fault *fault,
			      const char *place)
{
	return ctl_fail(CTL_FAILED,
			"repair it with \"rejected replay ID --edit\", or save the bytes with "
			"\"rejected show ID --raw\", repair them, and replay them with --file",
			"rejected payload %" PRId64 " is still bad: %s: %s%s", entry->id,
			problem_of(fault->status)->code, fault->detail, place);
}

static enum ctl_exit fail_in_part(struct ctl *ctl, const struct store_rejected *entry)
{
	struct replay_fault fault;

	if (replay_in_part(&ctl->arena, entry, &fault) != STATUS_OK)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	return ctl_fail(
		CTL_FAILED,
		"replay the whole with --file, or what is kept as it is: \"rejected show ID "
		"--raw\" prints it",
		"%s", fault.detail);
}

/* ---- the limit of the month ---- */

/* How far an organization has come in a run. */
struct share {
	struct slice organization;
	int64_t items; /* that were stored, or would be */
	int64_t first; /* the payload at which its signals were used up; 0: none */
	size_t left;   /* how many payloads are left, with that one */
};

static bool is_used_up(const struct share *share)
{
	return share->left > 0;
}

/* One more payload is left, which is told when all are known. */
static enum ctl_exit leave(struct share *share, const struct store_rejected *entry)
{
	if (!is_used_up(share))
		share->first = entry->id;
	share->left++;
	return CTL_FAILED;
}

static void tell_what_is_left(const struct ctl *ctl, const struct share *share)
{
	bool dry_run = ctl_has(ctl, CTL_DRY_RUN);
	char others[64] = "";

	if (!is_used_up(share))
		return;
	if (share->left > 1)
		(void)snprintf(others, sizeof(others), " and %zu after it", share->left - 1);
	(void)ctl_fail(CTL_FAILED,
		       "have the limit raised or overages allowed, with \"organization limit\"",
		       "organization \"%.*s\" %s used up its signals of the month: "
		       "rejected payload %" PRId64 "%s %s",
		       (int)share->organization.n, share->organization.p,
		       dry_run && share->items > 0 ? "will have" : "has", share->first, others,
		       dry_run		 ? "would not be stored"
		       : share->left > 1 ? "were not replayed"
					 : "was not replayed");
}

/* ---- one ---- */

/* "rejected payload 7: stored 2 signals" */
static void add_told(struct buf *out, const struct store_rejected *entry,
		     const struct intake *intake, const char *verb)
{
	size_t count = intake->commit.item_count;

	buf_add_format(out, "rejected payload %" PRId64 ": %s %zu %s%s", entry->id, verb, count,
		       intake->product_orgs != NULL ? "product org update" : "signal",
		       count == 1 ? "" : "s");
}

static enum ctl_exit print_trial(struct ctl *ctl, const struct store_rejected *entry,
				 const struct intake *intake)
{
	if (ctl_has(ctl, CTL_JSON)) {
		struct json_tree tree = {0};
		struct json_object *root = json_tree_object(&tree, NULL, NULL);
		json_tree_int(&tree, root, "id", entry->id);
		json_tree_int(&tree, root, "items", (int64_t)intake->commit.item_count);
		return ctl_add_tree(ctl, &tree);
	}
	add_told(&ctl->out, entry, intake, "would store");
	buf_add_char(&ctl->out, '\n');
	return CTL_FINE;
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
	add_told(out, entry, intake, "stored");
	buf_add_text(out, intake->commit.item_count == 1 ? " with id " : " with ids ");
	buf_add(out, ids.p + 1, ids.n - 2); /* without the brackets */
	buf_add_char(out, '\n');
	return CTL_FINE;
}

/* What was read is stored, unless this is a trial. */
static enum status store_or_try(const struct ctl *ctl, const struct store *store,
				const struct store_rejected_ref *ref,
				const struct store_replay *replay, const struct share *share,
				struct slice *ids)
{
	return ctl_has(ctl, CTL_DRY_RUN)
		       ? store_rejected_try(store, ref, replay->again, share->items)
		       : store_rejected_replay(store, ref, replay, ids);
}

static enum ctl_exit replay(struct ctl *ctl, const struct config *config, const struct store *store,
			    const struct store_rejected *entry, const struct store_key *key,
			    struct slice bytes, bool edited, struct share *share)
{
	const struct store_rejected_ref ref = {.id = entry->id};
	struct slice ids = SLICE_ABSENT;
	struct replay_fault fault;
	struct intake intake;
	enum ctl_exit result;
	enum status status = replay_read(&intake, config, store->arena, entry, key, bytes, &fault);
	const struct store_replay replay = {
		.commit = &intake.commit, .edited = edited, .again = ctl_has(ctl, CTL_AGAIN)};

	if (status == STATUS_OK && fault.status == STATUS_OK)
		status = store_or_try(ctl, store, &ref, &replay, share, &ids);
	if (status == STATUS_LIMIT_REACHED) {
		result = leave(share, entry);
	} else if (status != STATUS_OK) {
		result = ctl_fail_status(ctl, status);
	} else if (fault.status != STATUS_OK) {
		result = fail_bad(entry, &fault, place_of(ctl, store, entry, &fault, bytes));
	} else {
		share->items += (int64_t)intake.commit.item_count;
		result = ctl_has(ctl, CTL_DRY_RUN) ? print_trial(ctl, entry, &intake)
						   : print_replayed(ctl, entry, &intake, ids);
	}
	intake_free(&intake);
	return result;
}

/* Replays an entry; bytes absent: those that were kept. What it takes of memory goes with it. */
static enum ctl_exit replay_entry(struct ctl *ctl, const struct config *config,
				  const struct store_rejected *entry, struct slice bytes,
				  struct share *share)
{
	const struct store_rejected_ref ref = {.id = entry->id};
	struct slice kept = SLICE_ABSENT;
	struct arena arena = {0};
	struct store store = ctl->store;
	struct store_key key = {0};

	if (bytes.p == NULL && entry->truncated)
		return fail_in_part(ctl, entry);
	store.arena = &arena;
	store.deadline_ms = ctl_deadline();
	enum status status = store_key_show(&store, entry->key_id, &key);
	if (status == STATUS_OK)
		status = store_rejected_bytes(&store, &ref, &kept);
	bool edited = bytes.p != NULL && !slice_equal(bytes, kept);
	enum ctl_exit result = status == STATUS_OK ? replay(ctl, config, &store, entry, &key,
							    edited ? bytes : kept, edited, share)
						   : ctl_fail_status(ctl, status);
	arena_free(&arena);
	return result;
}

static enum ctl_exit replay_alone(struct ctl *ctl, const struct config *config,
				  const struct store_rejected *entry, struct slice bytes)
{
	struct share share = {.organization = entry->organization};
	enum ctl_exit result = replay_entry(ctl, config, entry, bytes, &share);

	tell_what_is_left(ctl, &share);
	return result;
}

/* ---- with an editor ---- */

/* What was written stays in the file if it could not be stored. */
static enum ctl_exit replay_edited(struct ctl *ctl, const struct config *config,
				   const struct store_rejected *entry)
{
	const struct store_rejected_ref ref = {.id = entry->id};
	struct slice kept = SLICE_ABSENT, bytes = SLICE_ABSENT;
	const char *path;
	enum status status = store_rejected_bytes(&ctl->store, &ref, &kept);

	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	enum ctl_exit result = ctl_edit(ctl, kept, &path);
	if (result != CTL_FINE)
		return result;
	result = ctl_read_file(ctl, "file", path, (size_t)config->batch_body_bytes, &bytes);
	if (result == CTL_FINE && slice_equal(bytes, kept)) {
		(void)unlink(path);
		return ctl_fail(CTL_FAILED, NULL, "nothing was changed, and nothing is replayed");
	}
	if (result == CTL_FINE)
		result = replay_alone(ctl, config, entry, bytes);
	if (result == CTL_FINE)
		(void)unlink(path);
	else
		ctl_warn("what you wrote is kept: correct it, and run \"rejected replay %" PRId64
			 " --file %s\"",
			 entry->id, path);
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
	enum status status =
		store_rejected_show(&ctl->store, &(struct store_rejected_ref){.id = id}, &entry);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	return ctl_has(ctl, CTL_EDIT) ? replay_edited(ctl, config, &entry)
				      : replay_alone(ctl, config, &entry, bytes);
}

/* ---- many ---- */

/* Those of one reason and key, as of rejected kinds. */
struct kind {
	const struct store_rejected *first;
	size_t count;
};

/* Counts the entries by kind; returns how many kinds there are. */
static size_t count_kinds(const struct store_list *list, struct kind *kinds)
{
	const struct store_rejected *entries = list->items;
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		size_t at = 0;
		while (at < count && (kinds[at].first->key_id != entries[i].key_id ||
				      !slice_equal(kinds[at].first->code, entries[i].code)))
			at++;
		if (at == count)
			kinds[count++] = (struct kind){.first = &entries[i]};
		kinds[at].count++;
	}
	return count;
}

static enum ctl_exit add_kinds(struct ctl *ctl, const struct store_list *list)
{
	static const char *const headings[] = {"PAYLOADS", "CODE", "KEY", "ORGANIZATION"};
	enum { COLUMNS = ARRAY_LENGTH(headings) };
	struct kind *kinds = arena_array(&ctl->arena, list->count, sizeof(*kinds));
	size_t count = kinds == NULL ? 0 : count_kinds(list, kinds);
	struct slice *cells = arena_array(&ctl->arena, count * COLUMNS, sizeof(*cells));

	if (kinds == NULL || cells == NULL)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	for (size_t i = 0; i < count; i++) {
		const struct store_rejected *first = kinds[i].first;
		struct slice *row = cells + i * COLUMNS;
		row[0] = arena_int(&ctl->arena, (int64_t)kinds[i].count);
		row[1] = first->code;
		row[2] = arena_int(&ctl->arena, first->key_id);
		row[3] = first->organization;
		if (row[0].p == NULL || row[2].p == NULL)
			return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	}
	const struct ctl_table table = {headings, COLUMNS, cells, count, .wraps = true};
	ctl_add_table(&ctl->out, &ctl->screen, &table);
	return CTL_FINE;
}

/* Shows what would be replayed, and asks. Without a person to ask, it is agreed. */
static enum ctl_exit agree(struct ctl *ctl, const struct store_list *list, bool *agreed)
{
	char question[64];

	*agreed = list->count == 0 || ctl_has(ctl, CTL_YES) || ctl_has(ctl, CTL_DRY_RUN) ||
		  !ctl_may_ask(ctl);
	if (*agreed)
		return CTL_FINE;
	enum ctl_exit result = add_kinds(ctl, list);
	(void)snprintf(question, sizeof(question), "\nReplay %zu rejected payload%s", list->count,
		       list->count == 1 ? "" : "s");
	if (result == CTL_FINE)
		result = ctl_agree(ctl, question, "no", agreed);
	if (result == CTL_FINE && !*agreed)
		buf_add_text(&ctl->out, "nothing is replayed\n");
	return result;
}

/* The shares of a run, one for each organization. */
struct shares {
	struct share *all; /* room for as many as there are payloads */
	size_t count;
};

static struct share *share_of(struct shares *shares, struct slice organization)
{
	size_t at = 0;

	while (at < shares->count && !slice_equal(shares->all[at].organization, organization))
		at++;
	if (at == shares->count)
		shares->all[shares->count++] = (struct share){.organization = organization};
	return &shares->all[at];
}

/* A trial goes on where nothing more would be stored: what is bad is told. */
static enum ctl_exit replay_next(struct ctl *ctl, const struct config *config,
				 const struct store_rejected *entry, struct share *share)
{
	return is_used_up(share) && !ctl_has(ctl, CTL_DRY_RUN)
		       ? leave(share, entry)
		       : replay_entry(ctl, config, entry, SLICE_ABSENT, share);
}

/* Each in a transaction of its own: one that is still bad holds up no other. */
static enum ctl_exit replay_list(struct ctl *ctl, const struct config *config,
				 const struct store_list *list, struct shares *shares,
				 size_t *failed)
{
	const struct store_rejected *entries = list->items;
	enum ctl_exit result = CTL_FINE;

	for (size_t i = 0; i < list->count && result == CTL_FINE; i++) {
		struct share *share = share_of(shares, entries[i].organization);
		result = replay_next(ctl, config, &entries[i], share);
		if (result == CTL_FINE) {
			result = ctl_flush(ctl);
		} else if (result == CTL_FAILED) {
			++*failed;
			result = CTL_FINE;
		}
	}
	for (size_t i = 0; i < shares->count; i++)
		tell_what_is_left(ctl, &shares->all[i]);
	return result;
}

static enum ctl_exit replay_all(struct ctl *ctl, const struct config *config,
				const struct store_list *list)
{
	struct shares shares = {.all = arena_array(&ctl->arena, list->count, sizeof(*shares.all))};
	size_t failed = 0;

	if (shares.all == NULL)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	enum ctl_exit result = replay_list(ctl, config, list, &shares, &failed);
	if (result == CTL_FINE && failed > 0)
		return ctl_fail(
			CTL_FAILED, NULL, "%zu of %zu rejected payloads %s", failed, list->count,
			ctl_has(ctl, CTL_DRY_RUN) ? "would not be stored" : "were not replayed");
	if (list->count == 0 && !ctl_has(ctl, CTL_JSON))
		buf_add_text(&ctl->out, "there is nothing to replay\n");
	return result;
}

static enum ctl_exit replay_many(struct ctl *ctl, const struct config *config)
{
	struct store_rejected_filter filter;
	struct store_list list = {0};
	bool agreed = false;
	enum ctl_exit result = ctl_read_filter(ctl, &filter);

	if (result != CTL_FINE)
		return result;
	if (!ctl_has(ctl, CTL_AGAIN))
		filter.state = SLICE("open");
	enum status status = store_rejected_list(&ctl->store, &filter, &list);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	result = agree(ctl, &list, &agreed);
	return result == CTL_FINE && agreed ? replay_all(ctl, config, &list) : result;
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
	if (chosen && (ctl_has(ctl, CTL_FILE) || ctl_has(ctl, CTL_EDIT)))
		return ctl_fail(CTL_USAGE, NULL, "%s needs an ID",
				ctl_has(ctl, CTL_FILE) ? "--file" : "--edit");
	if (ctl_has(ctl, CTL_FILE) && ctl_has(ctl, CTL_EDIT))
		return ctl_fail(CTL_USAGE, NULL, "--edit cannot be combined with --file");
	if (ctl_has(ctl, CTL_EDIT) && ctl_has(ctl, CTL_DRY_RUN))
		return ctl_fail(CTL_USAGE, NULL, "--edit cannot be combined with --dry-run");
	enum ctl_exit result = read_config(ctl, &config);
	if (result != CTL_FINE)
		return result;
	return chosen ? replay_many(ctl, &config) : replay_one(ctl, &config);
}

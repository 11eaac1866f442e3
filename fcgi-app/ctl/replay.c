/*
 * ctl/replay.c - sluicectl rejected replay: kept or repaired bytes through the intake's own body
 * reader, and its signals into the database. See ctl/ctl.h.
 *
 * Nothing is read in another way than a worker reads it; only who may send is not asked again,
 * because that was settled when the bytes were taken.
 */
#include "ctl/ctl.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "http/problem.h"
#include "intake/intake.h"
#include "model/template_cache.h"

/* The presented key, as it stands in kept bytes: its members are to go as the key itself would. */
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

static enum ctl_exit read_file(struct ctl *ctl, const struct config *config, struct slice *bytes)
{
	const char *path = ctl->values[CTL_FILE];
	const char *message = NULL;
	enum status status =
		file_read(&ctl->arena, path, (size_t)config->batch_body_bytes, bytes, &message);

	if (status == STATUS_MISCONFIGURED)
		return ctl_fail(CTL_FAILED, NULL, "could not read the file \"%s\": %s", path,
				message);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

/* As it came: to which endpoint, by its key, and in which shape. */
static enum intake_kind kind_of(const struct store_key *key, const struct store_rejected *entry)
{
	if (slice_equal(key->endpoint_type, SLICE("product_orgs")))
		return INTAKE_PRODUCT_ORGS;
	return slice_equal(entry->kind, SLICE(REJECT_KIND_BATCH)) ||
			       slice_equal(entry->kind, SLICE(REJECT_KIND_LINES))
		       ? INTAKE_BATCH
		       : INTAKE_SINGLE;
}

/* Strictly: all of it becomes rows, or nothing is stored. */
static void prepare(struct intake *intake, const struct store_rejected *entry)
{
	if (slice_equal(entry->kind, SLICE(REJECT_KIND_LINES)))
		intake->media = HTTP_MEDIA_NDJSON;
	intake->key = slice_of(crossed_out_key);
	intake->given_source = entry->source;
	intake->strict = true;
}

static enum ctl_exit refuse(const struct intake *intake, const struct store_rejected *entry)
{
	enum status why = intake->body_status;
	const char *detail = intake->detail == NULL ? problem_of(why)->detail : intake->detail;

	return ctl_fail(CTL_FAILED,
			"save the bytes with \"rejected show ID --raw\", repair them, and replay "
			"them with --file",
			"rejected payload %" PRId64 " is still bad: %s: %s", entry->id,
			problem_of(why)->code, detail);
}

static enum ctl_exit print_replayed(struct ctl *ctl, const struct store_rejected *entry,
				    const struct intake *intake, struct slice ids)
{
	struct buf *out = &ctl->out;

	if (ctl_has(ctl, CTL_JSON)) {
		buf_add_char(out, '{');
		json_write_member_int(out, "id", entry->id);
		json_write_member_json(out, "ids", ids);
		buf_add_text(out, "}\n");
		return CTL_FINE;
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

/* The same template as when it came: it never changes. */
static enum status map(struct ctl *ctl, struct intake *intake, const struct store_key *key)
{
	const struct template *template;
	enum status status = template_load(&ctl->arena, key->payload_template, &template);

	return status == STATUS_OK ? intake_map(intake, template) : status;
}

static enum ctl_exit replay(struct ctl *ctl, const struct store_rejected *entry,
			    const struct store_key *key, struct intake *intake, struct slice bytes)
{
	struct slice ids = SLICE_ABSENT;
	bool item = slice_equal(entry->kind, SLICE(REJECT_KIND_ITEM));

	prepare(intake, entry);
	enum status status = intake_body(intake, bytes, SIZE_MAX);
	if (status == STATUS_OK && intake_wants_template(intake))
		status = map(ctl, intake, key);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (intake->body_status == STATUS_OK && item && !intake->single)
		intake->body_status = STATUS_NOT_AN_OBJECT;
	if (intake->body_status != STATUS_OK)
		return refuse(intake, entry);
	status = store_rejected_replay(&ctl->store, entry->id, ctl_has(ctl, CTL_AGAIN),
				       &intake->commit, &ids);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	return print_replayed(ctl, entry, intake, ids);
}

enum ctl_exit ctl_rejected_replay(struct ctl *ctl)
{
	struct config config;
	struct store_rejected entry = {0};
	struct store_key key = {0};
	struct slice bytes = SLICE_ABSENT;
	int64_t id;
	enum ctl_exit result = ctl_read_id(ctl, "rejected payload", &id);

	if (result == CTL_FINE)
		result = read_config(ctl, &config);
	if (result == CTL_FINE && ctl_has(ctl, CTL_FILE))
		result = read_file(ctl, &config, &bytes);
	if (result != CTL_FINE)
		return result;
	enum status status = store_rejected_show(&ctl->store, id, &entry);
	if (status == STATUS_OK)
		status = store_key_show(&ctl->store, entry.key_id, &key);
	if (status == STATUS_OK && !ctl_has(ctl, CTL_FILE))
		status = store_rejected_bytes(&ctl->store, id, &bytes);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	struct intake intake;
	intake_init(&intake, &config, &ctl->arena, NULL, kind_of(&key, &entry));
	result = replay(ctl, &entry, &key, &intake, bytes);
	intake_free(&intake);
	return result;
}

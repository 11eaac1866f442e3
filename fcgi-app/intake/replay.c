/*
 * intake/replay.c - see intake/replay.h.
 */
#include "intake/replay.h"

#include <inttypes.h>

#include "base/timestamp.h"
#include "http/problem.h"
#include "model/template_cache.h"

/* What stands for the presented key in kept bytes, and so for the key of a replay. */
static const char crossed_out_key[] = "sk_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
_Static_assert(sizeof(crossed_out_key) == CREDENTIAL_KEY_CHARS + 1, "as long as a key");

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

/* Maps by the template that the key has now. */
static enum status map(struct intake *intake, const struct store_key *key)
{
	const struct template *template;
	enum status status = template_load(intake->arena, key->payload_template, &template);

	return status == STATUS_OK ? intake_map(intake, template) : status;
}

/* What is missing is at no place. */
static int64_t place_of(const struct intake *intake)
{
	const struct intake_error *error = intake->errors;

	if (error == NULL || intake->unreadable)
		return intake->bad_byte;
	return error->status == STATUS_MISSING_PRODUCT_ORG_ID ? -1 : (int64_t)error->offset;
}

static void judge(struct intake *intake, struct replay_fault *fault)
{
	if (intake->body_status == STATUS_OK && intake->is_item && !intake->single)
		intake->body_status = STATUS_NOT_AN_OBJECT;
	*fault = (struct replay_fault){.status = intake->body_status, .bad_byte = -1};
	if (fault->status == STATUS_OK)
		return;
	fault->detail = intake->detail == NULL ? problem_of(fault->status)->detail : intake->detail;
	fault->bad_byte = place_of(intake);
}

enum status replay_read(struct intake *intake, const struct config *config, struct arena *arena,
			const struct store_rejected *entry, const struct store_key *key,
			struct slice bytes, struct replay_fault *fault)
{
	intake_init(intake, config, arena, NULL, kind_of(key, entry));
	prepare(intake, entry);
	enum status status = intake_body(intake, bytes, SIZE_MAX);
	if (status == STATUS_OK && intake_wants_template(intake))
		status = map(intake, key);
	if (status == STATUS_OK)
		judge(intake, fault);
	return status;
}

enum status replay_in_part(struct arena *arena, const struct store_rejected *entry,
			   struct replay_fault *fault)
{
	*fault = (struct replay_fault){
		.status = STATUS_TOO_LARGE,
		.detail = arena_format(arena,
				       "only the first %" PRId64
				       " bytes of rejected payload %" PRId64 " are kept",
				       entry->kept_bytes, entry->id),
		.bad_byte = -1,
	};
	return fault->detail == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

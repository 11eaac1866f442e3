/*
 * intake/intake_internal.h - shared by the modules of intake: bad items, rejects, judging a body.
 */
#ifndef INTAKE_INTAKE_INTERNAL_H
#define INTAKE_INTAKE_INTERNAL_H

#include "intake/intake.h"

/* How many bad items of a bulk import are kept for its answer, which lists no more. */
enum { INTAKE_BULK_ERRORS = 100 };

/* True on paths where an object is one item and an array is a batch. */
static inline bool intake_is_one_or_many(const struct intake *intake)
{
	return intake->kind == INTAKE_SINGLE || intake->kind == INTAKE_PRODUCT_ORGS;
}

/* A bad item of the reader; its text lives no longer than the item's. */
struct intake_error intake_error_of(const struct json_item *item);

/* Appends a copy of a bad item to intake->errors, for the answer. STATUS_OK or STATUS_NO_MEMORY. */
enum status intake_add_error(struct intake *intake, const struct intake_error *error) MUST_CHECK;

/* Replaces a text by a copy in the arena in which the presented key is crossed out, if it is there;
 * *found says so, unless NULL. STATUS_OK or STATUS_NO_MEMORY. */
enum status intake_cross_out(const struct intake *intake, struct arena *arena, struct slice *text,
			     bool *found) MUST_CHECK;

/* Makes a reject of a bad item, with error->text. STATUS_OK or STATUS_NO_MEMORY. */
enum status intake_make_reject(const struct intake *intake, struct arena *arena,
			       const struct intake_error *error,
			       struct commit_reject *reject) MUST_CHECK;

/*
 * After the body was judged: its bad items, or an unreadable body, become rejects of
 * intake->commit, which are stored only if the sender is authenticated. Nothing of a strict request
 * is kept, nor of an empty body. received is the body before decompression, intake->plain after it;
 * complete says that both are the whole. STATUS_OK or STATUS_NO_MEMORY.
 */
enum status intake_keep(struct intake *intake, struct slice received, bool complete) MUST_CHECK;

/* As JSON_REASON_FORMAT, in the arena; NULL when there is no memory. */
const char *intake_detail_at(struct arena *arena, const char *reason, uint64_t offset);

/* How the items of a body are delimited, by path and label. */
enum json_form intake_form(const struct intake *intake);

/*
 * Before items are read: what stood beside their array, as far as the reader has come, goes to
 * commit->envelope and is the default for their columns. All in the arena. STATUS_OK or
 * STATUS_NO_MEMORY.
 */
enum status intake_read_envelope(struct intake *intake, struct arena *arena,
				 const struct json_reader *reader,
				 struct commit_request *commit) MUST_CHECK;

/* True if a body whose first line is an object may be NDJSON: application/json says that it is one
 * JSON text. */
bool intake_may_be_lines(const struct intake *intake);

/* Makes the JSON text that a form stands for, by its label, in the arena: an object of its fields,
 * or what a single field holds. As http_form_read(), http_multipart_read(). */
enum status intake_read_form(struct intake *intake, struct slice body, struct slice *text,
			     const char **reason) MUST_CHECK;

/* True if an item, before which so many of the request's came, is stored with the envelope. All are
 * unless that makes more bytes than a body may have: then the first ones are. */
bool intake_has_room_for_envelope(struct intake *intake, const struct commit_request *commit,
				  size_t items_before);

/* Reads a good item into a signal, in the given arena. As signal_read(). */
enum status intake_read_item(const struct intake *intake, struct arena *arena,
			     const struct intake_item *item, struct signal *signal) MUST_CHECK;

/* Makes signals of all good items. As signal_read(). */
enum status intake_read_signals(struct intake *intake) MUST_CHECK;

/* Sets body_status after the reading has ended with status; intake->plain has the beginning of the
 * body at least. reader is NULL if nothing came to it. */
void intake_judge(struct intake *intake, const struct json_reader *reader, enum status status);

/* The same for a readable body, by its good and bad items. */
void intake_judge_items(struct intake *intake);

#endif

/*
 * intake/bulk.c - a body of any size into one transaction, in constant memory. See intake/intake.h.
 *
 * Bytes go through decoder and reader into a chunk of signals and rejects; a full chunk is one call
 * of the intake function inside the transaction. The next one is read while PostgreSQL works on it;
 * its result is awaited before another is sent and before the body is judged. Unless the whole body
 * could be read, nothing of it stays but its first bytes, as many as a single request may have: a
 * reject, in a transaction of its own after the rollback.
 */
#include "intake/intake_internal.h"

#include "base/clock.h"
#include "commit/bulk.h"
#include "commit/outcome.h"
#include "commit/statement.h"
#include "json/lines.h"
#include "key/cross_out.h"

enum {
	CHUNK_ITEMS = 2000,
	CHUNK_BYTES = 1 << 20,
	READ_BYTES = 64 << 10,
	PLAIN_BYTES = 64 << 10 /* of a piece of decoded bytes, at most */
};

struct chunk {
	struct commit_request commit;
	size_t bytes;
};

struct bulk {
	struct intake *intake;
	struct pg_connection *db;
	int64_t deadline_ms;
	struct json_reader *reader; /* NULL until the first bytes tell the form of the body */
	char *window;		    /* a piece behind what may be the beginning of the key */
	size_t held;		    /* bytes of that */
	struct arena arena;	    /* of the chunk */
	struct chunk chunk;	    /* being filled */
	struct signal *signals;
	struct commit_reject *rejects;
	struct chunk sent; /* the last one, whose texts are gone */
	struct commit_statement *statement;
	struct commit_list awaited; /* that one until its result is here, else empty */
	int64_t awaited_deadline_ms;
	bool any_items;		/* were sent */
	uint64_t duplicates;	/* among them */
	bool complete;		/* intake->received is the whole body */
	enum status unreadable; /* why no more of the body is read, but for its beginning */
	enum status failure;	/* the first: our own trouble, or the sender was refused */
};

static int64_t statement_deadline_ms(const struct bulk *bulk)
{
	return clock_deadline_ms(bulk->intake->config->database_timeout_ms, bulk->deadline_ms);
}

static enum status command(struct bulk *bulk, const char *sql)
{
	struct pg_statement statement = PG_COMMAND(sql);

	return pg_run(bulk->db, &statement, NULL, NULL, statement_deadline_ms(bulk));
}

/* Adds up the results of the chunk that was sent. */
static void count_stored(struct bulk *bulk)
{
	bulk->any_items |= bulk->sent.commit.item_count > 0;
	for (size_t i = 0; i < bulk->sent.commit.item_count; i++)
		bulk->duplicates += bulk->sent.commit.results[i].repeated ? 1 : 0;
}

/* Waits for the result of the chunk that was sent, if any. Keeps the first failure. */
static enum status await_chunk(struct bulk *bulk)
{
	/* Not stored: the transaction will not be committed. */
	struct refusal_tally refusals = REFUSAL_TALLY_EMPTY;

	if (bulk->awaited.first == NULL)
		return bulk->failure;
	bulk->failure = commit_outcome_await(bulk->db, &bulk->awaited, &refusals,
					     bulk->awaited_deadline_ms);
	bulk->awaited = COMMIT_LIST_EMPTY;
	if (bulk->failure == STATUS_OK && bulk->sent.commit.out.status != STATUS_ACCEPTED)
		bulk->failure = bulk->sent.commit.out.status;
	if (bulk->failure == STATUS_OK)
		count_stored(bulk);
	return bulk->failure;
}

/* Sends the chunk, an empty one only to authenticate, and begins the next one. */
static enum status send_chunk(struct bulk *bulk)
{
	bulk->sent = bulk->chunk;
	bulk->awaited_deadline_ms = statement_deadline_ms(bulk);
	commit_list_append(&bulk->awaited, &bulk->sent.commit);
	bulk->failure =
		commit_statement_send(bulk->statement, bulk->db, &bulk->awaited, NULL, false, true);
	if (bulk->failure == STATUS_OK)
		bulk->failure = pg_flush(bulk->db, bulk->awaited_deadline_ms);
	if (bulk->failure != STATUS_OK)
		bulk->awaited = COMMIT_LIST_EMPTY;
	arena_reset(&bulk->arena);
	bulk->chunk.commit.item_count = 0;
	bulk->chunk.commit.envelope = SLICE_ABSENT;
	bulk->chunk.commit.reject_count = 0;
	bulk->chunk.bytes = 0;
	return bulk->failure;
}

static size_t chunk_rows(const struct bulk *bulk)
{
	return bulk->chunk.commit.item_count + bulk->chunk.commit.reject_count;
}

/* After an item was added: a full chunk is sent. */
static enum status fill_chunk(struct bulk *bulk, size_t bytes)
{
	bulk->chunk.bytes += bytes;
	if (chunk_rows(bulk) < CHUNK_ITEMS && bulk->chunk.bytes < CHUNK_BYTES)
		return STATUS_OK;
	enum status status = await_chunk(bulk);
	return status == STATUS_OK ? send_chunk(bulk) : status;
}

/* Once for a chunk, before its first row. */
static enum status read_envelope(struct bulk *bulk)
{
	if (chunk_rows(bulk) > 0)
		return STATUS_OK;
	return intake_read_envelope(bulk->intake, &bulk->arena, bulk->reader, &bulk->chunk.commit);
}

/* The chunk keeps a copy, because the item's bytes are gone when more is read. */
static enum status take_bad_item(struct bulk *bulk, const struct json_item *item)
{
	struct intake *intake = bulk->intake;
	struct intake_error error = intake_error_of(item);
	struct commit_request *commit = &bulk->chunk.commit;
	enum status status = STATUS_OK;

	error.text = SLICE_ABSENT;
	if (intake->rejected++ < INTAKE_BULK_ERRORS)
		status = intake_add_error(intake, &error);
	if (status != STATUS_OK || intake->strict)
		return status;
	error.text = (struct slice){arena_copy(&bulk->arena, item->text), item->text.n};
	if (error.text.p == NULL)
		return STATUS_NO_MEMORY;
	struct commit_reject *reject = &bulk->rejects[commit->reject_count];
	status = read_envelope(bulk);
	if (status == STATUS_OK)
		status = intake_make_reject(intake, &bulk->arena, &error, reject);
	if (status != STATUS_OK)
		return status;
	reject->in_envelope = intake_has_room_for_envelope(intake, commit, intake->rejected - 1);
	commit->reject_count++;
	return fill_chunk(bulk, item->text.n);
}

static enum status take_item(void *context, const struct json_item *item)
{
	struct bulk *bulk = context;
	struct intake *intake = bulk->intake;

	if (item->status != STATUS_OK)
		return take_bad_item(bulk, item);
	const struct intake_item copy = {
		.index = item->index,
		.offset = item->offset,
		.text = {arena_copy(&bulk->arena, item->text), item->text.n},
		.needs_repair = item->needs_repair,
	};
	if (copy.text.p == NULL)
		return STATUS_NO_MEMORY;
	struct commit_request *commit = &bulk->chunk.commit;
	struct signal *signal = &bulk->signals[commit->item_count];
	enum status status = read_envelope(bulk);
	if (status == STATUS_OK)
		status = intake_read_item(intake, &bulk->arena, &copy, signal);
	if (status != STATUS_OK)
		return status;
	signal->in_envelope = intake_has_room_for_envelope(intake, commit, intake->accepted);
	size_t bytes = signal->payload.n;
	commit->item_count++;
	intake->accepted++;
	return fill_chunk(bulk, bytes);
}

/* As much as there is room for; a full buffer is not a failure. */
static enum status keep_beginning(struct buf *beginning, const char *bytes, size_t n)
{
	size_t room = beginning->cap - beginning->n;

	if (n > 0 && room > 0)
		buf_add(beginning, bytes, n < room ? n : room);
	return beginning->status;
}

/* By the first bytes. */
static enum status open_reader(struct bulk *bulk)
{
	struct intake *intake = bulk->intake;
	struct json_limits limits = intake_json_limits(intake->config, intake->kind);
	struct slice first = buf_slice(&intake->decoded);

	if (intake_may_be_lines(intake) && json_lines_begin(first) == JSON_LINES_YES)
		intake->form = JSON_FORM_LINES;
	enum status status =
		json_reader_open(&bulk->reader, intake->form, &limits, take_item, bulk);
	if (status == STATUS_OK && !intake->strict)
		json_reader_recover(bulk->reader);
	return status;
}

/* What is wrong with the body as a whole. Then its beginning is still to come in, to be kept. */
static bool is_of_body(enum status status)
{
	return status == STATUS_MALFORMED_JSON || status == STATUS_NOT_A_BATCH ||
	       status == STATUS_TOO_MANY_ITEMS || status == STATUS_NESTING_TOO_DEEP;
}

static enum status feed_reader(struct bulk *bulk, const char *bytes, size_t n)
{
	const struct buf *decoded = &bulk->intake->decoded;
	enum status status = json_reader_feed(bulk->reader, bytes, n);

	if (!is_of_body(status) || decoded->n == decoded->cap)
		return status;
	bulk->unreadable = status;
	return STATUS_OK;
}

/* Nothing is read before the first bytes tell the form. */
static enum status take_crossed_out(struct bulk *bulk, const char *bytes, size_t n)
{
	struct buf *decoded = &bulk->intake->decoded;
	size_t before = decoded->n;
	enum status status = keep_beginning(decoded, bytes, n);

	if (status != STATUS_OK)
		return status;
	if (bulk->unreadable != STATUS_OK)
		return decoded->n == decoded->cap ? bulk->unreadable : STATUS_OK;
	if (bulk->reader != NULL)
		return feed_reader(bulk, bytes, n);
	if (decoded->n < decoded->cap && intake_may_be_lines(bulk->intake) &&
	    json_lines_begin(buf_slice(decoded)) == JSON_LINES_OPEN)
		return STATUS_OK;
	size_t used = decoded->n - before;
	status = open_reader(bulk);
	if (status == STATUS_OK)
		status = feed_reader(bulk, decoded->p, decoded->n);
	return status == STATUS_OK && bulk->unreadable == STATUS_OK
		       ? feed_reader(bulk, bytes + used, n - used)
		       : status;
}

/* What may be the beginning of the key waits for the next piece. */
static enum status take_plain(void *context, const char *bytes, size_t n)
{
	struct bulk *bulk = context;
	char *window = bulk->window;

	if (n > 0)
		memcpy(window + bulk->held, bytes, n);
	n += bulk->held;
	bulk->held = cross_out_piece(window, n, bulk->intake->key, &bulk->intake->key_was_found);
	n -= bulk->held;
	enum status status = take_crossed_out(bulk, window, n);
	memmove(window, window + n, bulk->held);
	return status;
}

/* The body has ended. */
static enum status end_plain(struct bulk *bulk)
{
	struct intake *intake = bulk->intake;

	intake->key_was_found |= cross_out(bulk->window, bulk->held, intake->key);
	enum status status = take_crossed_out(bulk, bulk->window, bulk->held);
	if (status == STATUS_OK && bulk->reader == NULL) {
		status = open_reader(bulk);
		if (status == STATUS_OK)
			status = feed_reader(bulk, intake->decoded.p, intake->decoded.n);
	}
	if (bulk->unreadable != STATUS_OK)
		return bulk->unreadable;
	return status == STATUS_OK ? json_reader_end(bulk->reader) : status;
}

/* Takes what was received. */
static enum status take_received(struct bulk *bulk, struct http_decoder *decoder, const char *bytes,
				 size_t n)
{
	struct buf *received = &bulk->intake->received;
	enum status status = keep_beginning(received, bytes, n);

	if (status != STATUS_OK)
		return status;
	if (bulk->intake->coding != HTTP_CODING_OTHER)
		return http_decoder_feed(decoder, bytes, n, take_plain, bulk);
	return received->n < received->cap ? STATUS_OK : STATUS_UNSUPPORTED_CODING;
}

/* The same at its end. */
static enum status end_received(struct bulk *bulk, struct http_decoder *decoder)
{
	const struct buf *received = &bulk->intake->received;

	bulk->complete = received->n < received->cap;
	if (bulk->intake->coding == HTTP_CODING_OTHER)
		return STATUS_UNSUPPORTED_CODING;
	enum status status = http_decoder_end(decoder, take_plain, bulk);
	return status == STATUS_OK ? end_plain(bulk) : status;
}

/* Reads the whole body through decoder and reader. Returns how it ended, for intake_judge(). */
static enum status stream(struct bulk *bulk, struct http_decoder *decoder, intake_read *read,
			  void *context)
{
	size_t left = intake_body_max(bulk->intake);
	char *room = arena_alloc(bulk->intake->arena, READ_BYTES);
	enum status status = STATUS_OK;

	bulk->window = arena_alloc(bulk->intake->arena, PLAIN_BYTES + CROSS_OUT_OPEN_MAX);
	if (room == NULL || bulk->window == NULL)
		return STATUS_NO_MEMORY;
	while (status == STATUS_OK) {
		size_t n = 0;
		status = read(context, room, READ_BYTES, &n);
		if (status == STATUS_OK && n > left)
			status = STATUS_TOO_LARGE;
		if (status == STATUS_OK) {
			left -= n;
			status = take_received(bulk, decoder, room, n);
		}
	}
	if (status == STATUS_END)
		return end_received(bulk, decoder);
	bulk->intake->key_was_found |= cross_out(bulk->window, bulk->held, bulk->intake->key);
	return status;
}

static enum status open_chunk(struct bulk *bulk)
{
	struct intake *intake = bulk->intake;
	struct arena *arena = intake->arena;
	struct commit_request *commit = &bulk->chunk.commit;

	intake->form = intake_form(intake);
	intake->received = buf_make((size_t)intake->config->single_body_bytes);
	intake->decoded = buf_make((size_t)intake->config->single_body_bytes);
	bulk->signals = arena_array(arena, CHUNK_ITEMS, sizeof(*bulk->signals));
	bulk->rejects = arena_array(arena, CHUNK_ITEMS, sizeof(*bulk->rejects));
	*commit = intake->commit;
	commit->given_source = intake->given_source;
	commit->signals = bulk->signals;
	commit->rejects = bulk->rejects;
	commit->results = arena_array(arena, CHUNK_ITEMS, sizeof(*commit->results));
	commit->in_bulk = true;
	if (bulk->signals == NULL || bulk->rejects == NULL || commit->results == NULL)
		return STATUS_NO_MEMORY;
	return commit_statement_open(&bulk->statement);
}

/* True when the transaction is to be committed, even if it holds rejects alone. */
static bool is_to_stay(const struct intake *intake)
{
	return intake->body_status == STATUS_OK ||
	       (intake->body_status == STATUS_BATCH_REJECTED && !intake->strict);
}

/* Reads and judges the body. A chunk that failed in the database takes precedence over an error
 * further on in the body. */
static enum status read_body(struct bulk *bulk, struct http_decoder *decoder, intake_read *read,
			     void *context)
{
	enum status end = stream(bulk, decoder, read, context);

	if (end == STATUS_NO_MEMORY || end == STATUS_BUSY)
		return end;
	enum status status = await_chunk(bulk);
	bulk->intake->plain = buf_slice(&bulk->intake->decoded);
	if (status == STATUS_OK)
		intake_judge(bulk->intake, bulk->reader, end);
	return status;
}

/* Inside the transaction: authenticates before it reads the body. */
static enum status fill(struct bulk *bulk, intake_read *read, void *context)
{
	struct intake *intake = bulk->intake;
	struct http_decoder *decoder = NULL;
	enum status status = send_chunk(bulk);

	if (status == STATUS_OK)
		status = await_chunk(bulk);
	if (status == STATUS_OK)
		status = http_decoder_open(&decoder, intake->coding, intake_body_max(intake));
	if (status == STATUS_OK)
		status = read_body(bulk, decoder, read, context);
	http_decoder_close(decoder);
	if (status == STATUS_OK && is_to_stay(intake) && chunk_rows(bulk) > 0)
		status = send_chunk(bulk);
	return status == STATUS_OK ? await_chunk(bulk) : status;
}

/* Ids of deliveries are recorded last, because other deliveries of the key wait for that. */
static enum status commit(struct bulk *bulk)
{
	enum status status = STATUS_OK;
	uint64_t repeated = 0;

	/* As long as the whole request may take: it is one statement over all signals. */
	if (bulk->any_items)
		status = commit_bulk_finish(bulk->db, &repeated, bulk->deadline_ms);
	bulk->intake->duplicates = bulk->duplicates + repeated;
	return status == STATUS_OK ? command(bulk, "COMMIT") : status;
}

/* Commits, or rolls back and keeps the beginning of an unreadable body. */
static enum status conclude(struct bulk *bulk)
{
	struct intake *intake = bulk->intake;

	if (is_to_stay(intake))
		return commit(bulk);
	enum status status = STATUS_OK;
	if (intake->unreadable)
		status = intake_keep(intake, buf_slice(&intake->received), bulk->complete);
	if (status == STATUS_OK && intake->commit.reject_count == 0) {
		/* Rolls back without waiting, for which there may be no time. */
		pg_drop(bulk->db);
		return STATUS_OK;
	}
	if (status == STATUS_OK)
		status = command(bulk, "ROLLBACK");
	if (status == STATUS_OK)
		status = commit_run(bulk->db, &intake->commit, statement_deadline_ms(bulk));
	return status;
}

void intake_bulk(struct intake *intake, struct pg_connection *db, intake_read *read, void *context,
		 int64_t deadline_ms)
{
	struct bulk bulk = {.intake = intake,
			    .db = db,
			    .deadline_ms = deadline_ms,
			    .awaited = COMMIT_LIST_EMPTY};
	enum status status = open_chunk(&bulk);

	if (status == STATUS_OK)
		status = pg_connect(db, statement_deadline_ms(&bulk));
	if (status == STATUS_OK)
		status = command(&bulk, "BEGIN");
	if (status == STATUS_OK)
		status = fill(&bulk, read, context);
	intake->commit.out.status = STATUS_ACCEPTED;
	if (status == STATUS_INVALID_VALUE) {
		/* The database cannot hold an item; which one is not known. */
		intake->body_status = status;
		intake->unreadable = true;
		status = STATUS_OK;
	}
	if (status == STATUS_OK)
		status = conclude(&bulk);
	if (status != STATUS_OK) {
		/* The transaction may be open: dropping the connection rolls it back. */
		pg_drop(db);
		intake->commit.out.status = status;
	}
	json_reader_close(bulk.reader);
	commit_statement_close(bulk.statement);
	arena_free(&bulk.arena);
}

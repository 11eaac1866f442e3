/*
 * intake_bulk.c - a body of any size into one transaction, in constant memory. See intake.h.
 *
 * Bytes go through decoder and reader into a chunk of signals; a full chunk is one call of the
 * intake function inside the transaction. Nothing is stored unless all of the body was read.
 */
#include "intake.h"

enum {
	CHUNK_SIGNALS = 2000,
	CHUNK_BYTES = 1 << 20,
	READ_BYTES = 64 << 10,
	ERRORS_KEPT = 100 /* the answer lists no more */
};

struct bulk {
	struct intake *intake;
	struct db *db;
	int64_t deadline_ms;
	struct json_reader *reader;
	struct arena arena; /* of the chunk */
	struct group_member chunk;
	struct signal *signals;
	int64_t *ids;
	size_t chunk_bytes;
	size_t bytes_left;   /* payloads may still take */
	enum status failure; /* our own trouble or a refusal by the database function */
};

static int64_t statement_deadline_ms(const struct bulk *bulk)
{
	int64_t own_ms = db_now_ms() + bulk->intake->config->database_timeout_ms;

	return own_ms < bulk->deadline_ms ? own_ms : bulk->deadline_ms;
}

static enum status command(struct bulk *bulk, const char *sql)
{
	struct db_statement statement = DB_COMMAND(sql);

	return db_run(bulk->db, &statement, NULL, NULL, statement_deadline_ms(bulk));
}

/* Runs the chunk, which may be empty: then it only authenticates. */
static enum status flush_chunk(struct bulk *bulk)
{
	enum status status = group_run(bulk->db, &bulk->chunk, statement_deadline_ms(bulk));

	if (status == STATUS_OK && bulk->chunk.status != STATUS_ACCEPTED)
		status = bulk->chunk.status;
	if (status != STATUS_OK)
		bulk->failure = status;
	arena_reset(&bulk->arena);
	bulk->chunk.signal_count = 0;
	bulk->chunk_bytes = 0;
	return status;
}

static enum status take_item(void *context, const struct json_item *item)
{
	struct bulk *bulk = context;
	struct intake *intake = bulk->intake;

	if (item->status != STATUS_OK) {
		if (intake->rejected >= ERRORS_KEPT) {
			intake->rejected++;
			return STATUS_OK;
		}
		return intake_reject(intake, item);
	}
	/* The item's bytes are gone when the next piece is read, so the chunk keeps a copy. */
	char *copy = arena_copy(&bulk->arena, item->text);
	if (copy == NULL)
		return STATUS_NO_MEMORY;
	enum status status =
		signal_read(&bulk->arena, (struct slice){copy, item->text.n}, item->needs_repair,
			    intake->given_source, &bulk->signals[bulk->chunk.signal_count]);
	if (status != STATUS_OK)
		return status;
	size_t bytes = bulk->signals[bulk->chunk.signal_count].payload.n;
	/* Defaults make a body larger, so its limit applies again. */
	if (bytes > bulk->bytes_left)
		return STATUS_BODY_TOO_LARGE;
	bulk->bytes_left -= bytes;
	bulk->chunk.signal_count++;
	bulk->chunk_bytes += bytes;
	intake->accepted++;
	if (bulk->chunk.signal_count == CHUNK_SIGNALS || bulk->chunk_bytes >= CHUNK_BYTES)
		return flush_chunk(bulk);
	return STATUS_OK;
}

static enum status take_plain(void *context, const char *bytes, size_t n)
{
	struct bulk *bulk = context;

	return json_reader_feed(bulk->reader, bytes, n);
}

/* Reads the whole body through decoder and reader; what it means for the body is left to judge. */
static enum status stream(struct bulk *bulk, struct http_decoder *decoder, intake_read *read,
			  void *context)
{
	size_t left = intake_body_max(bulk->intake);
	char *room = arena_alloc(bulk->intake->arena, READ_BYTES);
	enum status status = room == NULL ? STATUS_NO_MEMORY : STATUS_OK;

	while (status == STATUS_OK) {
		size_t n = 0;
		status = read(context, room, READ_BYTES, &n);
		if (status == STATUS_OK && n > left)
			status = STATUS_BODY_TOO_LARGE;
		if (status == STATUS_OK) {
			left -= n;
			status = http_decoder_feed(decoder, room, n, take_plain, bulk);
		}
	}
	if (status == STATUS_END)
		status = http_decoder_end(decoder, take_plain, bulk);
	if (status == STATUS_OK)
		status = json_reader_end(bulk->reader);
	return status;
}

static enum status open_chunk(struct bulk *bulk)
{
	struct arena *arena = bulk->intake->arena;

	bulk->bytes_left = intake_body_max(bulk->intake);
	bulk->signals = arena_array(arena, CHUNK_SIGNALS, sizeof(*bulk->signals));
	bulk->ids = arena_array(arena, CHUNK_SIGNALS, sizeof(*bulk->ids));
	bulk->chunk = bulk->intake->member;
	bulk->chunk.signals = bulk->signals;
	bulk->chunk.ids = bulk->ids;
	return bulk->signals == NULL || bulk->ids == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* Inside the transaction: authenticate first, then the body. */
static enum status fill(struct bulk *bulk, intake_read *read, void *context)
{
	struct intake *intake = bulk->intake;
	struct json_limits limits = intake_json_limits(intake);
	struct http_decoder *decoder = NULL;
	enum status status = flush_chunk(bulk);

	if (status == STATUS_OK)
		status = http_decoder_open(&decoder, intake->coding, intake_body_max(intake));
	if (status == STATUS_OK)
		status = json_reader_open(&bulk->reader, intake_form(intake), &limits, take_item,
					  bulk);
	if (status == STATUS_OK) {
		status = stream(bulk, decoder, read, context);
		if (bulk->failure == STATUS_OK && status != STATUS_NO_MEMORY) {
			intake_judge(intake, bulk->reader, status);
			status = STATUS_OK;
		}
	}
	http_decoder_close(decoder);
	if (status == STATUS_OK && intake->body_status == STATUS_OK && bulk->chunk.signal_count > 0)
		status = flush_chunk(bulk);
	return status;
}

void intake_bulk(struct intake *intake, struct db *db, intake_read *read, void *context,
		 int64_t deadline_ms)
{
	struct bulk bulk = {.intake = intake, .db = db, .deadline_ms = deadline_ms};
	enum status status = open_chunk(&bulk);

	if (status == STATUS_OK)
		status = db_connect(db, statement_deadline_ms(&bulk));
	if (status == STATUS_OK)
		status = command(&bulk, "BEGIN");
	if (status == STATUS_OK)
		status = fill(&bulk, read, context);
	if (status == STATUS_OK && intake->body_status == STATUS_OK)
		status = command(&bulk, "COMMIT");
	/* Anything else leaves the transaction open: dropping the connection rolls it back. */
	if (status != STATUS_OK || intake->body_status != STATUS_OK)
		db_drop(db);
	intake->member.status = status == STATUS_OK ? STATUS_ACCEPTED : status;
	json_reader_close(bulk.reader);
	arena_free(&bulk.arena);
}

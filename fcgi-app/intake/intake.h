/*
 * intake/intake.h - the webhook handlers: from a request's head and body to the member of a group,
 * and from the committed member to the answer (contract sections 2 to 4).
 *
 * A request passes intake_head, intake_body, the group, intake_answer. Product-org updates need the
 * key's payload template before their items are rows, so they pass intake_map behind intake_body. A
 * bulk request passes
 * intake_head, intake_bulk, intake_answer. Knows nothing of paths, FastCGI or the loop.
 */
#ifndef INTAKE_INTAKE_H
#define INTAKE_INTAKE_H

#include "commit/queue.h"
#include "config/config.h"
#include "http/coding.h"
#include "http/media.h"
#include "http/response.h"
#include "json/reader.h"
#include "model/template.h"
#include "pg/connection.h"

enum intake_kind {
	INTAKE_SINGLE,	    /* an object is one signal, an array is a batch */
	INTAKE_BATCH,	    /* array, envelope or NDJSON */
	INTAKE_BULK,	    /* the same, streamed */
	INTAKE_PRODUCT_ORGS /* an object is one product-org update, an array is a batch */
};

/* A good item, before it is read. */
struct intake_item {
	uint64_t index, offset;
	struct slice text;
	bool needs_repair;
};

/* A bad item, for the answer and to be kept. */
struct intake_error {
	uint64_t index;
	enum status status;
	uint64_t offset;    /* in the decoded body */
	const char *reason; /* constant text */
	struct slice text;  /* its bytes, at most the item limit; absent in bulk */
	uint64_t length;    /* of it in full */
	struct intake_error *next;
};

struct intake {
	/* given */
	const struct config *config;
	struct arena *arena; /* the request's */
	const struct http_request *http;
	enum intake_kind kind;
	struct slice key;	  /* from the path */
	struct slice path_source; /* from the path, or absent */

	/* set by intake_head */
	struct slice given_source; /* from path or header, or absent */
	struct slice given_id;	   /* the delivery's by header, or absent */
	enum http_media media;
	enum http_coding coding;
	bool strict; /* Prefer: handling=strict */
	struct commit_request commit;

	/* set by intake_body or intake_bulk */
	struct slice plain; /* the body, decompressed if it was compressed */
	struct buf decoded; /* the body when it was compressed */
	struct intake_item *items;
	struct signal *signals;		  /* of the items, or … */
	struct product_org *product_orgs; /* … these, set by intake_map */
	size_t item_count, item_room;
	struct intake_error *errors, *errors_last; /* the first bad items, in order */
	uint64_t accepted, rejected;		   /* items read well and badly */
	uint64_t duplicates;	 /* of the accepted ones, when the member has come back */
	bool single;		 /* answered as one signal */
	bool unreadable;	 /* the body as a whole is bad */
	enum status body_status; /* OK, or why nothing of the body is stored */
	const char *detail;	 /* for the problem: where it is bad; NULL when unknown */
};

/* Prepares the given members; everything else is zero. */
void intake_init(struct intake *intake, const struct config *config, struct arena *arena,
		 const struct http_request *http, enum intake_kind kind);

/* Releases what is not in the arena. */
void intake_free(struct intake *intake);

/* What applies to this kind of request. An array at the path of single signals is a batch, which is
 * seen only when it is there: until then the limit is a batch's. */
size_t intake_body_max(const struct intake *intake);
int64_t intake_timeout_ms(const struct intake *intake);

/*
 * Checks all that can be known before the body: key form, headers, announced length. STATUS_OK, or
 * the status of the problem to answer; intake->detail may say more.
 */
enum status intake_head(struct intake *intake) MUST_CHECK;

/*
 * Reads a complete body, which must live until the answer. What is wrong with the body is kept in
 * body_status, because only an authenticated sender is told. plain_max bounds a decompressed
 * body: above it, but within the request's limit, the result is STATUS_LARGE and nothing is kept.
 * STATUS_OK (the member is ready for the group), STATUS_LARGE or STATUS_NO_MEMORY.
 */
enum status intake_body(struct intake *intake, struct slice body, size_t plain_max) MUST_CHECK;

/*
 * True when the key's payload template must be known before the body's items can become rows: for a
 * readable body of product-org updates, after intake_body. The member is then not ready for the
 * group but with wants_template, to be authenticated and to get the template.
 */
bool intake_wants_template(const struct intake *intake);

/* Makes rows of the items, once. STATUS_OK (the member is ready for the group) or STATUS_NO_MEMORY.
 */
enum status intake_map(struct intake *intake, const struct template *template) MUST_CHECK;

/* Reads more of a body: STATUS_OK with *n > 0, STATUS_END, STATUS_REQUEST_TIMEOUT or
 * STATUS_INCOMPLETE_BODY. */
typedef enum status intake_read(void *context, char *room, size_t size, size_t *n);

/*
 * Authenticates, then streams a body of any size into one transaction in constant memory. db is
 * connected when needed. The outcome is in the member and in body_status, as for the others.
 */
void intake_bulk(struct intake *intake, struct pg_connection *db, intake_read *read, void *context,
		 int64_t deadline_ms);

/* When the member has come back from its group: counts the duplicates. Not for bulk. */
void intake_settle(struct intake *intake);

/* Writes the answer of a request whose member has its status. */
void intake_answer(const struct intake *intake, struct http_response *response);

/* ---- between the files of intake ---- */

/* What is to be said of a bad item. Its text lives no longer than the item's. */
struct intake_error intake_error_of(const struct json_item *item);

/* Notes a bad item for the answer. */
enum status intake_reject(struct intake *intake, const struct intake_error *error) MUST_CHECK;

/* Makes a reject of a bad item, in the arena. Its payload is error->text, or a copy in which the
 * presented key is crossed out. STATUS_OK or STATUS_NO_MEMORY. */
enum status intake_make_reject(const struct intake *intake, struct arena *arena,
			       const struct intake_error *error,
			       struct commit_reject *reject) MUST_CHECK;

/*
 * When the body was read and judged: what must be kept of it becomes the member's rejects; they
 * are stored only if the sender is authenticated. Nothing for a strict request, and nothing of an
 * empty body or of one over its limit. received is the body before decompression, intake->plain
 * after it; complete says that both are all there is. STATUS_OK or STATUS_NO_MEMORY.
 */
enum status intake_keep(struct intake *intake, struct slice received, bool complete) MUST_CHECK;

/* "reason at byte offset", in the arena; NULL when there is no memory. */
const char *intake_detail_at(struct arena *arena, const char *reason, uint64_t offset);

/* How the body's items are delimited, by path and media type. */
enum json_form intake_form(const struct intake *intake);

/* The limits of a body's JSON on the path of a kind, as configured. */
struct json_limits intake_json_limits(const struct config *config, enum intake_kind kind);

/* Reads a good item into a signal, with what the body says beside its items, in the given arena.
 * As signal_read. */
enum status intake_read_item(const struct intake *intake, struct arena *arena,
			     const struct json_reader *reader, const struct intake_item *item,
			     struct signal *signal) MUST_CHECK;

/* Makes signals of all good items. Defaults make a batch larger than its body, so its limit applies
 * again. STATUS_OK, STATUS_NO_MEMORY, STATUS_TOO_LARGE or as signal_read. */
enum status intake_read_signals(struct intake *intake, const struct json_reader *reader,
				size_t bytes_max) MUST_CHECK;

/* Settles body_status when the reader has ended with status. */
void intake_judge(struct intake *intake, const struct json_reader *reader, enum status status);

/* The same for a body that could be read, by its good and bad items. */
void intake_judge_items(struct intake *intake);

#endif

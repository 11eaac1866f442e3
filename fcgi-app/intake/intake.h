/*
 * intake/intake.h - the webhook handlers: from a request's head and body to its commit request, and
 * from that to the answer (CONTRACT.md, sections 2 to 4).
 *
 * A request passes intake_head(), intake_body(), the commit queue, intake_settle(),
 * intake_answer(). Product-org updates become rows by the key's payload template: they pass
 * intake_map() after intake_body(). A bulk request passes intake_head(), intake_bulk(),
 * intake_answer(). Knows nothing of paths, FastCGI or the loop.
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
	uint64_t start;	    /* of the item, in the decoded body */
	uint64_t offset;    /* of what is bad, in the decoded body */
	const char *reason; /* constant text */
	struct slice text;  /* its bytes, up to the limit of a single request; absent in bulk */
	uint64_t length;    /* all its bytes */
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
	bool is_item; /* the body is an item of a batch: one object, whatever is in it */
	struct slice item_envelope; /* what stood beside the item's array, as JSON; or absent */

	/* set by intake_head */
	struct slice given_source; /* from path or header, or absent */
	struct slice given_id;	   /* the delivery's id from a header, or absent */
	struct signal_given given; /* the same for signals; received_us is set by intake_init */
	enum http_media media;
	enum http_coding coding;
	bool strict; /* Prefer: handling=strict */
	struct commit_request commit;

	/* set by intake_body or intake_bulk */
	const struct intake *unread; /* of product orgs: as intake_head() has left it */
	size_t envelope_bytes_left;  /* that items may take for the envelope */
	enum json_form form;	     /* how the body is read */
	struct slice plain;  /* the body: decompressed, the presented key crossed out, as JSON; of a
			      * bulk body the first bytes */
	bool key_was_found;  /* in the body */
	struct buf received; /* the first bytes of a bulk body as they came */
	struct buf decoded;  /* what plain points to if the body was compressed, or in bulk */
	struct intake_item *items;
	struct signal *signals;		  /* of the items, or … */
	struct product_org *product_orgs; /* … these, set by intake_map */
	size_t item_count, item_room;
	struct intake_error *errors, *errors_last; /* the first bad items, in order */
	uint64_t accepted, rejected;		   /* good and bad items */
	uint64_t duplicates;			   /* of the accepted ones, set by intake_settle */
	bool single;				   /* answered as one item */
	bool tells_code;			   /* the answer to a batch repeats the status */
	bool unreadable;			   /* the body as a whole is bad */
	int64_t bad_byte;			   /* where in the decoded body; -1: not known */
	enum status body_status;		   /* OK, or why nothing of the body is stored */
	const char *detail; /* for the problem: where it is bad; NULL: nothing more exact */
};

/* Sets the given members except those from key to item_envelope, and zeroes the others. */
void intake_init(struct intake *intake, const struct config *config, struct arena *arena,
		 const struct http_request *http, enum intake_kind kind);

/* Releases what is not in the arena. */
void intake_free(struct intake *intake);

/* The limits of this kind of request. An array at the path of single signals is a batch, which only
 * the body shows: until then the limit is a batch's. */
size_t intake_body_max(const struct intake *intake);
int64_t intake_timeout_ms(const struct intake *intake);

/*
 * Checks what comes before the body: form of the key, headers, announced length. STATUS_OK, or the
 * status to answer; intake->detail may say more.
 */
enum status intake_head(struct intake *intake) MUST_CHECK;

/*
 * Reads a complete body, which must live until the answer. What is wrong with it goes to
 * body_status, because only an authenticated sender is told. plain_max bounds the decompressed
 * body: above it, but within the request's limit, the result is STATUS_LARGE and nothing is kept.
 * STATUS_OK (intake->commit is ready for the queue), STATUS_LARGE or STATUS_NO_MEMORY.
 */
enum status intake_body(struct intake *intake, struct slice body, size_t plain_max) MUST_CHECK;

/*
 * True after intake_body() for a readable body of product-org updates, which need the key's payload
 * template to become rows. Then intake->commit goes to the queue with needs_template set, to be
 * authenticated and to get the template.
 */
bool intake_wants_template(const struct intake *intake);

/* Forgets what intake_body() and intake_map() have made of a body of product-org updates, so that
 * it can be read again. */
void intake_forget_body(struct intake *intake);

/* Makes rows of the items, once. STATUS_OK (intake->commit is ready for the queue) or
 * STATUS_NO_MEMORY. */
enum status intake_map(struct intake *intake, const struct template *template) MUST_CHECK;

/* Reads more of a body into room: STATUS_OK with *n > 0, STATUS_END, STATUS_REQUEST_TIMEOUT,
 * STATUS_INCOMPLETE_BODY, or STATUS_BUSY: the request gives way to another, nothing of it stays. */
typedef enum status intake_read(void *context, char *room, size_t size, size_t *n);

/*
 * Authenticates, then streams a body of any size into one transaction in constant memory. Connects
 * db if needed. The result is in intake->commit.out and body_status, as for other requests.
 */
void intake_bulk(struct intake *intake, struct pg_connection *db, intake_read *read, void *context,
		 int64_t deadline_ms);

/* Counts the duplicates after intake->commit has come back from the queue. Not for bulk. */
void intake_settle(struct intake *intake);

/* Writes the answer, when intake->commit has its status. */
void intake_answer(const struct intake *intake, struct http_response *response);

/* The limits of a body's JSON on the path of a kind, as configured. */
struct json_limits intake_json_limits(const struct config *config, enum intake_kind kind);

#endif

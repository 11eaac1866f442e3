/*
 * server/slot.h - the event loop's slots: each holds one connection with its request, and says what
 * it waits for and until when. Knows nothing of the commit queue or of other slots.
 */
#ifndef SERVER_SLOT_H
#define SERVER_SLOT_H

#include "server/pace.h"
#include "server/request.h"

enum slot_state {
	SLOT_FREE,
	SLOT_READING_HEAD, /* connected; its parameters are incomplete */
	SLOT_READING_BODY,
	SLOT_COMMITTING,     /* in the commit queue with its rows, or to get a template for them */
	SLOT_AUTHENTICATING, /* in the queue without rows: only a known key's body gets a child */
	SLOT_KNOCKING, /* in the queue without rows: an unknown key's body is not waited for */
	SLOT_WAITING,  /* for a child that gives way to it */
	SLOT_SCRAPING, /* waits for the database's part of the metrics */
	SLOT_DRAINING, /* the response is made; the rest of the request is discarded before it */
	SLOT_SENDING   /* the web server has not taken all of the response */
};

struct slot {
	enum slot_state state;
	struct server_request request;
	struct fcgi *fcgi;
	struct buf body;     /* as far as it has arrived */
	int64_t accepted_us; /* on the clock of clock_now_us() */
	bool is_known;	     /* the sender has been authenticated before the body has come */
	bool is_paced;	     /* the body did not come in one piece: */
	struct pace pace;    /* how long the rest is waited for, … */
	size_t paced_bytes;  /* … and what has come of it */
	int64_t draining_ms, sending_ms;
	int64_t waiting_ms; /* for a child, since then */
	struct slot *next_free, *next_deferred;
	bool may_be_deferred; /* once, when it is new: see arm() in loop.c */
};

struct slot_pool {
	struct slot *slots;
	struct slot *free; /* a list */
	size_t count, busy;
	size_t buffered; /* bytes of bodies in all slots */
};

/* How long a body is waited for before the database is asked whether its key is known. */
enum { SLOT_KNOCK_MS = 100 };

/* How long a child is waited for that has been asked to give way. */
enum { SLOT_TURN_MS = 5000 };

/* How long the rest of a request is waited for before its response is sent: web servers close the
 * connection of a client that is answered before it has sent all. */
enum { SLOT_DRAIN_MS = 500 };

/* How much of a body is read at once; a slot's body may exceed large_body by that. */
enum { SLOT_READ_BYTES = 16 << 10 };

/* One slot for each request that may be in flight. STATUS_OK or STATUS_NO_MEMORY; either way
 * slot_pool_close() releases what was made. */
enum status slot_pool_open(struct slot_pool *pool, const struct config *config) MUST_CHECK;
void slot_pool_close(struct slot_pool *pool);

/* Whether there is a free slot, with the memory that its request needs before it can be answered.
 */
bool slot_is_free(const struct slot_pool *pool);

/* Takes the first free slot, of which there is one, for a connection that its fcgi has accepted. */
struct slot *slot_take(struct slot_pool *pool, int64_t now_us);

/* Frees the slot after its response: the connection is closed, the request reset. */
void slot_release(struct slot_pool *pool, struct slot *slot);

/* Closes the connection without a response, and frees the slot. */
void slot_drop(struct slot_pool *pool, struct slot *slot);

/*
 * The slot that gives way when slots or memory run short: the oldest one that is drained; else the
 * oldest one whose request came before a time of clock_now_us() and is still being read, of an
 * unknown sender if there is such a one; with_body: one that holds bytes of a body. NULL if there
 * is none.
 */
struct slot *slot_oldest_undecided(const struct slot_pool *pool, int64_t before_us, bool with_body);

/* The slot that has waited longest for a child; NULL if none does. */
struct slot *slot_first_waiting(const struct slot_pool *pool);

/* What the slot's connection is to be polled for, POLLIN or POLLOUT; 0 for nothing. */
short slot_events(const struct slot *slot);

/* Until when its body, which has not come in one piece, is waited for if it goes on as slowly; as
 * slot_deadline_ms(). */
int64_t slot_patience_ms(const struct slot *slot);

/* When the slot is due even without an event, on the clock of clock_now_ms(); INT64_MAX for never.
 * What it is handed over to keeps its deadline meanwhile. */
int64_t slot_deadline_ms(const struct slot *slot);

#endif

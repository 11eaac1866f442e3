/*
 * commit/queue_internal.h - what the modules of the queue share: queue.c (its interface and its
 * turns), group.c (forming, sending and ending a group), resolve.c (a group that may be committed)
 * and health.c (the connection, and whether the database can be expected to answer).
 */
#ifndef COMMIT_QUEUE_INTERNAL_H
#define COMMIT_QUEUE_INTERNAL_H

#include "base/clock.h"
#include "commit/last_used.h"
#include "commit/measure.h"
#include "commit/queue.h"
#include "commit/refusal.h"
#include "commit/statement.h"

enum { COMMIT_SERVER_BYTES = 64 };

/* Whether the database answers. */
enum commit_health {
	COMMIT_SOUND,
	COMMIT_DOUBTFUL, /* something took too long: requests wait for the answer to a probe */
	COMMIT_HUNG /* a group or a probe did: requests are refused until a probe is answered */
};

struct commit_queue {
	const struct config *config;
	struct pg_connection *db;
	struct commit_statement *statement;
	struct commit_list waiting;	    /* to be sent, together */
	struct commit_list isolated;	    /* failed together: to be sent one by one */
	struct commit_list group;	    /* sent, and not answered by the server */
	struct commit_list completed;	    /* to be handed back by commit_queue_step */
	struct refusal_tally refusals;	    /* counted since some were last sent */
	struct refusal_tally refusals_sent; /* with the group, until they are stored */
	struct last_used last_used;
	bool recently_used;  /* the last use of all the group's keys was noted lately */
	bool sent_ordinary;  /* the group was sent as an ordinary one */
	bool not_ordinary;   /* the database did not take it as one, or without addresses */
	bool prepared_anew;  /* types had changed, and no statement has succeeded since */
	int retries;	     /* of the group */
	bool cancelled;	     /* the group or the probe, at its limit */
	int64_t limit_ms;    /* when the group or the probe is cancelled; not while connecting */
	int64_t deadline_ms; /* of connecting, of the group, or of the probe */
	int64_t connect_ms;  /* no attempt to connect is made before */
	int64_t backoff_ms;  /* 0 while the last connection worked */
	enum status outage;  /* why there is no connection until connect_ms */
	bool redirected;     /* a connection to another database, which was tried, is being made */
	enum commit_health health;
	bool probing;	      /* a probe is in flight */
	int64_t probe_ms;     /* no probe is sent before */
	int64_t probed_to_ms; /* how long the probe may be waited for that the server works on */
	struct commit_measure measure;
	struct {
		struct pg_query_result result; /* of the group; no pg: nothing is to be resolved */
		char server[COMMIT_SERVER_BYTES]; /* of the lost connection; or "" */
		char started[8];		  /* when it was */
		bool asking;			  /* the question is in flight */
		int64_t ask_ms;
		int64_t deadline_ms;
	} unresolved;
};

/* Of the queue's connection. */
struct pg_options commit_queue_options(const struct config *config);

/* Moves all requests to the completed ones, with this status. */
void commit_queue_complete(struct commit_queue *queue, struct commit_list *list,
			   enum status status);

/* A statement that was just sent is to have ended by then; sets limit_ms and deadline_ms. */
void commit_queue_limit(struct commit_queue *queue, int64_t now_ms, int64_t deadline_ms);

/* ---- group.c ---- */

/* Sends the next group, with the refusals that are due; nothing if there are neither. */
void commit_group_depart(struct commit_queue *queue, int64_t now_ms);

/* Ends the statement: hands the group back, or sends it again, whole or in parts. */
void commit_group_end(struct commit_queue *queue, enum status status,
		      struct pg_query_result *result, int64_t now_ms);

/* The same for the end that the server has told of, now or when it was asked again. */
void commit_group_end_known(struct commit_queue *queue, enum status status,
			    struct pg_query_result *result, int64_t now_ms);

/* Sends a group again that was not committed, unless that was done too often. */
void commit_group_send_again(struct commit_queue *queue, int64_t now_ms);

/* Hands the group back with a failure. */
void commit_group_fail(struct commit_queue *queue, enum status status, int64_t now_ms);

/* ---- resolve.c ---- */

/* Tells which server a new connection leads to; commit_resolve_keep() compares. */
extern const struct pg_statement commit_resolve_greeting;

/* The connection was lost between the group's result and its commit: keeps both, to ask the server
 * on the next connection. False if it cannot be asked. */
bool commit_resolve_keep(struct commit_queue *queue, struct pg_query_result *result,
			 int64_t now_ms);

/* A group waits for the answer. */
bool commit_resolve_is_pending(const struct commit_queue *queue);

/* On a new connection: asks, when it is time. */
void commit_resolve_ask(struct commit_queue *queue, int64_t now_ms);

/* The question has ended. */
void commit_resolve_answered(struct commit_queue *queue, enum status status,
			     const struct pg_query_result *result, int64_t now_ms);

/* Gives up at the deadline of the group's requests. */
void commit_resolve_expire(struct commit_queue *queue, int64_t now_ms);

/* When one of the last three has something to do; INT64_MAX: never. */
int64_t commit_resolve_wake_ms(const struct commit_queue *queue);

/* ---- health.c ---- */

/* Starts an attempt to connect; and ends it. */
void commit_health_connect(struct commit_queue *queue, int64_t now_ms);
void commit_health_connected(struct commit_queue *queue, enum status status, int64_t now_ms);

/* Between two statements: goes to the database that the configuration names by now. */
void commit_health_follow(struct commit_queue *queue, int64_t now_ms);

/* The next attempt is made after a while. */
void commit_health_connect_later(struct commit_queue *queue, enum status outage, int64_t now_ms);

/* The server took too long, or was cut off in between. */
void commit_health_doubt(struct commit_queue *queue, int64_t now_ms);
void commit_health_hang(struct commit_queue *queue, int64_t now_ms);

/* Sends a probe if one is due. */
void commit_health_probe(struct commit_queue *queue, int64_t now_ms);

/* The probe has ended. */
void commit_health_probed(struct commit_queue *queue, enum status status, int64_t now_ms);

/* At the deadline of a probe: waits on if the server has it, so that a stuck server does not get
 * one backend after the other. */
void commit_health_probe_overdue(struct commit_queue *queue, int64_t now_ms);

/* Refuses what waits if the database cannot be expected to answer soon. */
void commit_health_refuse(struct commit_queue *queue);

#endif

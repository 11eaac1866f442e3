/*
 * commit/queue_internal.h - what the modules of the queue share: queue.c (its interface and its
 * turns), group.c (forming, sending and ending a group) and health.c (the connection, and whether
 * the database can be expected to answer).
 */
#ifndef COMMIT_QUEUE_INTERNAL_H
#define COMMIT_QUEUE_INTERNAL_H

#include "base/clock.h"
#include "commit/last_used.h"
#include "commit/measure.h"
#include "commit/queue.h"
#include "commit/refusal.h"
#include "commit/statement.h"

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
	enum commit_health health;
	bool probing;	      /* a probe is in flight */
	int64_t probe_ms;     /* no probe is sent before */
	int64_t probed_to_ms; /* how long the probe may be waited for that the server works on */
	struct commit_measure measure;
};

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

/* ---- health.c ---- */

/* Starts an attempt to connect; and ends it. */
void commit_health_connect(struct commit_queue *queue, int64_t now_ms);
void commit_health_connected(struct commit_queue *queue, enum status status, int64_t now_ms);

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

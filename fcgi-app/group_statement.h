/*
 * group_statement.h - the one statement of intake: a group's members as arrays in PostgreSQL's
 * binary format, and its answer back to the members.
 *
 * Between group.c and db.h; knows sluice.intake() and sluice.bulk_finish() (sql-migrations),
 * nothing else.
 */
#ifndef GROUP_STATEMENT_H
#define GROUP_STATEMENT_H

#include "db.h"
#include "group_member.h"
#include "refusal.h"

/* The statement, for preparing it. */
extern const struct db_statement group_statement_sql;

/* Buffers for the parameters, kept from group to group. */
struct group_statement;

enum status group_statement_open(struct group_statement **statement) MUST_CHECK;
void group_statement_close(struct group_statement *statement); /* NULL is allowed */

/* Encodes the members, and refusals to be counted unless NULL, and sends them without waiting. What
 * the members point to, but their results, may be released on return. recently_used: of all the
 * members' keys the last use was noted lately (key_use.h). As db_send; STATUS_NO_MEMORY when the
 * arrays find no room. */
enum status group_statement_send(struct group_statement *statement, struct db *db,
				 const struct group_list *members,
				 const struct refusal_tally *refusals,
				 bool recently_used) MUST_CHECK;

/* Encodes a member's items as the arrays that sluice.intake() and sluice.rejected_replay() share:
 * from sources to payloads_raw, then from product_org_ids to warnings. The parameters live until
 * the next call. */
enum { GROUP_STATEMENT_ITEM_ARRAYS = 22 };
enum status group_statement_items(struct group_statement *statement,
				  const struct group_member *member,
				  db_param params[GROUP_STATEMENT_ITEM_ARRAYS]) MUST_CHECK;

/*
 * Gives each member its status and results, and counts the refusals among them, due at due_ms.
 * STATUS_OK, or STATUS_INTERNAL when the result does not fit the members (then no member was
 * changed for the worse: the caller fails them).
 */
enum status group_statement_results(const struct db_result *result,
				    const struct group_list *members,
				    struct refusal_tally *refusals, int64_t due_ms) MUST_CHECK;

/* Waits for the end of what was sent, and takes its results, refusals due at once. As db_await and
 * group_statement_results. */
enum status group_statement_await(struct db *db, const struct group_list *members,
				  struct refusal_tally *refusals, int64_t deadline_ms) MUST_CHECK;

/* What a bulk import has stored, for group_statement_finish_bulk(). */
struct group_bulk {
	int64_t first_id, last_id; /* the smallest and the largest id; 0 when there is none */
	uint64_t stored;	   /* signals; out: without the duplicates among them */
	uint64_t duplicates;	   /* signals that were there already; out: all of them */
	bool with_ids;		   /* some signals have a message id */
};

/* Calls sluice.bulk_finish() for the import of a member, inside its transaction. As db_run. */
enum status group_statement_finish_bulk(struct db *db, const struct group_member *member,
					struct group_bulk *bulk, int64_t deadline_ms) MUST_CHECK;

#endif

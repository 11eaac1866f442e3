/*
 * server/loop_request.c - a request's way through the states of server/slot.h. See
 * server/loop_internal.h.
 */
#include "base/clock.h"
#include "base/stats.h"
#include "server/loop_internal.h"
#include "server/process.h"

/* ---- the response ---- */

/* sent: of server_request_send() or fcgi_flush(). */
static void end_response(struct loop *loop, struct slot *slot, enum status sent)
{
	if (sent == STATUS_AGAIN)
		return;
	if (sent == STATUS_OK && fcgi_is_kept(slot->fcgi))
		loop_keep(loop, fcgi_release(slot->fcgi));
	else if (sent == STATUS_OK)
		loop_leave(loop, fcgi_release(slot->fcgi));
	slot_release(&loop->pool, slot);
}

/* What has not come of the request by now is not waited for. */
static void send_response(struct loop *loop, struct slot *slot)
{
	fcgi_hand_over(slot->fcgi,
		       loop->share.keeps && !process_is_ending() && parked_has_room(&loop->kept));
	slot->sending_ms = clock_now_ms();
	slot->state = SLOT_SENDING;
	end_response(loop, slot, server_request_send(&slot->request, slot->fcgi));
}

/* Sends the response when the request has come to its end, which is waited for briefly. */
static void respond(struct loop *loop, struct slot *slot)
{
	if (slot->state != SLOT_DRAINING)
		slot->draining_ms = clock_now_ms();
	slot->state = SLOT_DRAINING;
	if (fcgi_drain(slot->fcgi) != STATUS_AGAIN)
		send_response(loop, slot);
}

void loop_problem(struct loop *loop, struct slot *slot, enum status status)
{
	server_request_problem(&slot->request, status, NULL);
	respond(loop, slot);
}

/* Its sender has had its time. */
static void end_with_problem(struct loop *loop, struct slot *slot, enum status status)
{
	server_request_problem(&slot->request, status, NULL);
	send_response(loop, slot);
}

static void drop(struct loop *loop, struct slot *slot)
{
	stats_add(&stats_mine()->expired_connections, 1);
	slot_drop(&loop->pool, slot);
}

bool loop_give_way(struct loop *loop, int64_t now_ms)
{
	bool for_bytes = loop->pool.free != NULL;
	int64_t before_us = (now_ms - SLOT_KNOCK_MS) * 1000;
	struct slot *slot = slot_oldest_undecided(&loop->pool, before_us, for_bytes);

	if (slot == NULL)
		return false;
	stats_add(&stats_mine()->gave_way, 1);
	if (slot->state == SLOT_READING_HEAD)
		drop(loop, slot);
	else if (slot->state == SLOT_DRAINING)
		send_response(loop, slot);
	else
		end_with_problem(loop, slot, STATUS_BUSY);
	return true;
}

/* ---- the commit queue ---- */

/* state says what for; loop_advance_committed() goes on. */
static void enqueue(struct loop *loop, struct slot *slot, enum slot_state state)
{
	struct commit_request *commit = &slot->request.intake.commit;

	commit->owner = slot;
	slot->state = state;
	commit_queue_add(loop->queue, commit);
}

/* A template that is not cached costs a second authentication. What is cached gives nothing away:
 * the items are authenticated, and their template confirmed, with their commit. */
static void map_items(struct loop *loop, struct slot *slot)
{
	struct intake *intake = &slot->request.intake;
	struct commit_request *commit = &intake->commit;
	const struct template *template =
		template_cache_find(loop->templates, &commit->key_hash, &commit->template_version);
	enum status status = template == NULL ? STATUS_OK : intake_map(intake, template);

	commit->needs_template = true;
	if (status == STATUS_OK)
		enqueue(loop, slot, SLOT_COMMITTING);
	else
		loop_problem(loop, slot, status);
}

/* ---- the body ---- */

static void use_body(struct loop *loop, struct slot *slot)
{
	struct intake *intake = &slot->request.intake;
	enum status status =
		intake_body(intake, buf_slice(&slot->body), (size_t)loop->config->large_body_bytes);

	if (status == STATUS_LARGE)
		enqueue(loop, slot, SLOT_AUTHENTICATING);
	else if (status != STATUS_OK)
		loop_problem(loop, slot, status);
	else if (intake_wants_template(intake))
		map_items(loop, slot);
	else
		enqueue(loop, slot, SLOT_COMMITTING);
}

static bool is_large(const struct loop *loop, const struct slot *slot)
{
	return slot->request.intake.kind == INTAKE_BULK ||
	       slot->request.http.content_length > loop->config->large_body_bytes ||
	       slot->body.n > (size_t)loop->config->large_body_bytes;
}

/* No more than is announced, so that small bodies take little memory. */
static size_t read_size(const struct slot *slot)
{
	int64_t left = slot->request.http.content_length - (int64_t)slot->body.n;

	return left > 0 && left < SLOT_READ_BYTES ? (size_t)left : SLOT_READ_BYTES;
}

static enum status read_piece(struct loop *loop, struct slot *slot)
{
	size_t n = 0, size = read_size(slot);
	char *room = buf_reserve(&slot->body, size);

	if (room == NULL)
		return STATUS_NO_MEMORY;
	enum status status =
		fcgi_read(slot->fcgi, slot->request.http.content_length, room, size, &n);
	if (status == STATUS_OK) {
		slot->body.n += n;
		loop->pool.buffered += n;
	}
	return status;
}

/* The rest of the body is waited for, as long as it comes fast enough. */
static void wait_for_body(const struct loop *loop, struct slot *slot)
{
	int64_t now_us = clock_now_us();
	int64_t timeout_ms = slot->request.deadline_ms - slot->accepted_us / 1000;

	if (slot->is_paced)
		pace_receive(&slot->pace, slot->body.n - slot->paced_bytes, now_us);
	else
		pace_start(&slot->pace, loop->config->body_rate_bytes, timeout_ms, now_us);
	slot->is_paced = true;
	slot->paced_bytes = slot->body.n;
}

static void read_body(struct loop *loop, struct slot *slot)
{
	enum status status = STATUS_OK;

	slot->state = SLOT_READING_BODY;
	while (status == STATUS_OK) {
		if (is_large(loop, slot)) {
			enqueue(loop, slot, SLOT_AUTHENTICATING);
			return;
		}
		status = read_piece(loop, slot);
	}
	if (status == STATUS_END)
		use_body(loop, slot);
	else if (status == STATUS_AGAIN)
		wait_for_body(loop, slot);
	else
		loop_problem(loop, slot, status);
}

/* The items had no template yet, or one that the key has no longer. */
static void use_template(struct loop *loop, struct slot *slot)
{
	struct intake *intake = &slot->request.intake;
	const struct commit_request *commit = &intake->commit;
	enum status status = template_cache_add(loop->templates, &commit->key_hash,
						commit->out.template_version, commit->out.template);

	if (status != STATUS_OK) {
		loop_problem(loop, slot, status);
		return;
	}
	intake_forget_body(intake);
	use_body(loop, slot);
}

void loop_advance_committed(struct loop *loop, struct slot *slot)
{
	const struct commit_request *commit = &slot->request.intake.commit;
	bool accepted = commit->out.status == STATUS_ACCEPTED;

	if (accepted && slot->state == SLOT_AUTHENTICATING) {
		loop_serve_in_child(loop, slot);
	} else if (accepted && commit->out.template.p != NULL) {
		use_template(loop, slot);
	} else if (accepted && slot->state == SLOT_KNOCKING) {
		slot->is_known = true;
		read_body(loop, slot);
	} else {
		server_request_answer_intake(&slot->request);
		respond(loop, slot);
	}
}

/* Unless more of it has come meanwhile, unseen by a worker that was busy or stopped. */
static void expire_body(struct loop *loop, struct slot *slot, int64_t now_ms)
{
	if (slot->request.deadline_ms > now_ms)
		read_body(loop, slot);
	if (slot->state == SLOT_READING_BODY && slot_deadline_ms(slot) <= now_ms)
		end_with_problem(loop, slot, STATUS_REQUEST_TIMEOUT);
}

/* A body that does not come is waited for only if its key is known. */
void loop_expire(struct loop *loop, struct slot *slot, int64_t now_ms)
{
	if (slot->state == SLOT_DRAINING)
		send_response(loop, slot);
	else if (slot->state == SLOT_WAITING)
		loop_expire_waiting(loop, slot);
	else if (slot->state != SLOT_READING_BODY)
		drop(loop, slot);
	else if (!slot->is_known && slot->request.deadline_ms > now_ms)
		enqueue(loop, slot, SLOT_KNOCKING);
	else
		expire_body(loop, slot, now_ms);
}

/* ---- the head ---- */

/* Without what the database would say if it is not likely to answer. */
static void answer_metrics(struct loop *loop, struct slot *slot)
{
	if (commit_queue_is_connected(loop->queue) && scrape_ask(loop->scrape, clock_now_ms()))
		slot->state = SLOT_SCRAPING;
	else
		server_request_answer_metrics(&slot->request, SLICE_ABSENT);
}

void loop_advance_scraped(struct loop *loop, struct slot *slot)
{
	server_request_answer_metrics(&slot->request, scrape_text(loop->scrape));
	respond(loop, slot);
}

/* What needs no body. */
static void answer_at_once(struct loop *loop, struct slot *slot)
{
	struct server_request *request = &slot->request;
	enum route_action action = request->match.route->action;

	if (action == ROUTE_LIVE)
		server_request_answer_health(request, STATUS_OK);
	else if (action == ROUTE_READY)
		server_request_answer_health(request,
					     commit_queue_readiness(loop->queue, clock_now_ms()));
	else if (action == ROUTE_METRICS)
		answer_metrics(loop, slot);
}

static void read_head(struct loop *loop, struct slot *slot)
{
	struct server_request *request = &slot->request;
	enum status status = fcgi_read_params(slot->fcgi);

	if (status == STATUS_AGAIN)
		return;
	if (status == STATUS_END) {
		slot_drop(&loop->pool, slot);
		return;
	}
	if (status == STATUS_OK)
		server_request_begin(request, fcgi_variables(slot->fcgi), slot->accepted_us);
	else
		server_request_refuse(request, fcgi_variables(slot->fcgi), slot->accepted_us,
				      status);
	if (!request->is_answered)
		answer_at_once(loop, slot);
	if (request->is_answered)
		respond(loop, slot);
	else if (slot->state != SLOT_SCRAPING)
		read_body(loop, slot);
}

void loop_advance(struct loop *loop, struct slot *slot)
{
	switch (slot->state) {
	case SLOT_READING_HEAD:
		read_head(loop, slot);
		break;
	case SLOT_READING_BODY:
		read_body(loop, slot);
		break;
	case SLOT_DRAINING:
		respond(loop, slot);
		break;
	case SLOT_SENDING:
		end_response(loop, slot, fcgi_flush(slot->fcgi));
		break;
	case SLOT_FREE:
	case SLOT_COMMITTING:
	case SLOT_AUTHENTICATING:
	case SLOT_KNOCKING:
	case SLOT_WAITING:
	case SLOT_SCRAPING:
	default:
		break;
	}
}

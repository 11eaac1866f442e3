/*
 * intake/answer.c - what a sender is told about its request (CONTRACT.md, section 3). See
 * intake/intake.h.
 */
#include "intake/intake_internal.h"

#include "http/problem.h"

enum { DETAIL_BYTES_MAX = 200 };

static void add_bool(struct buf *out, bool value)
{
	buf_add_text(out, value ? "true" : "false");
}

static void add_count(struct buf *out, const char *name, uint64_t count)
{
	buf_add_format(out, ",\"%s\":%llu", name, (unsigned long long)count);
}

static void add_warnings(struct buf *out, struct slice warnings)
{
	if (warnings.p == NULL)
		return;
	buf_add_text(out, ",\"warnings\":");
	buf_add_slice(out, warnings);
}

static void add_signal(struct buf *out, const struct signal *signal,
		       const struct commit_result *result)
{
	buf_add_text(out, ",\"source\":");
	buf_add_json(out, signal->source);
	buf_add_text(out, ",\"cold_storage\":");
	add_bool(out, result->cold);
	add_warnings(out, signal->warnings);
}

static void add_product_org(struct buf *out, const struct product_org *row)
{
	buf_add_text(out, ",\"product_org_id\":");
	buf_add_json(out, row->product_org_id);
	add_warnings(out, row->warnings_text);
}

/* The members of a good item. */
static void add_item(struct buf *out, const struct intake *intake, size_t at)
{
	const struct commit_result *result = &intake->commit.results[at];

	if (intake->product_orgs != NULL)
		add_product_org(out, &intake->product_orgs[at]);
	else
		add_signal(out, &intake->signals[at], result);
	if (result->repeated)
		buf_add_text(out, ",\"duplicate\":true");
}

static void answer_single(const struct intake *intake, struct buf *out)
{
	buf_add_text(out, "{\"id\":");
	buf_add_int(out, intake->commit.results[0].id);
	buf_add_text(out, ",\"message\":\"");
	buf_add_text(out, intake->product_orgs != NULL ? "Product org update" : "Signal");
	buf_add_text(out, " received and queued for processing\"");
	add_item(out, intake, 0);
	buf_add_text(out, "}\n");
}

static void add_error(struct buf *out, const struct intake_error *error)
{
	buf_add_format(out, "{\"index\":%llu,\"error\":{\"code\":\"%s\",\"detail\":\"",
		       (unsigned long long)error->index, problem_of(error->status)->code);
	buf_add_format(out, JSON_REASON_FORMAT "\"}}", error->reason, error->offset);
}

static void add_result(struct buf *out, const struct intake *intake, size_t at)
{
	buf_add_format(out, "{\"index\":%llu,\"id\":", (unsigned long long)intake->items[at].index);
	buf_add_int(out, intake->commit.results[at].id);
	add_item(out, intake, at);
	buf_add_char(out, '}');
}

/* Merges good and bad items by index; both are in order. */
static void add_results(struct buf *out, const struct intake *intake)
{
	const struct intake_error *error = intake->errors;
	size_t count = intake->kind == INTAKE_BULK ? 0 : intake->commit.item_count;
	size_t listed = 0;

	for (size_t at = 0; at < count || error != NULL; listed++) {
		if (intake->kind == INTAKE_BULK && listed == INTAKE_BULK_ERRORS)
			break;
		if (listed > 0)
			buf_add_char(out, ',');
		if (error != NULL && (at == count || error->index < intake->items[at].index)) {
			add_error(out, error);
			error = error->next;
		} else {
			add_result(out, intake, at++);
		}
	}
}

static void answer_batch(const struct intake *intake, struct buf *out)
{
	uint64_t items = intake->accepted + intake->rejected;
	uint64_t stored = intake->accepted - intake->duplicates;

	buf_add_char(out, '{');
	/* Amplitude's libraries read the status there, and without it take the batch for lost. */
	if (intake->tells_code)
		buf_add_format(out, "\"code\":%d,", problem_of(STATUS_ACCEPTED)->http);
	buf_add_text(out, "\"message\":\"");
	buf_add_format(out, "%llu of %llu %s received and queued for processing\"",
		       (unsigned long long)stored, (unsigned long long)items,
		       intake->product_orgs != NULL ? "product org updates" : "signals");
	add_count(out, "accepted", stored);
	add_count(out, "duplicates", intake->duplicates);
	add_count(out, "rejected", intake->rejected);
	buf_add_text(out, ",\"results\":[");
	add_results(out, intake);
	buf_add_text(out, "]}\n");
}

/* The sender may know neither from which of its addresses it comes nor what a proxy makes of it. */
static const char *network_detail(const struct intake *intake)
{
	struct buf detail = buf_make(DETAIL_BYTES_MAX);

	if (intake->commit.client.size == 0)
		return "requests with this key need the client's address, which is not known here";
	buf_add_text(&detail, "requests with this key are not accepted from ");
	address_add(&detail, &intake->commit.client);
	const char *copy = arena_copy(intake->arena, buf_slice(&detail));
	buf_free(&detail);
	return copy;
}

void intake_answer(const struct intake *intake, struct http_response *response)
{
	enum status status = intake->commit.out.status;

	/* Only an authenticated sender is told what is wrong with the body. */
	if (status == STATUS_ACCEPTED && intake->body_status != STATUS_OK) {
		http_problem(response, intake->http, intake->body_status, intake->detail);
		return;
	}
	if (status != STATUS_ACCEPTED) {
		http_problem(response, intake->http, status,
			     status == STATUS_WRONG_NETWORK ? network_detail(intake) : NULL);
		return;
	}
	response->status = problem_of(status)->http;
	response->content_type = "application/json";
	if (intake->single)
		answer_single(intake, &response->body);
	else
		answer_batch(intake, &response->body);
	if (response->body.status != STATUS_OK) /* it is stored, which cannot be told */
		http_problem(response, intake->http, STATUS_OUTCOME_UNKNOWN, NULL);
}

/*
 * commit/request.c - lists of requests with their sums. See commit/request.h.
 */
#include "commit/request.h"

struct commit_item commit_request_item(const struct commit_request *request, size_t i)
{
	if (request->product_orgs != NULL) {
		const struct product_org *row = &request->product_orgs[i];
		return (struct commit_item){row->position, row->message_id, row->payload,
					    row->payload_raw, row->in_envelope};
	}
	const struct signal *signal = &request->signals[i];
	return (struct commit_item){signal->position, signal->message_id, signal->payload,
				    signal->payload_raw, signal->in_envelope};
}

size_t commit_request_bytes(const struct commit_request *request)
{
	size_t bytes = request->envelope.n;

	for (size_t i = 0; i < request->item_count; i++) {
		struct commit_item item = commit_request_item(request, i);
		bytes += item.payload.n + item.payload_raw.n;
		if (request->product_orgs != NULL)
			bytes += request->product_orgs[i].custom.n +
				 request->product_orgs[i].feature_flags.n;
	}
	for (size_t i = 0; i < request->reject_count; i++)
		bytes += request->rejects[i].payload.n;
	return bytes;
}

size_t commit_request_items(const struct commit_request *request)
{
	return request->queue.as_rejects ? 0 : request->item_count;
}

size_t commit_request_rejects(const struct commit_request *request)
{
	return request->reject_count + (request->queue.as_rejects ? request->item_count : 0);
}

bool commit_request_reject_items(struct commit_request *request)
{
	if (!request->reject_unstorable || request->queue.as_rejects || request->item_count == 0)
		return false;
	request->queue.as_rejects = true;
	return true;
}

void commit_list_append(struct commit_list *list, struct commit_request *request)
{
	request->queue.next = NULL;
	if (list->first == NULL)
		list->first = request;
	else
		list->last->queue.next = request;
	list->last = request;
	list->requests++;
	list->rows += commit_request_items(request);
	list->rejects += commit_request_rejects(request);
	list->bytes += commit_request_bytes(request);
	if (request->deadline_ms < list->earliest_ms)
		list->earliest_ms = request->deadline_ms;
}

struct commit_request *commit_list_take(struct commit_list *list)
{
	struct commit_request *request = list->first;

	list->first = request->queue.next;
	list->requests--;
	list->rows -= commit_request_items(request);
	list->rejects -= commit_request_rejects(request);
	list->bytes -= commit_request_bytes(request);
	if (list->first == NULL)
		*list = COMMIT_LIST_EMPTY;
	return request;
}

/*
 * group_member.c - lists of members with their sums. See group_member.h.
 */
#include "group_member.h"

struct group_item group_member_item(const struct group_member *member, size_t i)
{
	if (member->product_orgs != NULL) {
		const struct product_org *row = &member->product_orgs[i];
		return (struct group_item){row->position, row->message_id, row->payload,
					   row->payload_raw};
	}
	const struct signal *signal = &member->signals[i];
	return (struct group_item){signal->position, signal->message_id, signal->payload,
				   signal->payload_raw};
}

size_t group_member_bytes(const struct group_member *member)
{
	size_t bytes = 0;

	for (size_t i = 0; i < member->item_count; i++) {
		struct group_item item = group_member_item(member, i);
		bytes += item.payload.n + item.payload_raw.n;
		if (member->product_orgs != NULL)
			bytes += member->product_orgs[i].custom.n +
				 member->product_orgs[i].feature_flags.n;
	}
	for (size_t i = 0; i < member->reject_count; i++)
		bytes += member->rejects[i].payload.n;
	return bytes;
}

size_t group_member_items(const struct group_member *member)
{
	return member->refused ? 0 : member->item_count;
}

size_t group_member_rejects(const struct group_member *member)
{
	return member->reject_count + (member->refused ? member->item_count : 0);
}

bool group_member_refuse(struct group_member *member)
{
	if (!member->keeps_refused || member->refused || member->item_count == 0)
		return false;
	member->refused = true;
	return true;
}

void group_list_append(struct group_list *list, struct group_member *member)
{
	member->next = NULL;
	if (list->first == NULL)
		list->first = member;
	else
		list->last->next = member;
	list->last = member;
	list->members++;
	list->rows += group_member_items(member);
	list->rejects += group_member_rejects(member);
	list->bytes += group_member_bytes(member);
	if (member->deadline_ms < list->earliest_ms)
		list->earliest_ms = member->deadline_ms;
}

struct group_member *group_list_take(struct group_list *list)
{
	struct group_member *member = list->first;

	list->first = member->next;
	list->members--;
	list->rows -= group_member_items(member);
	list->rejects -= group_member_rejects(member);
	list->bytes -= group_member_bytes(member);
	if (list->first == NULL)
		*list = GROUP_LIST_EMPTY;
	return member;
}

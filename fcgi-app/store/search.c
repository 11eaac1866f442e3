/*
 * store/search.c - see store/search.h.
 */
#include "store/search.h"

#include "json/tree.h"

enum { FILTER_BYTES_MAX = 1 << 20 };

const char *const store_search_names[STORE_SEARCH_MEMBERS] = {
	[STORE_SEARCH_IDENTITY] = "identity",
	[STORE_SEARCH_EMAIL] = "email",
	[STORE_SEARCH_USER_ID] = "user_id",
	[STORE_SEARCH_ANONYMOUS_ID] = "anonymous_id",
	[STORE_SEARCH_MESSAGE_ID] = "message_id",
	[STORE_SEARCH_REQUEST_ID] = "request_id",
	[STORE_SEARCH_SOURCE] = "source",
	[STORE_SEARCH_EVENT] = "event",
	[STORE_SEARCH_KEY] = "key",
	[STORE_SEARCH_STATUS] = "status",
	[STORE_SEARCH_FROM] = "from",
	[STORE_SEARCH_UNTIL] = "until",
	[STORE_SEARCH_TEXT] = "text",
	[STORE_SEARCH_SINCE] = "since",
	[STORE_SEARCH_CODE] = "code",
	[STORE_SEARCH_STATE] = "state",
	[STORE_SEARCH_PRODUCT_ORG_ID] = "product_org_id",
	[STORE_SEARCH_PLAN] = "plan",
	[STORE_SEARCH_TRIAL_STATUS] = "trial_status",
};

#define STATUSES "pending processing completed failed skipped permanently_failed "

const char store_search_statuses[] = STATUSES "cold_storage ";
const char store_search_update_statuses[] = STATUSES;

enum status store_search_filter(struct arena *arena,
				const struct slice values[STORE_SEARCH_MEMBERS], struct slice *json)
{
	struct json_tree tree = {0};
	struct json_object *filter = json_tree_object(&tree, NULL, NULL);
	struct buf text = buf_make(FILTER_BYTES_MAX);

	for (size_t i = 0; i < STORE_SEARCH_MEMBERS; i++) {
		if (values[i].n > 0)
			json_tree_text(&tree, filter, store_search_names[i], values[i]);
	}
	json_tree_write(&tree, &text);
	json_tree_free(&tree);
	*json = arena_move(arena, &text);
	return json->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

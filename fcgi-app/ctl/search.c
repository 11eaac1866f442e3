/*
 * ctl/search.c - what the lists share that are searched by a filter: signal list, tail, rejected
 * list, product-org updates. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <stdio.h>

#include "store/document.h"
#include "store/export.h"
#include "store/search.h"

enum ctl_exit ctl_read_search(struct ctl *ctl, struct slice *values, struct slice *filter)
{
	/* A command takes those of them that its list can be searched by. */
	static const enum ctl_option options[STORE_SEARCH_MEMBERS] = {
		[STORE_SEARCH_EMAIL] = CTL_EMAIL,
		[STORE_SEARCH_USER_ID] = CTL_USER_ID,
		[STORE_SEARCH_ANONYMOUS_ID] = CTL_ANONYMOUS_ID,
		[STORE_SEARCH_MESSAGE_ID] = CTL_MESSAGE_ID,
		[STORE_SEARCH_REQUEST_ID] = CTL_REQUEST_ID,
		[STORE_SEARCH_SOURCE] = CTL_SOURCE,
		[STORE_SEARCH_EVENT] = CTL_EVENT,
		[STORE_SEARCH_KEY] = CTL_KEY,
		[STORE_SEARCH_STATUS] = CTL_STATUS,
		[STORE_SEARCH_TEXT] = CTL_TEXT,
		[STORE_SEARCH_CODE] = CTL_CODE,
		[STORE_SEARCH_STATE] = CTL_STATE,
		[STORE_SEARCH_PRODUCT_ORG_ID] = CTL_PRODUCT_ORG,
		[STORE_SEARCH_PLAN] = CTL_PLAN,
		[STORE_SEARCH_TRIAL_STATUS] = CTL_TRIAL_STATUS,
	};
	enum ctl_exit result = ctl_check_id(ctl, CTL_KEY);

	for (size_t i = 0; i < STORE_SEARCH_MEMBERS; i++) {
		if (options[i] != 0)
			values[i] = ctl_value(ctl, options[i]);
	}
	values[STORE_SEARCH_IDENTITY] = slice_of(ctl->argument);
	if (result == CTL_FINE)
		result = ctl_read_past(ctl, CTL_SINCE, &values[STORE_SEARCH_FROM]);
	if (result == CTL_FINE && values[STORE_SEARCH_TEXT].n > 0 &&
	    values[STORE_SEARCH_FROM].p == NULL && values[STORE_SEARCH_SINCE].p == NULL)
		result = ctl_fail(CTL_USAGE, NULL,
				  "--text needs --since: from when on to read the payloads");
	if (result == CTL_FINE)
		result = ctl_read_past(ctl, CTL_UNTIL, &values[STORE_SEARCH_UNTIL]);
	if (result == CTL_FINE &&
	    store_search_filter(ctl->store.arena, values, filter) != STATUS_OK)
		result = ctl_fail_status(ctl, STATUS_NO_MEMORY);
	return result;
}

enum ctl_exit ctl_search(struct ctl *ctl, enum store_document document,
			 const struct store_export *what, const struct ctl_field *fields,
			 size_t columns)
{
	struct slice values[STORE_SEARCH_MEMBERS] = {SLICE_ABSENT}, answer;
	struct store_question question = {
		.organization = ctl_value(ctl, CTL_ORGANIZATION),
		.before = ctl_value(ctl, CTL_BEFORE),
		.limit = ctl_has(ctl, CTL_LIMIT) ? ctl_value(ctl, CTL_LIMIT) : SLICE("20"),
	};
	enum ctl_exit result = ctl_check_format(ctl);

	if (result == CTL_FINE)
		result = ctl_read_search(ctl, values, &question.filter);
	if (result != CTL_FINE)
		return result;
	if (ctl_has(ctl, CTL_FORMAT))
		return ctl_export(ctl, document, what, &question);
	result = ctl_ask_document(ctl, document, &question, &answer);
	if (result != CTL_FINE)
		return result;
	if (ctl_has(ctl, CTL_JSON))
		return ctl_add_document(ctl, answer);
	result = ctl_print_rows(ctl, answer, what->array, fields, columns);
	return result == CTL_FINE ? ctl_say_next(ctl, answer) : result;
}

enum ctl_exit ctl_say_next(struct ctl *ctl, struct slice answer)
{
	struct slice until, next;
	enum status status = store_answer_text(&ctl->arena, answer, "searched_until", &until);

	if (status == STATUS_OK)
		status = store_answer_text(&ctl->arena, answer, "next", &next);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	enum ctl_exit result = ctl_flush(ctl);
	if (next.p == NULL)
		return result;
	if (until.p != NULL)
		(void)fprintf(stderr, "searched until %s", until.p);
	else
		(void)fprintf(stderr, "there are more");
	(void)fprintf(stderr, "; go on with --before %s\n", next.p);
	return result;
}

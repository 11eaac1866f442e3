/*
 * store/person.h - what is kept about a person, for data-protection requests. Beside store/store.h,
 * whose rules hold here; for the tool.
 *
 * An identity is an email address, a phone number or one of the ids of a signal.
 */
#ifndef STORE_PERSON_H
#define STORE_PERSON_H

#include "store/entity.h"
#include "store/store.h"

/* Lists the signals that name a person, the oldest first, up to the selection's limit.
 * STATUS_NO_SUCH_ROW without the organization. */
enum status store_person_signals(const struct store *store, struct slice organization,
				 struct slice identity, const struct store_selection *selection,
				 struct store_list *signals) MUST_CHECK;

/* Deletes them, and what else is known of the person. *count is how many signals there were. */
enum status store_person_delete(const struct store *store, struct slice organization,
				struct slice identity, int64_t *count) MUST_CHECK;

#endif

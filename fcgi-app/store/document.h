/*
 * store/document.h - what the database writes as a JSON object: statistics, signals, the latest
 * product orgs and rejected payloads, usage, the volumes of keys, the audit log.
 */
#ifndef STORE_DOCUMENT_H
#define STORE_DOCUMENT_H

#include "store/store.h"

enum store_document {
	STORE_STATISTICS,	  /* window */
	STORE_SIGNALS,		  /* filter, before, limit */
	STORE_PRODUCT_ORGS,	  /* updates: filter, before, limit */
	STORE_PRODUCT_ORG_STATES, /* before, limit, product_org, match, plan, trial_status */
	STORE_PRODUCT_ORG,  /* a state and its updates: product_org, before, limit; for the tool */
	STORE_REJECTS,	    /* filter, before, limit */
	STORE_REJECT_KINDS, /* before, limit */
	STORE_USAGE,	    /* before, a month, and limit; not for the tool */
	STORE_AUDIT,	    /* before, limit */
	STORE_KEY_VOLUMES,  /* key_id, limit; not of the tool: what selects keys */
	STORE_DOCUMENTS
};

/* What an absent member leaves open is all, or the database's default. */
struct store_question {
	struct slice organization;	 /* an id, or for the tool a name */
	struct slice window;		 /* 24h, 7d, 30d */
	struct slice before;		 /* an id, a month, or a "next": what is behind */
	struct slice limit;		 /* a number */
	struct slice filter;		 /* see store/search.h */
	struct slice match;		 /* in a name, in whatever case */
	struct slice since, until;	 /* of the tool's audit log */
	struct slice product_org;	 /* the id of one */
	struct slice plan, trial_status; /* of a product org */
	struct slice key_id;		 /* of one key */
	struct slice endpoint_type;	 /* of keys */
	struct slice status;		 /* of keys */
	bool whole;			 /* with large payloads, too */
};

/* On behalf of a user, by the rules of store/settings.h. */
enum status store_settings_document(const struct store *store, enum store_document document,
				    const struct store_question *question,
				    struct slice *json) MUST_CHECK;

/* For the tool. STATUS_NO_SUCH_ROW without the organization. */
enum status store_document(const struct store *store, enum store_document document,
			   const struct store_question *question, struct slice *json) MUST_CHECK;

#endif

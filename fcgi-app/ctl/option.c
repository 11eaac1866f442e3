/*
 * ctl/option.c - the table of sluicectl's options. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"
#include "store/export.h"
#include "store/rejected.h"

_Static_assert(CTL_OPTION_COUNT <= 64, "a bit for each option");

const struct ctl_option_text ctl_options[CTL_OPTION_COUNT] = {
	[CTL_CONFIG] = {"--config", "FILE",
			"the configuration file, instead of $SLUICE_CONFIG or the installed one"},
	[CTL_JSON] = {"--json", NULL, "print one line of JSON instead of text"},
	[CTL_HELP] = {"--help", NULL, "print the help of the command and exit"},
	[CTL_DRY_RUN] = {"--dry-run", NULL, "print what would be done, and change nothing"},
	[CTL_DIRECTORY] =
		{"--directory", "DIR",
		 "the directory of the migrations, instead of $SLUICE_MIGRATIONS or the installed one"},
	[CTL_DATABASE] = {"--database", "NAME", "the database, instead of $PGDATABASE"},
	[CTL_REPAIR] =
		{"--repair", NULL,
		 "apply roles, functions, views and access again even if none has changed, for a database that was restored or altered by hand"},
	[CTL_ADMIN] = {"--admin", "ROLE",
		       "the role that may run sluicectl, named like the user of the system: root"},
	[CTL_FROM] =
		{"--from", "ADDRESS",
		 "the workers are on another host: their address or network (192.0.2.10, 192.0.2.0/24)"},
	[CTL_ORGANIZATION] = {"--organization", "NAME", "the organization's name"},
	[CTL_USER] = {"--user", "USER", "the user's name, as the web server passes it on"},
	[CTL_ROLE] = {"--role", "ROLE", "owner, admin, editor or viewer",
		      .choices = "owner admin editor viewer "},
	[CTL_NAME] = {"--name", "TEXT", "the name, 1 to 200 characters"},
	[CTL_ENDPOINT] = {"--endpoint", "TYPE",
			  "signal_staging (of a new key the default) or product_orgs",
			  .choices = "signal_staging product_orgs "},
	[CTL_EXPIRES] =
		{"--expires", "TIMESTAMP",
		 "when the key or token expires: 2031-05-01T12:00:00Z, 2031-05-01 (midnight UTC), or 90d or 12h from now (units w, d, h, m, s), or never"},
	[CTL_SECRET] = {"--secret", NULL,
			"also make a secret, which every request must carry in X-Api-Secret"},
	[CTL_TEMPLATE] =
		{"--template", "FILE",
		 "the payload template of a product_orgs key: a JSON object, see sluicectl(1)"},
	[CTL_DELIVERY_ID] =
		{"--delivery-id", "MEMBER",
		 "the member of a payload that is its delivery's id, by which a repeat is recognised: event_id, or data.id for one inside another"},
	[CTL_SNIPPET] =
		{"--snippet", "NAME",
		 "what a sender needs: curl, node, python, php, fetch, html, segment, rudderstack, hubspot or urls"},
	[CTL_OVERLAP] =
		{"--overlap", "SPAN",
		 "how long the old one stays valid, too: 24h by default, up to 90d; 0h: not at all"},
	[CTL_TRY] = {"--try", "FILE",
		     "a payload to try the template on first, instead of the latest one that came"},
	[CTL_ALLOW] =
		{"--allow", "NETWORK",
		 "accept requests with the key only from this network, 192.0.2.0/24 or 2001:db8::/32, or this address; may be given several times; all: from everywhere",
		 .repeatable = true},
	[CTL_SIGNALS] = {"--signals", "NUMBER", "signals per calendar month (UTC); 0: no limit"},
	[CTL_OVERAGES] =
		{"--overages", "STATE",
		 "on: signals over the limit are accepted and counted; off: they are refused",
		 .choices = "on off "},
	[CTL_MONTH] = {"--month", "YYYY-MM", "a month (UTC) other than the current one"},
	[CTL_PAYLOAD] = {"--payload", "FILE",
			 "a payload as a sender delivers it: an object, or an array of objects"},
	[CTL_SINCE] =
		{"--since", "TIMESTAMP",
		 "only what was received (of the audit log: done) since then: 2031-05-01T12:00:00Z, 2031-05-01 (midnight UTC), or 90d or 12h ago (units w, d, h, m, s)"},
	[CTL_KEY] = {"--key", "ID", "only what came with the key with this id"},
	[CTL_CODE] = {"--code", "CODE", "only what was rejected for this reason: malformed_json"},
	[CTL_STATE] = {"--state", "STATE",
		       "only what is in this state: open, replayed or discarded",
		       .choices = store_rejected_states},
	[CTL_WINDOW] = {"--window", "SPAN", "24h (the default), 7d or 30d",
			.choices = "24h 7d 30d "},
	[CTL_EMAIL] = {"--email", "EMAIL", "only signals of this email"},
	[CTL_USER_ID] = {"--user-id", "ID", "only signals of this user"},
	[CTL_ANONYMOUS_ID] = {"--anonymous-id", "ID", "only signals of this visitor"},
	[CTL_MESSAGE_ID] = {"--message-id", "ID", "only signals delivered under this id"},
	[CTL_REQUEST_ID] = {"--request-id", "ID", "only what came with this request"},
	[CTL_SOURCE] = {"--source", "SOURCE", "only what came from this source"},
	[CTL_EVENT] = {"--event", "EVENT", "only signals whose event has this name or type"},
	[CTL_STATUS] =
		{"--status", "STATUS",
		 "only those with this status: of signals and product-org updates pending, processing, completed, failed, skipped or permanently_failed, of signals cold_storage, too; of keys active, expired or deactivated; of tokens active, expired or revoked"},
	[CTL_TEXT] =
		{"--text", "TEXT",
		 "only what has this text in its payload, in whatever case; in a list it needs --since"},
	[CTL_UNTIL] = {"--until", "TIMESTAMP",
		       "only what was received before then, written as for --since"},
	[CTL_FORMAT] = {"--format", "FORMAT",
			"all of it as ndjson or csv, unless --limit says otherwise",
			.choices = store_formats},
	[CTL_LIMIT] =
		{"--limit", "NUMBER",
		 "print at most so many, up to 999: 20 by default of signals, rejected payloads, product orgs and the audit log, 200 of a key's history, else all"},
	[CTL_MATCH] =
		{"--match", "TEXT",
		 "only what has this text in its name, in whatever case; of product orgs in id, name or plan, of the audit log in the actor, action or object"},
	[CTL_PRODUCT_ORG] = {"--product-org", "ID",
			     "only updates of the product org with this id, the sender's"},
	[CTL_PLAN] = {"--plan", "PLAN", "only those with this plan, by its name or id"},
	[CTL_TRIAL_STATUS] = {"--trial-status", "STATUS", "only those with this trial status"},
	[CTL_CURRENCY] = {"--currency", "CODE", "a code of ISO 4217, such as EUR"},
	[CTL_SCOPE] =
		{"--scope", "SCOPE",
		 "what the token may be used for: read, keys (create and change them), rejects (replay and discard them), organization (its members and limit); may be given several times",
		 .choices = "read keys rejects organization ", .repeatable = true},
	[CTL_BEFORE] =
		{"--before", "NEXT",
		 "only older entries: the \"next\" that --json prints; an id, of rejected payloads, product-org updates, the audit log and a key's history"},
	[CTL_RAW] = {"--raw", NULL, "print the kept bytes unchanged, and nothing else"},
	[CTL_FILE] =
		{"--file", "FILE",
		 "replay the bytes of this file instead of the kept ones; - for standard input"},
	[CTL_EDIT] =
		{"--edit", NULL,
		 "edit the kept bytes first, with $VISUAL or $EDITOR, and replay what you have written"},
	[CTL_AGAIN] = {"--again", NULL, "replay even if already replayed or discarded"},
	[CTL_YES] = {"--yes", NULL, "do not ask first"},
	[CTL_KEEP] = {"--keep", "SPAN", "how long rows are kept: 90d, or forever"},
	[CTL_EXPIRED] = {"--expired", "ACTION",
			 "what becomes of a day that is over: drop it, or detach it and leave it",
			 .choices = "drop detach "},
	[CTL_EXAMPLE] = {"--example", NULL, "print an example configuration file"},
	[CTL_ARCHIVE] =
		{"--archive", "COMMAND",
		 "a program that gets each detached partition: called as COMMAND PARTITION TABLE FROM UNTIL, and if it succeeds, the partition is dropped"},
	[CTL_INTERVAL] = {"--interval", "SECONDS",
			  "between two readings: 2 by default, of tail 1, up to 3600"},
	[CTL_ONCE] = {"--once", NULL, "print one screen and exit"},
	[CTL_MANUAL] = {"--manual", NULL,
			"print the settings in mdoc, for the manual page sluice.conf(5)"},
};

const uint64_t ctl_common_options = CTL_BIT(CTL_CONFIG) | CTL_BIT(CTL_JSON) | CTL_BIT(CTL_HELP);

const char *ctl_choices(const struct ctl_command *command, unsigned option)
{
	return option == CTL_STATUS ? command->statuses : ctl_options[option].choices;
}

/*
 * ctl/command.c - the table of sluicectl's commands. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"
#include "store/search.h"

/* What chooses rows of each list that is searched, and what else such a list takes. */
#define FILTER (CTL_BIT(CTL_REQUEST_ID) | CTL_BIT(CTL_KEY) | CTL_BIT(CTL_TEXT))
#define FOUND                                                                                      \
	(FILTER | CTL_BIT(CTL_SINCE) | CTL_BIT(CTL_UNTIL) | CTL_BIT(CTL_LIMIT) |                   \
	 CTL_BIT(CTL_BEFORE) | CTL_BIT(CTL_FORMAT))

/* What chooses signals besides. */
#define SIGNALS                                                                                    \
	(CTL_BIT(CTL_EMAIL) | CTL_BIT(CTL_USER_ID) | CTL_BIT(CTL_ANONYMOUS_ID) |                   \
	 CTL_BIT(CTL_MESSAGE_ID) | CTL_BIT(CTL_SOURCE) | CTL_BIT(CTL_EVENT) | CTL_BIT(CTL_STATUS))

const struct ctl_command ctl_commands[] = {
	{.noun = "setup",
	 .optional = CTL_BIT(CTL_DRY_RUN) | CTL_BIT(CTL_DIRECTORY) | CTL_BIT(CTL_DATABASE) |
		     CTL_BIT(CTL_ADMIN) | CTL_BIT(CTL_FROM),
	 .run = ctl_setup,
	 .help = "Makes a cluster fit for use: creates the database (sluice, unless --database names another) and migrates it, lets the roles of workers, settings and maintenance log in, each as a system user of its own, and makes a role for the tool. "
		 "Adds what that needs to pg_hba.conf and pg_ident.conf; lines that it cannot write are printed. "
		 "Run it as a superuser: runuser -u postgres -- sluicectl setup. "
		 "At a terminal it asks for --database, --admin and --from where they are not given, and shows what it will do before it does it; with --json, or without a terminal, it never asks. "
		 "What is done already is left alone, so it can be repeated."},
	{.noun = "migrate",
	 .optional = CTL_BIT(CTL_DRY_RUN) | CTL_BIT(CTL_DIRECTORY) | CTL_BIT(CTL_DATABASE) |
		     CTL_BIT(CTL_REPAIR),
	 .database = true,
	 .run = ctl_migrate,
	 .help = "Brings the database schema up to date, in one transaction: applies the numbered migrations that are pending, and all functions, views, roles and rights again if one of them has changed. "
		 "Needs the rights of the database's owner and CREATEROLE. "
		 "Concurrent runs wait for each other. "
		 "Stops if an applied migration was changed or is missing, or if the database is newer than the files."},
	{.noun = "maintain",
	 .optional = CTL_BIT(CTL_ARCHIVE),
	 .database = true,
	 .run = ctl_maintain,
	 .help = "Runs the maintenance steps, each until nothing is left to do. "
		 "Folds product-org updates into the latest state of each product org. "
		 "Moves rows from the default partitions to the partitions of their days, creates the partitions of the coming days, and drops or detaches those past retention. "
		 "Adds up usage by month, and stages cold signals whose anonymous id has been identified. "
		 "Deletes what is older than \"retention list\" allows, and counts rows for the statistics. "
		 "Run it every few minutes, from any number of hosts. "
		 "It never blocks the intake for long: a table that is in use is left to the next run. "
		 "Exits with 1 if a step failed."},
	{.noun = "organization",
	 .verb = "create",
	 .argument = "NAME",
	 .argument_needed = true,
	 .database = true,
	 .run = ctl_organization_create,
	 .help = "Creates an organization, which members and keys belong to."},
	{.noun = "organization",
	 .verb = "rename",
	 .argument = "NAME",
	 .argument_needed = true,
	 .required = CTL_BIT(CTL_NAME),
	 .database = true,
	 .run = ctl_organization_rename,
	 .help = "Gives an organization another name. "
		 "Its keys and members stay as they are."},
	{.noun = "organization",
	 .verb = "currency",
	 .argument = "NAME",
	 .argument_needed = true,
	 .required = CTL_BIT(CTL_CURRENCY),
	 .database = true,
	 .run = ctl_organization_currency,
	 .help = "Says which currency the money of an organization's product orgs is in: USD, unless it is set. "
		 "Amounts stay as senders sent them, in its smallest unit."},
	{.noun = "organization",
	 .verb = "list",
	 .optional = CTL_BIT(CTL_MATCH) | CTL_BIT(CTL_LIMIT),
	 .database = true,
	 .run = ctl_organization_list,
	 .help = "Lists all organizations, with their number of members and of keys that are not deactivated."},
	{.noun = "organization",
	 .verb = "limit",
	 .argument = "NAME",
	 .argument_needed = true,
	 .optional = CTL_BIT(CTL_SIGNALS) | CTL_BIT(CTL_OVERAGES),
	 .database = true,
	 .run = ctl_organization_limit,
	 .help = "Sets how many signals an organization may send per month, and what happens at the limit: senders get 429, or, with overages, their signals are accepted and counted. "
		 "An option that is not given leaves its setting unchanged. "
		 "Prints the usage of the current month."},
	{.noun = "usage",
	 .optional = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_MATCH) | CTL_BIT(CTL_MONTH) |
		     CTL_BIT(CTL_LIMIT),
	 .database = true,
	 .run = ctl_usage,
	 .help = "Lists how many signals and product-org updates each organization sent in the current month (UTC) or another one, next to its present limit. "
		 "Duplicates and rejects do not count."},
	{.noun = "stats",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = CTL_BIT(CTL_WINDOW),
	 .database = true,
	 .run = ctl_stats,
	 .help = "Shows what an organization has received: signals by status, signals in cold storage, rejected payloads and duplicates; with --json also by hour or day and source. "
		 "The numbers are complete up to as_of."},
	{.noun = "signal",
	 .verb = "list",
	 .argument = "IDENTITY",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = SIGNALS | FOUND,
	 .database = true,
	 .statuses = store_search_statuses,
	 .run = ctl_signal_list,
	 .help = "Lists signals of an organization, staged and in cold storage, newest first: all that are kept, or those of an IDENTITY (an email, a phone number, or any id of the signal, of its person or request) and of all the options that are given. "
		 "Searches for up to ten seconds and says how far it came."},
	{.noun = "tail",
	 .argument = "IDENTITY",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = SIGNALS | FILTER | CTL_BIT(CTL_INTERVAL),
	 .database = true,
	 .statuses = store_search_statuses,
	 .run = ctl_tail,
	 .help = "Prints each signal of an organization as soon as it is stored, until it is interrupted or nobody reads on. "
		 "Begins with the latest ten, with --text of the last day. "
		 "With --json each signal as a line of JSON."},
	{.noun = "product-org",
	 .verb = "list",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = CTL_BIT(CTL_MATCH) | CTL_BIT(CTL_PLAN) | CTL_BIT(CTL_TRIAL_STATUS) |
		     CTL_BIT(CTL_LIMIT) | CTL_BIT(CTL_BEFORE) | CTL_BIT(CTL_FORMAT),
	 .database = true,
	 .run = ctl_product_org_list,
	 .help = "Lists the current state of an organization's product orgs, by their ids. "
		 "Money is in the organization's currency; with --json mrr is in its smallest unit, mrr_amount in the currency."},
	{.noun = "product-org",
	 .verb = "show",
	 .argument = "ID",
	 .argument_needed = true,
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = CTL_BIT(CTL_LIMIT) | CTL_BIT(CTL_BEFORE),
	 .database = true,
	 .run = ctl_product_org_show,
	 .help = "Shows the current state of a product org, by the sender's id, and its updates, newest first."},
	{.noun = "product-org",
	 .verb = "updates",
	 .argument = "IDENTITY",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = CTL_BIT(CTL_PRODUCT_ORG) | CTL_BIT(CTL_STATUS) | CTL_BIT(CTL_PLAN) |
		     CTL_BIT(CTL_TRIAL_STATUS) | FOUND,
	 .database = true,
	 .statuses = store_search_update_statuses,
	 .run = ctl_product_org_updates,
	 .help = "Lists product-org updates of an organization, newest first: all that are kept, or those of an IDENTITY (the id of the update, of its request or of its product org) and of all the options that are given. "
		 "Searches for up to ten seconds and says how far it came."},
	{.noun = "audit",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = CTL_BIT(CTL_MATCH) | CTL_BIT(CTL_SINCE) | CTL_BIT(CTL_UNTIL) |
		     CTL_BIT(CTL_LIMIT) | CTL_BIT(CTL_BEFORE),
	 .database = true,
	 .run = ctl_audit,
	 .help = "Lists the changes to an organization, and who made them, newest first."},
	{.noun = "member",
	 .verb = "add",
	 .required = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_USER) | CTL_BIT(CTL_ROLE),
	 .database = true,
	 .run = ctl_member_add,
	 .help = "Makes a user a member of an organization. "
		 "Owners, admins and editors manage keys; viewers see statistics. "
		 "An organization has one owner."},
	{.noun = "member",
	 .verb = "list",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = CTL_BIT(CTL_MATCH) | CTL_BIT(CTL_ROLE) | CTL_BIT(CTL_LIMIT),
	 .database = true,
	 .run = ctl_member_list,
	 .help = "Lists the members of an organization."},
	{.noun = "member",
	 .verb = "role",
	 .required = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_USER) | CTL_BIT(CTL_ROLE),
	 .database = true,
	 .run = ctl_member_role,
	 .help = "Gives a member another role. "
		 "--role owner passes the ownership on: the owner until then becomes an admin."},
	{.noun = "member",
	 .verb = "remove",
	 .required = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_USER),
	 .database = true,
	 .run = ctl_member_remove,
	 .help = "Removes a user from an organization. "
		 "The owner is removed once another member is the owner."},
	{.noun = "key",
	 .verb = "create",
	 .required = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_NAME),
	 .optional = CTL_BIT(CTL_ENDPOINT) | CTL_BIT(CTL_EXPIRES) | CTL_BIT(CTL_SECRET) |
		     CTL_BIT(CTL_TEMPLATE) | CTL_BIT(CTL_DELIVERY_ID) | CTL_BIT(CTL_ALLOW) |
		     CTL_BIT(CTL_SNIPPET),
	 .run = ctl_key_create,
	 .help = "Creates an API key and prints it, once: the database keeps only its hash. "
		 "The printed webhook URL begins with $BASE_URL. "
		 "Prints a curl command to try it, or what --snippet names."},
	{.noun = "key",
	 .verb = "snippet",
	 .argument = "ID",
	 .argument_needed = true,
	 .optional = CTL_BIT(CTL_SNIPPET),
	 .database = true,
	 .run = ctl_key_snippet,
	 .help = "Prints what a sender needs to use a key, ready to be pasted: all that fits the key, or what --snippet names. "
		 "Key and secret are not stored: YOUR-KEY and YOUR-SECRET stand for them. "
		 "URLs begin with $BASE_URL."},
	{.noun = "key",
	 .verb = "list",
	 .optional = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_MATCH) | CTL_BIT(CTL_ENDPOINT) |
		     CTL_BIT(CTL_STATUS) | CTL_BIT(CTL_LIMIT),
	 .statuses = "active expired deactivated ",
	 .database = true,
	 .run = ctl_key_list,
	 .help = "Lists the keys of one organization or of all. "
		 "The keys themselves are not shown."},
	{.noun = "key",
	 .verb = "show",
	 .argument = "ID",
	 .argument_needed = true,
	 .database = true,
	 .run = ctl_key_show,
	 .help = "Shows everything that is known about a key."},
	{.noun = "key",
	 .verb = "find",
	 .argument = "FILE",
	 .argument_needed = true,
	 .database = true,
	 .run = ctl_key_find,
	 .help = "Shows the key that a file holds (-: the standard input), alone or in an address to which a sender posts. "
		 "Only its SHA-256 is sent to the database. "
		 "A key that was mistyped or cut off is told apart from one that is not known."},
	{.noun = "key",
	 .verb = "edit",
	 .argument = "ID",
	 .argument_needed = true,
	 .optional = CTL_BIT(CTL_NAME) | CTL_BIT(CTL_EXPIRES) | CTL_BIT(CTL_TEMPLATE) |
		     CTL_BIT(CTL_TRY),
	 .database = true,
	 .run = ctl_key_edit,
	 .help = "Changes a key's name, expiration or payload template, for requests from now on. "
		 "A template is tried first, on the file of --try or on the latest payload that came with the key, and is not saved if the payload would be rejected."},
	{.noun = "key",
	 .verb = "rotate",
	 .argument = "ID",
	 .argument_needed = true,
	 .optional = CTL_BIT(CTL_OVERLAP) | CTL_BIT(CTL_EXPIRES),
	 .database = true,
	 .run = ctl_key_rotate,
	 .help = "Makes the successor of a key, with the same settings and, if the key has a secret, a secret of its own, and prints it, once. "
		 "The old key stays valid for the overlap and then expires. "
		 "A delivery that came with one of them is a repeat with the other, too. "
		 "The successor expires when the old key would have, unless --expires says otherwise."},
	{.noun = "key",
	 .verb = "history",
	 .argument = "ID",
	 .argument_needed = true,
	 .optional = CTL_BIT(CTL_LIMIT) | CTL_BIT(CTL_BEFORE),
	 .database = true,
	 .run = ctl_key_history,
	 .help = "Lists the changes to a key, newest first, and what was changed in its payload template."},
	{.noun = "key",
	 .verb = "refusals",
	 .argument = "ID",
	 .argument_needed = true,
	 .database = true,
	 .run = ctl_key_refusals,
	 .help = "Says why requests with a key were refused, how many and when the last one was, and what to do about it. "
		 "A request with only a part of the key cannot be told to be meant for it."},
	{.noun = "key",
	 .verb = "volumes",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = CTL_BIT(CTL_KEY) | CTL_BIT(CTL_LIMIT),
	 .database = true,
	 .run = ctl_key_volumes,
	 .help = "Lists how much came with the keys of an organization today and on the six days before (UTC), the busiest key first: what was accepted, items that were rejected and requests that were refused, and when the last of each came. "
		 "Keys with which nothing came are left out, unless --key names one."},
	{.noun = "key",
	 .verb = "test",
	 .argument = "ID",
	 .argument_needed = true,
	 .database = true,
	 .run = ctl_key_test,
	 .help = "Stores an event as if a sender had sent it with a key: a signal, or an update of a product org of its own that fits the key's template, marked by \"test\": true in its payload. "
		 "So what consumers make of it can be seen without a sender. "
		 "It counts as a signal does. "
		 "Key, secret, networks and limit are not tried, nor is the web server: \"key snippet\" prints what does that."},
	{.noun = "key",
	 .verb = "networks",
	 .argument = "ID",
	 .argument_needed = true,
	 .required = CTL_BIT(CTL_ALLOW),
	 .database = true,
	 .run = ctl_key_networks,
	 .help = "Sets the networks from which requests with a key are accepted, in place of those that it has, from the next request on. "
		 "Requests from elsewhere are refused with 403. "
		 "Behind proxies the workers need to know which: see trusted_proxies in sluice.conf(5)."},
	{.noun = "key",
	 .verb = "deactivate",
	 .argument = "ID",
	 .argument_needed = true,
	 .database = true,
	 .run = ctl_key_deactivate,
	 .help = "Deactivates a key for good: from now on no request with it is accepted. "
		 "Deactivating it again changes nothing."},
	{.noun = "token",
	 .verb = "create",
	 .required = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_USER) | CTL_BIT(CTL_NAME) |
		     CTL_BIT(CTL_SCOPE) | CTL_BIT(CTL_EXPIRES),
	 .database = true,
	 .run = ctl_token_create,
	 .help = "Creates a token, by which a program uses the settings API, and prints it, once: the database keeps only its hash. "
		 "It acts for a member, with the role that the member has at that time: an editor, admin or owner, for organization an admin or owner. "
		 "It expires within 366 days, and is revoked when the member leaves."},
	{.noun = "token",
	 .verb = "list",
	 .optional = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_MATCH) | CTL_BIT(CTL_STATUS) |
		     CTL_BIT(CTL_LIMIT),
	 .database = true,
	 .statuses = "active expired revoked ",
	 .run = ctl_token_list,
	 .help = "Lists the tokens of an organization or of all, without the tokens themselves, with their user, scopes, expiration and last use."},
	{.noun = "token",
	 .verb = "revoke",
	 .argument = "ID",
	 .argument_needed = true,
	 .database = true,
	 .run = ctl_token_revoke,
	 .help = "Revokes a token for good: from now on no request with it is accepted. "
		 "Revoking it again changes nothing."},
	{.noun = "secret",
	 .verb = "enable",
	 .argument = "ID",
	 .argument_needed = true,
	 .optional = CTL_BIT(CTL_OVERLAP),
	 .database = true,
	 .run = ctl_secret_enable,
	 .help = "Gives the key with this id a secret, and prints it, once. "
		 "Requests are accepted without it, too, for the overlap."},
	{.noun = "secret",
	 .verb = "rotate",
	 .argument = "ID",
	 .argument_needed = true,
	 .optional = CTL_BIT(CTL_OVERLAP),
	 .database = true,
	 .run = ctl_secret_rotate,
	 .help = "Gives the key with this id another secret, and prints it, once. "
		 "The old secret stays valid for the overlap. "
		 "No third one can be valid: until the overlap is over, rotate with --overlap 0h only."},
	{.noun = "secret",
	 .verb = "retire",
	 .argument = "ID",
	 .argument_needed = true,
	 .database = true,
	 .run = ctl_secret_retire,
	 .help = "Ends the overlap of two secrets now: from now on the new one is needed."},
	{.noun = "secret",
	 .verb = "remove",
	 .argument = "ID",
	 .argument_needed = true,
	 .database = true,
	 .run = ctl_secret_remove,
	 .help = "Takes the secrets from the key with this id: from now on requests need none."},
	{.noun = "template",
	 .verb = "try",
	 .required = CTL_BIT(CTL_TEMPLATE) | CTL_BIT(CTL_PAYLOAD),
	 .run = ctl_template_try,
	 .help = "Shows the rows that a payload template makes of a payload, with warnings for values it cannot use, or what is wrong with either file and where. "
		 "Needs no database."},
	{.noun = "rejected",
	 .verb = "list",
	 .argument = "IDENTITY",
	 .optional = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_CODE) | CTL_BIT(CTL_STATE) |
		     CTL_BIT(CTL_SOURCE) | FOUND,
	 .database = true,
	 .run = ctl_rejected_list,
	 .help = "Lists what arrived with a valid key but could not be stored: bad items of batches and unreadable bodies, newest first, of one organization or of all. "
		 "With an IDENTITY only those whose kept bytes hold this email or id, not as a part of a longer one, or that or whose request have this id; and of all the options that are given. "
		 "Searches for up to ten seconds and says how far it came."},
	{.noun = "rejected",
	 .verb = "kinds",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = CTL_BIT(CTL_LIMIT) | CTL_BIT(CTL_BEFORE),
	 .database = true,
	 .run = ctl_rejected_kinds,
	 .help = "Counts the open payloads of an organization by reason and key, the most frequent kinds first. \"rejected replay --code CODE --key ID\" replays all of one."},
	{.noun = "rejected",
	 .verb = "show",
	 .argument = "ID",
	 .argument_needed = true,
	 .optional = CTL_BIT(CTL_RAW),
	 .database = true,
	 .run = ctl_rejected_show,
	 .help = "Shows why a payload was rejected and where it is bad, and the beginning of its bytes."},
	{.noun = "rejected",
	 .verb = "replay",
	 .argument = "ID",
	 .optional = CTL_BIT(CTL_FILE) | CTL_BIT(CTL_EDIT) | CTL_BIT(CTL_AGAIN) |
		     CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_SINCE) | CTL_BIT(CTL_KEY) |
		     CTL_BIT(CTL_CODE) | CTL_BIT(CTL_YES) | CTL_BIT(CTL_DRY_RUN),
	 .database = true,
	 .run = ctl_rejected_replay,
	 .help = "Reads the bytes of a rejected payload, or those of a repaired file, as if the sender had just sent them. "
		 "With --edit, your editor opens with the kept bytes; they stay kept as they are, and what is stored has a warning that it was edited. "
		 "Stores the signals or product-org updates under the same key and marks the payload as replayed, in one transaction. "
		 "If anything is still bad, reports it and stores nothing. "
		 "Without an ID: replays all that --key, --code, --since and --organization choose and that are still open, each by itself, the oldest first. "
		 "At a terminal it shows how many those are and of what kinds, and asks before it replays them; with --yes or --json, or without a terminal, it never asks. "
		 "--dry-run reads them in the same way, looks at the limit of the month, and stores nothing."},
	{.noun = "rejected",
	 .verb = "discard",
	 .argument = "ID",
	 .argument_needed = true,
	 .database = true,
	 .run = ctl_rejected_discard,
	 .help = "Marks a rejected payload as not needed, so that it is no longer open. "
		 "Its bytes stay until the retention is over; \"rejected replay ID --again\" still stores them."},
	{.noun = "person",
	 .verb = "show",
	 .argument = "IDENTITY",
	 .argument_needed = true,
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = CTL_BIT(CTL_LIMIT),
	 .database = true,
	 .run = ctl_person_show,
	 .help = "Lists the signals of an organization that name a person: by email, phone, or one of their ids. "
		 "With --json their payloads, too."},
	{.noun = "person",
	 .verb = "delete",
	 .argument = "IDENTITY",
	 .argument_needed = true,
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .database = true,
	 .run = ctl_person_delete,
	 .help = "Deletes what \"person show\" lists, and what consumers know of it. "
		 "The audit log says that it was done, not of whom."},
	{.noun = "retention",
	 .verb = "list",
	 .optional = CTL_BIT(CTL_MATCH) | CTL_BIT(CTL_LIMIT),
	 .database = true,
	 .run = ctl_retention_list,
	 .help = "Lists how long the tables keep what is in them."},
	{.noun = "retention",
	 .verb = "set",
	 .argument = "TABLE",
	 .argument_needed = true,
	 .required = CTL_BIT(CTL_KEEP),
	 .optional = CTL_BIT(CTL_EXPIRED),
	 .database = true,
	 .run = ctl_retention_set,
	 .help = "Sets how long a table keeps what is in it. "
		 "The next run of maintain acts on it."},
	{.noun = "config",
	 .optional = CTL_BIT(CTL_EXAMPLE) | CTL_BIT(CTL_MANUAL),
	 .run = ctl_config,
	 .help = "Prints the effective settings of the workers, and where each comes from: the default, the file or the environment. "
		 "Passwords are hidden."},
	{.noun = "check",
	 .optional = CTL_BIT(CTL_DIRECTORY),
	 .run = ctl_check,
	 .help = "Checks that the database is set up to lose nothing that was accepted: schema version, roles and privileges, durability, partitions. "
		 "Exits with 1 if a check failed; warnings do not count."},
	{.noun = "top",
	 .optional = CTL_BIT(CTL_INTERVAL) | CTL_BIT(CTL_ONCE),
	 .run = ctl_top,
	 .help = "Shows on one screen, again and again, whether Sluice is up, whether it keeps up, and which keys fail and why. "
		 "The workers' counters come from the metrics_file of this host, so run it there, as root or the workers' user; the rest comes from the database. "
		 "With --json once, an object."},
	{.noun = "version", .run = ctl_version, .help = "Prints the version of the program."},
	{.noun = "help",
	 .argument = "COMMAND",
	 .run = ctl_help,
	 .help = "Prints the help of a command, or of all commands."},
};

const size_t ctl_command_count = ARRAY_LENGTH(ctl_commands);

/*
 * ctl/ctl_internal.h - what the parts of sluicectl share.
 *
 *   ctl/ctl.c           from the arguments to the command and its exit status
 *   ctl/command.c       the table of commands
 *   ctl/option.c        the table of options
 *   ctl/parse.c         reads the arguments by it
 *   ctl/help.c          prints the help from it
 *   ctl/argument.c      timestamps, ids, files and what chooses rows of a list
 *   ctl/ask.c           questions to the person at the terminal
 *   ctl/message.c       error messages
 *   ctl/terminal.c      the terminal's width and colours, and text that is safe for it
 *   ctl/table.c         tables that fit the terminal
 *   ctl/print.c         lists and items as tables or JSON
 *   ctl/organization.c  organization …, member …
 *   ctl/usage.c         usage, organization limit
 *   ctl/key.c           key create, snippet, list, show, deactivate
 *   ctl/key_change.c    key edit, key rotate, key history, secret …
 *   ctl/key_networks.c  key networks
 *   ctl/key_refusals.c  key refusals
 *   ctl/key_find.c      key find
 *   ctl/key_volumes.c   key volumes
 *   ctl/key_test.c      key test
 *   ctl/document.c      stats, audit
 *   ctl/product_org.c   product-org …
 *   ctl/export.c        --format, and asking for documents
 *   ctl/search.c        a filter from options, and answers that may not be the end
 *   ctl/signal.c        signal list, tail
 *   ctl/template.c      template …
 *   ctl/rejected.c      rejected list, rejected kinds, rejected show, rejected discard
 *   ctl/replay.c        rejected replay
 *   ctl/editor.c        the operator's editor
 *   ctl/person.c        person …
 *   ctl/retention.c     retention …
 *   ctl/setup.c         setup
 *   ctl/migrate.c       migrate
 *   ctl/diff.c          the lines in which two texts differ
 *   ctl/maintain.c      maintain
 *   ctl/archive.c       maintain --archive
 *   ctl/program.c       runs a program of the operator's
 *   ctl/check.c         check
 *   ctl/config.c        config, version
 *   ctl/top.c           top
 *   ctl/top_sample.c    what top measures
 *
 * Only the tables know which commands and options there are: parser and help come from them, and a
 * test compares the manual page with them.
 */
#ifndef CTL_CTL_INTERNAL_H
#define CTL_CTL_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "store/document.h"
#include "store/entity.h"
#include "store/store.h"

/* Exit statuses; documented by --help and sluicectl(1). */
enum ctl_exit {
	CTL_FINE = 0,
	CTL_FAILED = 1,	     /* the database refused it, or a check failed */
	CTL_USAGE = 2,	     /* wrong arguments */
	CTL_UNREACHABLE = 3, /* no answer from the database */
};

enum ctl_option {
	CTL_CONFIG,
	CTL_JSON,
	CTL_HELP,
	CTL_DRY_RUN,
	CTL_DIRECTORY,
	CTL_DATABASE,
	CTL_REPAIR,
	CTL_ADMIN,
	CTL_FROM,
	CTL_ORGANIZATION,
	CTL_USER,
	CTL_ROLE,
	CTL_NAME,
	CTL_ENDPOINT,
	CTL_EXPIRES,
	CTL_SECRET,
	CTL_TEMPLATE,
	CTL_DELIVERY_ID,
	CTL_SNIPPET,
	CTL_OVERLAP,
	CTL_TRY,
	CTL_ALLOW,
	CTL_SIGNALS,
	CTL_OVERAGES,
	CTL_MONTH,
	CTL_PAYLOAD,
	CTL_SINCE,
	CTL_KEY,
	CTL_CODE,
	CTL_STATE,
	CTL_WINDOW,
	CTL_EMAIL,
	CTL_USER_ID,
	CTL_ANONYMOUS_ID,
	CTL_MESSAGE_ID,
	CTL_REQUEST_ID,
	CTL_SOURCE,
	CTL_EVENT,
	CTL_STATUS,
	CTL_TEXT,
	CTL_UNTIL,
	CTL_FORMAT,
	CTL_LIMIT,
	CTL_MATCH,
	CTL_PRODUCT_ORG,
	CTL_PLAN,
	CTL_TRIAL_STATUS,
	CTL_CURRENCY,
	CTL_SCOPE,
	CTL_BEFORE,
	CTL_RAW,
	CTL_FILE,
	CTL_EDIT,
	CTL_AGAIN,
	CTL_YES,
	CTL_KEEP,
	CTL_EXPIRED,
	CTL_EXAMPLE,
	CTL_MANUAL,
	CTL_ARCHIVE,
	CTL_INTERVAL,
	CTL_ONCE,
	CTL_OPTION_COUNT
};

/* A set of options. */
#define CTL_BIT(option) (UINT64_C(1) << (option))

struct ctl;
struct template;

struct ctl_command {
	const char *noun;
	const char *verb;     /* NULL: the noun alone */
	const char *argument; /* "NAME", or NULL when there is none */
	bool argument_needed;
	uint64_t required; /* options, as CTL_BIT */
	uint64_t optional;
	const char *statuses; /* choices of --status */
	bool database;	      /* needs a connection before it runs */
	enum ctl_exit (*run)(struct ctl *ctl);
	const char *help; /* sentences, not wrapped */
};

/* What an output stream is; all zero: no terminal. */
struct ctl_screen {
	size_t columns; /* 0: not known, or no terminal */
	bool colours;
};

/* One run of the tool. */
struct ctl {
	const struct ctl_command *command; /* NULL: the words name none */
	const char *words[2];		   /* that do, or of which help is asked for */
	const char *argument;
	const char *values[CTL_OPTION_COUNT]; /* NULL: not given; "" for those without value */
	struct arena arena;
	struct buf out;		  /* for the standard output stream, at the end */
	struct ctl_screen screen; /* what that is */
	struct pg_connection *db;
	struct store store;
};

static inline bool ctl_has(const struct ctl *ctl, enum ctl_option option)
{
	return ctl->values[option] != NULL;
}

/* An option's value; absent when it was not given. */
static inline struct slice ctl_value(const struct ctl *ctl, enum ctl_option option)
{
	return slice_of(ctl->values[option]);
}

/* ---- ctl/command.c, ctl/option.c ---- */

struct ctl_option_text {
	const char *name;  /* "--json" */
	const char *value; /* NULL: takes none */
	const char *help;
	bool repeatable;     /* its values are joined by commas */
	const char *choices; /* the values it may have, each with a blank behind it; NULL: any */
};

extern const struct ctl_option_text ctl_options[CTL_OPTION_COUNT];

/* The values that an option of a command may have, as in struct ctl_option_text; NULL: any. */
const char *ctl_choices(const struct ctl_command *command, unsigned option);

/* The options that every command takes, as CTL_BIT. */
extern const uint64_t ctl_common_options;

extern const struct ctl_command ctl_commands[];
extern const size_t ctl_command_count;

/* ---- ctl/parse.c ---- */

/* Reads the arguments. On CTL_USAGE the message is printed, and ctl->command set if it is known. */
enum ctl_exit ctl_parse(struct ctl *ctl, int argc, char *const argv[]);

/* Prints that the first count words, 1 or 2, are not a command. */
enum ctl_exit ctl_unknown_command(struct ctl *ctl, const char *const words[], int count);

/* ---- ctl/help.c ---- */

/* Prints the help of the commands that ctl->words name, or of all. */
enum ctl_exit ctl_help(struct ctl *ctl);

/* Appends how the command is called, or those that the words may mean. */
void ctl_add_usage(struct buf *out, const struct ctl *ctl);

/* ---- ctl/argument.c ---- */

/* True for 90d, 12h: a number and w, d, h, m or s. */
bool ctl_is_span(const char *text);

/* Reads an option as a timestamp: ISO 8601, a date, or a span from now on (90d); with sign "-" a
 * span until now. On failure the message is printed. */
enum ctl_exit ctl_read_timestamp(struct ctl *ctl, enum ctl_option option, const char *sign,
				 struct store_timestamp *timestamp);

/* Sets *text to the time of an option such as --since, a span meaning until now; it stays as it is
 * without the option. On failure the message is printed. */
enum ctl_exit ctl_read_past(struct ctl *ctl, enum ctl_option option, struct slice *text);

/* Reads the argument as the id of a noun; on CTL_USAGE the message is printed. */
enum ctl_exit ctl_read_id(const struct ctl *ctl, const char *noun, int64_t *id);

/* Checks that an option is an id if it is given. On CTL_USAGE the message is printed. */
enum ctl_exit ctl_check_id(const struct ctl *ctl, enum ctl_option option);

enum { CTL_LIMIT_MAX = 999 };

/* Checks --limit. On CTL_USAGE the message is printed. */
enum ctl_exit ctl_check_limit(const struct ctl *ctl);

/* Reads the options that say which rows of a list, with --limit. On CTL_USAGE the message is
 * printed. */
enum ctl_exit ctl_read_selection(const struct ctl *ctl, struct store_selection *selection);

/* Reads a whole file, which is called what in messages; on failure the message is printed. */
enum ctl_exit ctl_read_file(struct ctl *ctl, const char *what, const char *path, size_t max_bytes,
			    struct slice *text);

/* ---- ctl/ask.c ---- */

/* True if a person reads and answers: input and output are a terminal, and not --json. */
bool ctl_may_ask(const struct ctl *ctl);

/* Asks, after all that is in ctl->out; an empty answer is the usual one. On failure, as at the end
 * of input, the message is printed. */
enum ctl_exit ctl_ask(struct ctl *ctl, const char *question, const char *usual,
		      const char **answer);

/* The same of what is to be done: *agreed if the answer is "yes" or "y". */
enum ctl_exit ctl_agree(struct ctl *ctl, const char *question, const char *usual, bool *agreed);

/* ---- ctl/message.c ---- */

/* Prints "sluicectl: …" and, unless hint is NULL, "HINT: …" to the standard error stream, escaped
 * and without keys. Returns status. */
enum ctl_exit ctl_fail(enum ctl_exit status, const char *hint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with what the server adds to its last error: its DETAIL, and its HINT instead of this.
 */
enum ctl_exit ctl_fail_server(const struct ctl *ctl, enum ctl_exit status, const char *hint,
			      const char *format, ...) __attribute__((format(printf, 4, 5)));

void ctl_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ctl_fail() for a failed call of the database, or of another module. */
enum ctl_exit ctl_fail_status(const struct ctl *ctl, enum status status);

/* The exit status for a failed call of the database. */
enum ctl_exit ctl_exit_of(enum status status);

/* ---- ctl/terminal.c ---- */

enum ctl_colour { CTL_PLAIN, CTL_BOLD, CTL_RED, CTL_GREEN, CTL_YELLOW };

struct ctl_screen ctl_screen_of(int fd);

/* Appends what makes the text behind it so, where colours are wanted. */
void ctl_add_colour(struct buf *out, const struct ctl_screen *screen, enum ctl_colour colour);

/* Appends text for a terminal, with control characters and those that change the direction of
 * text escaped; out NULL: appends nothing. Returns how many columns it takes. */
size_t ctl_add_escaped(struct buf *out, struct slice text);

/* The same of the characters that fit into so many columns; *text is the rest. */
size_t ctl_add_fitting(struct buf *out, struct slice *text, size_t columns);

/* ---- ctl/table.c ---- */

enum { CTL_TABLE_COLUMNS_MAX = 16 };

struct ctl_table {
	const char *const *headings;
	size_t columns;
	const struct slice *cells; /* rows * columns; an absent one is "-" */
	size_t rows;
	bool wraps; /* the last column takes as many lines as it needs, and is never cut */
};

/* Appends a table, aligned. What does not fit the screen is cut with an ellipsis. */
void ctl_add_table(struct buf *out, const struct ctl_screen *screen, const struct ctl_table *table);

/* ---- ctl/print.c ---- */

/* Appends the table of a list, or of an item's properties and values. */
enum ctl_exit ctl_add_list(struct ctl *ctl, const struct store_list *list);
enum ctl_exit ctl_add_item(struct ctl *ctl, const struct store_entity *entity, const void *item);

/* Appends a tree on a line of its own, and frees it. */
enum ctl_exit ctl_add_tree(struct ctl *ctl, struct json_tree *tree);

/* Appends a list or an item in the form that is asked for: its table, or JSON, which is always an
 * object. That of a list has its items in the array of this name. */
enum ctl_exit ctl_print_list(struct ctl *ctl, const char *array, const struct store_list *list);
enum ctl_exit ctl_print_item(struct ctl *ctl, const struct store_entity *entity, const void *item);

/* Appends the lines in which two texts differ, with a few around them. */
enum ctl_exit ctl_add_diff(struct ctl *ctl, struct slice before, struct slice after);

/* Writes ctl->out to the standard output stream and empties it. On failure the message is
 * printed. */
enum ctl_exit ctl_flush(struct ctl *ctl);

/* ---- ctl/program.c ---- */

/* Runs a program, found by PATH, with its arguments, and waits for it. What it prints goes to the
 * standard error stream. Returns NULL when it exits with 0, else why not, from the arena. */
const char *ctl_run_program(struct arena *arena, const struct slice words[], size_t count);

/* ---- ctl/archive.c ---- */

/* What became of a detached partition. */
struct ctl_archived {
	struct slice partition;
	struct slice result;  /* "archived" or "failed" */
	struct slice message; /* why it failed; else absent */
};

extern const struct store_entity ctl_archived_entity;

/* Hands the detached partitions to the program of --archive, the oldest first, until end_ms. Lists
 * those that it was run for (struct ctl_archived). On failure messages are printed. */
enum ctl_exit ctl_archive(struct ctl *ctl, int64_t end_ms, struct store_list *archived);

/* ---- the commands ---- */

enum ctl_exit ctl_organization_create(struct ctl *ctl);
enum ctl_exit ctl_organization_rename(struct ctl *ctl);
enum ctl_exit ctl_organization_currency(struct ctl *ctl);
enum ctl_exit ctl_organization_list(struct ctl *ctl);
enum ctl_exit ctl_organization_limit(struct ctl *ctl);
enum ctl_exit ctl_usage(struct ctl *ctl);
enum ctl_exit ctl_member_add(struct ctl *ctl);
enum ctl_exit ctl_member_list(struct ctl *ctl);
enum ctl_exit ctl_member_remove(struct ctl *ctl);
enum ctl_exit ctl_key_create(struct ctl *ctl);
enum ctl_exit ctl_key_snippet(struct ctl *ctl);
enum ctl_exit ctl_key_list(struct ctl *ctl);
enum ctl_exit ctl_key_show(struct ctl *ctl);
enum ctl_exit ctl_key_deactivate(struct ctl *ctl);
enum ctl_exit ctl_token_create(struct ctl *ctl);
enum ctl_exit ctl_token_list(struct ctl *ctl);
enum ctl_exit ctl_token_revoke(struct ctl *ctl);
enum ctl_exit ctl_key_edit(struct ctl *ctl);
enum ctl_exit ctl_key_refusals(struct ctl *ctl);
enum ctl_exit ctl_key_volumes(struct ctl *ctl);
enum ctl_exit ctl_key_test(struct ctl *ctl);
enum ctl_exit ctl_member_role(struct ctl *ctl);
enum ctl_exit ctl_key_find(struct ctl *ctl);
enum ctl_exit ctl_key_rotate(struct ctl *ctl);
enum ctl_exit ctl_key_history(struct ctl *ctl);
enum ctl_exit ctl_secret_enable(struct ctl *ctl);
enum ctl_exit ctl_secret_rotate(struct ctl *ctl);
enum ctl_exit ctl_secret_retire(struct ctl *ctl);
enum ctl_exit ctl_secret_remove(struct ctl *ctl);
enum ctl_exit ctl_key_networks(struct ctl *ctl);
enum ctl_exit ctl_stats(struct ctl *ctl);
enum ctl_exit ctl_signal_list(struct ctl *ctl);
enum ctl_exit ctl_tail(struct ctl *ctl);
enum ctl_exit ctl_product_org_list(struct ctl *ctl);
enum ctl_exit ctl_product_org_show(struct ctl *ctl);
enum ctl_exit ctl_product_org_updates(struct ctl *ctl);
enum ctl_exit ctl_audit(struct ctl *ctl);
enum ctl_exit ctl_template_try(struct ctl *ctl);
enum ctl_exit ctl_rejected_list(struct ctl *ctl);
enum ctl_exit ctl_rejected_kinds(struct ctl *ctl);
enum ctl_exit ctl_rejected_show(struct ctl *ctl);
enum ctl_exit ctl_rejected_replay(struct ctl *ctl);
enum ctl_exit ctl_rejected_discard(struct ctl *ctl);
enum ctl_exit ctl_person_show(struct ctl *ctl);
enum ctl_exit ctl_person_delete(struct ctl *ctl);
enum ctl_exit ctl_retention_list(struct ctl *ctl);
enum ctl_exit ctl_retention_set(struct ctl *ctl);
enum ctl_exit ctl_setup(struct ctl *ctl);
enum ctl_exit ctl_migrate(struct ctl *ctl);
enum ctl_exit ctl_maintain(struct ctl *ctl);
enum ctl_exit ctl_check(struct ctl *ctl);
enum ctl_exit ctl_top(struct ctl *ctl);
enum ctl_exit ctl_config(struct ctl *ctl);
enum ctl_exit ctl_version(struct ctl *ctl);

/* ---- shared by commands ---- */

/* Reads the file of --template and compiles it; on failure the message is printed. */
enum ctl_exit ctl_read_template(struct ctl *ctl, struct slice *text, struct template **compiled);

/* Tries a template on a payload: that of a file, or with payload one that is called path in
 * messages. Unless quiet, appends the rows. CTL_FINE if all items would be stored; else the message
 * is printed. */
enum ctl_exit ctl_try_template(struct ctl *ctl, const struct template *compiled, const char *path,
			       struct slice payload, bool quiet);

/* Reads --expires: a timestamp that is not past, or "never", which is "infinity". On failure the
 * message is printed. */
enum ctl_exit ctl_read_expires(struct ctl *ctl, struct slice *expires_at);

/* Appends 'key 7 "its name"'. */
struct store_key;
void ctl_add_key(struct buf *out, const struct store_key *key);

/* Prints a new key, with its secret if it has one, at once: one that could not be shown is of no
 * use. old is the key that it replaces, or NULL. */
struct new_key;
enum ctl_exit ctl_print_new_key(struct ctl *ctl, const struct store_key *key,
				const struct new_key *made, const struct store_key *old);

/* Finds the values at count paths of a JSON document; cells[i] is the one at paths[i]: what a
 * string means, any other as it is written, absent for null. */
enum { CTL_PATH_BYTES = 128 };
enum status ctl_find_cells(struct arena *arena, struct slice json, char (*paths)[CTL_PATH_BYTES],
			   size_t count, struct slice *cells);

/* A column of a table, and the member it shows. */
struct ctl_field {
	const char *heading, *member;
};

/* Prints a document as one line. Returns CTL_FINE. */
enum ctl_exit ctl_add_document(struct ctl *ctl, struct slice json);

/* Prints a table of the objects of an array of a document, all of which have the first member. */
enum ctl_exit ctl_print_rows(struct ctl *ctl, struct slice json, const char *array,
			     const struct ctl_field *fields, size_t columns);

/* Checks --format and --limit. On CTL_USAGE the message is printed. */
enum ctl_exit ctl_check_format(const struct ctl *ctl);

/* Asks for a document of store/document.h; on failure the message is printed. */
enum ctl_exit ctl_ask_document(struct ctl *ctl, enum store_document document,
			       const struct store_question *question, struct slice *answer);

/* Prints the rows of a document in --format, all or up to --limit. */
struct store_export;
enum ctl_exit ctl_export(struct ctl *ctl, enum store_document document,
			 const struct store_export *what, struct store_question *question);

/* ---- ctl/search.c ---- */

/* Reads the filter of a search: the argument, an identity, and the options; values has what they
 * leave open, by enum store_search. On failure the message is printed. */
enum ctl_exit ctl_read_search(struct ctl *ctl, struct slice *values, struct slice *filter);

/* Searches a list that takes a filter, and prints what is found: a table of what's array with these
 * columns, in --format, or as the database wrote it. On failure the message is printed. */
enum ctl_exit ctl_search(struct ctl *ctl, enum store_document document,
			 const struct store_export *what, const struct ctl_field *fields,
			 size_t columns);

/* Prints what was appended, and says how to go on behind an answer with a "next". On failure the
 * message is printed. */
enum ctl_exit ctl_say_next(struct ctl *ctl, struct slice answer);

/* ---- of single commands ---- */

/* Reads --interval; *seconds is unchanged without it. On CTL_USAGE the message is printed. In
 * ctl/top.c. */
enum ctl_exit ctl_read_interval(const struct ctl *ctl, int64_t *seconds);

/* Reads --allow as a JSON array of texts, in the arena; absent without it, and for "all". On
 * failure the message is printed. In ctl/key_networks.c. */
enum ctl_exit ctl_read_networks(struct ctl *ctl, struct slice *networks);

/* Has the operator edit bytes with $VISUAL or $EDITOR, in a file that only its user can read; *path
 * is that file, for the caller to remove. On failure the message is printed, and no file is left.
 */
enum ctl_exit ctl_edit(struct ctl *ctl, struct slice bytes, const char **path);

/* Reads the options that say which rejected payloads: --organization, --since, --key and --code. On
 * failure the message is printed. */
struct store_rejected_filter;
enum ctl_exit ctl_read_filter(struct ctl *ctl, struct store_rejected_filter *filter);

/* The directory of the migrations: --directory, $SLUICE_MIGRATIONS, or the installed one. */
const char *ctl_migrations(const struct ctl *ctl);

/* ---- ctl/ctl.c ---- */

/* Connects; on failure the message is printed. */
enum ctl_exit ctl_connect(struct ctl *ctl);

/* The deadline of a call that is made now. */
int64_t ctl_deadline(void);

/* Where requests go: $BASE_URL without slashes at its end, or a name in its place. In ctl/key.c. */
struct slice ctl_base_url(void);

#endif

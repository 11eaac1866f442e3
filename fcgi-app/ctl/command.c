/*
 * ctl/command.c - the table of sluicectl's commands and options; reads the arguments by it and
 * prints the help from it. See ctl/ctl.h.
 */
#include "ctl/ctl.h"

#include <string.h>

static const struct {
	const char *name;
	const char *value; /* NULL: takes none */
	const char *help;
} options[CTL_OPTION_COUNT] = {
	[CTL_CONFIG] = {"--config", "FILE",
			"the configuration file, instead of $SLUICE_CONFIG or the installed one"},
	[CTL_JSON] = {"--json", NULL, "print one line of JSON instead of text"},
	[CTL_HELP] = {"--help", NULL, "print the help of the command and do nothing"},
	[CTL_DRY_RUN] = {"--dry-run", NULL, "say what would be applied, and change nothing"},
	[CTL_DIRECTORY] = {"--directory", "DIR",
			   "where the migrations are, instead of $SLUICE_MIGRATIONS or the "
			   "installed ones"},
	[CTL_ORGANIZATION] = {"--organization", "NAME", "the organization's name"},
	[CTL_USER] = {"--user", "USER", "the user, as the web server names it"},
	[CTL_ROLE] = {"--role", "ROLE", "owner, admin, editor or viewer"},
	[CTL_NAME] = {"--name", "TEXT", "what people will call the key, 1 to 200 characters"},
	[CTL_ENDPOINT] = {"--endpoint", "TYPE", "signal_staging (the default) or product_orgs"},
	[CTL_EXPIRES] = {"--expires", "TIMESTAMP",
			 "when the key ends: 2031-05-01T12:00:00Z, 2031-05-01 (midnight UTC), or "
			 "from now on 90d, 12h (units w, d, h, m, s)"},
	[CTL_SECRET] = {"--secret", NULL,
			"make a secret too, which every request must carry in X-Api-Secret"},
	[CTL_TEMPLATE] = {"--template", "FILE",
			  "the payload template of a product_orgs key: a JSON object, see "
			  "sluicectl(1)"},
	[CTL_SIGNALS] = {"--signals", "NUMBER",
			 "how many signals a calendar month (UTC) may have; 0: any number"},
	[CTL_OVERAGES] = {"--overages", "STATE",
			  "on: signals beyond the limit are accepted and counted; off: refused"},
	[CTL_MONTH] = {"--month", "YYYY-MM", "another month than this one (UTC)"},
	[CTL_PAYLOAD] = {"--payload", "FILE",
			 "a payload as a sender delivers it, an object or an array of them"},
	[CTL_SINCE] = {"--since", "TIMESTAMP",
		       "received at this timestamp or later: 2031-05-01T12:00:00Z, 2031-05-01 "
		       "(midnight UTC), or until now 90d, 12h (units w, d, h, m, s)"},
	[CTL_WINDOW] = {"--window", "SPAN", "24h (the default), 7d or 30d"},
	[CTL_SOURCE] = {"--source", "SOURCE", "only signals of this source"},
	[CTL_STATUS] = {"--status", "STATUS",
			"only signals of this status: pending, processing, completed, failed, "
			"skipped, permanently_failed or cold_storage"},
	[CTL_LIMIT] = {"--limit", "NUMBER", "how many at most, 20 by default, 999 at most"},
	[CTL_BEFORE] = {"--before", "ID", "only what has a smaller id: the \"next\" of --json"},
	[CTL_RAW] = {"--raw", NULL, "print the kept bytes as they are, and nothing else"},
	[CTL_FILE] = {"--file", "FILE", "take the bytes of this file instead of the kept ones"},
	[CTL_AGAIN] = {"--again", NULL, "also when it was replayed before"},
	[CTL_EXAMPLE] = {"--example", NULL, "print an example of the configuration file"},
	[CTL_MANUAL] = {"--manual", NULL,
			"print the settings in mdoc, as in the manual page sluice.conf(5)"},
};

/* Taken by every command. */
static const unsigned everywhere = CTL_BIT(CTL_CONFIG) | CTL_BIT(CTL_JSON) | CTL_BIT(CTL_HELP);

static const struct ctl_command commands[] = {
	{.noun = "migrate",
	 .optional = CTL_BIT(CTL_DRY_RUN) | CTL_BIT(CTL_DIRECTORY),
	 .database = true,
	 .run = ctl_migrate,
	 .help = "Brings the database's schema up to date: applies the migrations that are due, "
		 "each "
		 "in a transaction of its own. Several at the same time wait for each other. "
		 "Refuses when an applied file was changed or is missing, or when the database is "
		 "newer than the files."},
	{.noun = "maintain",
	 .database = true,
	 .run = ctl_maintain,
	 .help = "Makes the partitions of the coming days, moves rows of the default partitions "
		 "into "
		 "partitions of their days, and removes what is older than the table "
		 "sluice.retention keeps it. To be run every few minutes, from any number of "
		 "hosts. Never makes the intake wait for long: what is in use is left to the next "
		 "run. Exits with 1 when a step failed."},
	{.noun = "organization",
	 .verb = "create",
	 .argument = "NAME",
	 .argument_needed = true,
	 .database = true,
	 .run = ctl_organization_create,
	 .help = "Creates an organization, to which members and keys belong."},
	{.noun = "organization",
	 .verb = "list",
	 .database = true,
	 .run = ctl_organization_list,
	 .help = "Lists all organizations with the number of their members and of their keys that "
		 "are not deactivated."},
	{.noun = "organization",
	 .verb = "limit",
	 .argument = "NAME",
	 .argument_needed = true,
	 .optional = CTL_BIT(CTL_SIGNALS) | CTL_BIT(CTL_OVERAGES),
	 .database = true,
	 .run = ctl_organization_limit,
	 .help = "Sets how many signals an organization may send in a month, and what becomes of "
		 "those beyond: at the limit senders are answered 429, or with overages their "
		 "signals are accepted and counted. Prints the usage of this month. What is not "
		 "given stays as it is."},
	{.noun = "usage",
	 .optional = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_MONTH),
	 .database = true,
	 .run = ctl_usage,
	 .help = "Lists how many signals and product-org updates each organization has sent in "
		 "this month (UTC) or "
		 "another, beside the limit that is in force now. Duplicates and rejects do not "
		 "count."},
	{.noun = "stats",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = CTL_BIT(CTL_WINDOW),
	 .database = true,
	 .run = ctl_stats,
	 .help = "Shows what came in for an organization: signals by status, those in cold "
		 "storage, "
		 "rejected payloads and duplicates; with --json also by hour or day and source. "
		 "As_of says up to when it is complete."},
	{.noun = "signal",
	 .verb = "list",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = CTL_BIT(CTL_SOURCE) | CTL_BIT(CTL_STATUS) | CTL_BIT(CTL_LIMIT) |
		     CTL_BIT(CTL_BEFORE),
	 .database = true,
	 .run = ctl_signal_list,
	 .help = "Lists the latest signals of an organization, the newest first. With --source or "
		 "--status the latest 5000 are looked at."},
	{.noun = "product-org",
	 .verb = "list",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = CTL_BIT(CTL_LIMIT) | CTL_BIT(CTL_BEFORE),
	 .database = true,
	 .run = ctl_product_org_list,
	 .help = "Lists the latest product-org updates of an organization, the newest first."},
	{.noun = "audit",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .optional = CTL_BIT(CTL_LIMIT) | CTL_BIT(CTL_BEFORE),
	 .database = true,
	 .run = ctl_audit,
	 .help = "Lists who changed what of an organization, the newest first."},
	{.noun = "member",
	 .verb = "add",
	 .required = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_USER) | CTL_BIT(CTL_ROLE),
	 .database = true,
	 .run = ctl_member_add,
	 .help = "Makes a user a member of an organization. Owner, admin and editor manage keys; a "
		 "viewer sees statistics. An organization has one owner."},
	{.noun = "member",
	 .verb = "list",
	 .required = CTL_BIT(CTL_ORGANIZATION),
	 .database = true,
	 .run = ctl_member_list,
	 .help = "Lists the members of an organization."},
	{.noun = "member",
	 .verb = "remove",
	 .required = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_USER),
	 .database = true,
	 .run = ctl_member_remove,
	 .help = "Ends a membership."},
	{.noun = "key",
	 .verb = "create",
	 .required = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_NAME),
	 .optional = CTL_BIT(CTL_ENDPOINT) | CTL_BIT(CTL_EXPIRES) | CTL_BIT(CTL_SECRET) |
		     CTL_BIT(CTL_TEMPLATE),
	 .run = ctl_key_create,
	 .help = "Makes an API key and prints it, this once: the database keeps only its hash. "
		 "$BASE_URL is what the printed webhook address begins with."},
	{.noun = "key",
	 .verb = "list",
	 .optional = CTL_BIT(CTL_ORGANIZATION),
	 .database = true,
	 .run = ctl_key_list,
	 .help = "Lists the keys of one organization or of all, with what may be shown of them."},
	{.noun = "key",
	 .verb = "show",
	 .argument = "ID",
	 .argument_needed = true,
	 .database = true,
	 .run = ctl_key_show,
	 .help = "Shows all that is known of one key."},
	{.noun = "key",
	 .verb = "deactivate",
	 .argument = "ID",
	 .argument_needed = true,
	 .database = true,
	 .run = ctl_key_deactivate,
	 .help = "Deactivates a key for good: once this returns, no request with it is accepted. A "
		 "second time changes nothing."},
	{.noun = "template",
	 .verb = "try",
	 .required = CTL_BIT(CTL_TEMPLATE) | CTL_BIT(CTL_PAYLOAD),
	 .run = ctl_template_try,
	 .help = "Shows the rows that a payload template makes of a payload, and what could not be "
		 "used of it, or says what is wrong with either and where. Needs no database."},
	{.noun = "rejected",
	 .verb = "list",
	 .optional = CTL_BIT(CTL_ORGANIZATION) | CTL_BIT(CTL_SINCE),
	 .database = true,
	 .run = ctl_rejected_list,
	 .help = "Lists what senders with a good key delivered and what could not be stored as a "
		 "signal: bad items of batches and bodies that could not be read, the oldest "
		 "first."},
	{.noun = "rejected",
	 .verb = "show",
	 .argument = "ID",
	 .argument_needed = true,
	 .optional = CTL_BIT(CTL_RAW),
	 .database = true,
	 .run = ctl_rejected_show,
	 .help = "Shows why an entry was rejected, and the beginning of its bytes."},
	{.noun = "rejected",
	 .verb = "replay",
	 .argument = "ID",
	 .argument_needed = true,
	 .optional = CTL_BIT(CTL_FILE) | CTL_BIT(CTL_AGAIN),
	 .database = true,
	 .run = ctl_rejected_replay,
	 .help = "Reads the kept bytes of an entry, or those of a repaired file, as if the sender "
		 "had just sent them, stores the signals or product-org updates under the entry's "
		 "key and marks the "
		 "entry, "
		 "in one transaction. When anything is still bad it says what, and nothing is "
		 "stored."},
	{.noun = "config",
	 .optional = CTL_BIT(CTL_EXAMPLE) | CTL_BIT(CTL_MANUAL),
	 .run = ctl_config,
	 .help = "Prints the settings of the workers as they take effect, and where each comes "
		 "from: the default, the file or the environment. Passwords are hidden."},
	{.noun = "check",
	 .optional = CTL_BIT(CTL_DIRECTORY),
	 .run = ctl_check,
	 .help = "Checks that the database is set up so that nothing accepted gets lost: version "
		 "of the schema, roles and rights, durability, partitions. Exits with 1 when "
		 "something failed; warnings do not count."},
	{.noun = "version", .run = ctl_version, .help = "Prints the version of the program."},
	{.noun = "help",
	 .argument = "COMMAND",
	 .run = ctl_help,
	 .help = "Prints the help of a command, or of all."},
};

enum { COMMAND_COUNT = ARRAY_LENGTH(commands) };

/* ---- reading the arguments ---- */

static const char try_help[] = "try \"sluicectl --help\"";

/* Takes one option at argv[*i], with its value. */
static enum ctl_exit take_option(struct ctl *ctl, int argc, char *const argv[], int *i)
{
	const char *text = argv[*i];
	size_t n = strcspn(text, "=");
	const char *value = text[n] == '=' ? text + n + 1 : NULL;
	size_t option = 0;

	while (option < CTL_OPTION_COUNT &&
	       (strlen(options[option].name) != n || strncmp(options[option].name, text, n) != 0))
		option++;
	if (option == CTL_OPTION_COUNT)
		return ctl_fail(CTL_USAGE, try_help, "unknown option \"%.*s\"", (int)n, text);
	if (ctl->values[option] != NULL)
		return ctl_fail(CTL_USAGE, NULL, "option %.*s is given twice", (int)n, text);
	if (options[option].value == NULL && value != NULL)
		return ctl_fail(CTL_USAGE, NULL, "option %.*s takes no value", (int)n, text);
	if (options[option].value != NULL && value == NULL) {
		if (*i + 1 == argc)
			return ctl_fail(CTL_USAGE, NULL, "option %s needs a value: %s", text,
					options[option].value);
		value = argv[++*i];
	}
	ctl->values[option] = value == NULL ? "" : value;
	return CTL_FINE;
}

enum { WORDS_MAX = 3 };

/* Sorts the arguments into options and words. */
static enum ctl_exit take_all(struct ctl *ctl, int argc, char *const argv[],
			      const char *words[WORDS_MAX], int *count)
{
	bool only_words = false;

	for (int i = 1; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
		} else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
			enum ctl_exit status = take_option(ctl, argc, argv, &i);
			if (status != CTL_FINE)
				return status;
		} else if (*count == WORDS_MAX) {
			return ctl_fail(CTL_USAGE, try_help, "too many arguments: \"%s\"", argv[i]);
		} else {
			words[(*count)++] = argv[i];
		}
	}
	return CTL_FINE;
}

static bool is_noun(const struct ctl_command *command, const char *noun)
{
	return strcmp(command->noun, noun) == 0;
}

/* The command of these words; *used is how many of them name it. */
static const struct ctl_command *find(const char *const words[], int count, int *used)
{
	for (size_t i = 0; i < COMMAND_COUNT && count > 0; i++) {
		if (!is_noun(&commands[i], words[0]))
			continue;
		*used = commands[i].verb == NULL ? 1 : 2;
		if (*used == 1 || (count > 1 && strcmp(commands[i].verb, words[1]) == 0))
			return &commands[i];
	}
	return NULL;
}

static bool is_any_noun(const char *noun)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (is_noun(&commands[i], noun))
			return true;
	}
	return false;
}

static enum ctl_exit unknown_command(const char *const words[], int count)
{
	if (!is_any_noun(words[0]))
		return ctl_fail(CTL_USAGE, try_help, "unknown command \"%s\"", words[0]);
	if (count == 1)
		return ctl_fail(CTL_USAGE, try_help, "\"%s\" is not a whole command", words[0]);
	return ctl_fail(CTL_USAGE, try_help, "unknown command \"%s %s\"", words[0], words[1]);
}

static enum ctl_exit check_options(const struct ctl *ctl, const struct ctl_command *command)
{
	const char *verb = command->verb == NULL ? "" : command->verb;
	const char *blank = command->verb == NULL ? "" : " ";

	for (unsigned i = 0; i < CTL_OPTION_COUNT; i++) {
		bool known = ((command->required | command->optional | everywhere) >> i & 1) != 0;
		if (ctl->values[i] != NULL && !known)
			return ctl_fail(CTL_USAGE, try_help, "\"%s%s%s\" does not take %s",
					command->noun, blank, verb, options[i].name);
		if (ctl->values[i] == NULL && (command->required >> i & 1) != 0)
			return ctl_fail(CTL_USAGE, try_help, "\"%s%s%s\" needs %s %s",
					command->noun, blank, verb, options[i].name,
					options[i].value);
	}
	return CTL_FINE;
}

enum ctl_exit ctl_parse(struct ctl *ctl, int argc, char *const argv[])
{
	const char *words[WORDS_MAX] = {NULL};
	int count = 0, used = 0;
	enum ctl_exit status = take_all(ctl, argc, argv, words, &count);

	if (status != CTL_FINE)
		return status;
	const struct ctl_command *command = find(words, count, &used);
	bool help = command != NULL && command->run == ctl_help;
	if (help || ctl_has(ctl, CTL_HELP)) {
		ctl->words[0] = words[help ? 1 : 0];
		ctl->words[1] = words[help ? 2 : 1];
		ctl->values[CTL_HELP] = "";
		return CTL_FINE;
	}
	if (count == 0)
		return ctl_fail(CTL_USAGE, try_help, "no command is given");
	if (command == NULL)
		return unknown_command(words, count);
	if (count - used > (command->argument == NULL ? 0 : 1))
		return ctl_fail(CTL_USAGE, try_help, "too many arguments: \"%s\"",
				words[count - 1]);
	if (count == used && command->argument_needed)
		return ctl_fail(CTL_USAGE, try_help, "\"%s %s\" needs %s", command->noun,
				command->verb, command->argument);
	ctl->command = command;
	ctl->argument = count > used ? words[used] : NULL;
	return check_options(ctl, command);
}

/* ---- help ---- */

enum { HELP_COLUMNS = 80, HELP_INDENT = 6 };

/* Appends words, broken into lines of at most HELP_COLUMNS from column indent on. */
static void add_wrapped(struct buf *out, const char *text, size_t indent)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t n = strcspn(text, " ");
		if (column > 0 && column + 1 + n > HELP_COLUMNS) {
			buf_add_char(out, '\n');
			column = 0;
		}
		if (column == 0) {
			buf_add_format(out, "%*s", (int)indent, "");
			column = indent;
		} else {
			buf_add_char(out, ' ');
			column++;
		}
		buf_add(out, text, n);
		column += n;
		text += n + (text[n] == ' ');
	}
	buf_add_char(out, '\n');
}

static void add_option_name(struct buf *out, unsigned option)
{
	buf_add_text(out, options[option].name);
	if (options[option].value != NULL)
		buf_add_format(out, " %s", options[option].value);
}

/* One line, or with wrap several of at most HELP_COLUMNS; the first begins at column. */
static void add_synopsis(struct buf *out, const struct ctl_command *command, size_t column,
			 bool wrap)
{
	size_t start = out->n - column;

	buf_add_text(out, command->noun);
	if (command->verb != NULL)
		buf_add_format(out, " %s", command->verb);
	if (command->argument != NULL)
		buf_add_format(out, command->argument_needed ? " %s" : " [%s]", command->argument);
	for (unsigned i = 0; i < CTL_OPTION_COUNT; i++) {
		bool required = (command->required >> i & 1) != 0;
		if (!required && (command->optional >> i & 1) == 0)
			continue;
		size_t value = options[i].value == NULL ? 0 : 1 + strlen(options[i].value);
		if (wrap && out->n - start + 3 + strlen(options[i].name) + value > HELP_COLUMNS) {
			start = out->n + 1;
			buf_add_format(out, "\n%*s", HELP_INDENT - 1, "");
		}
		buf_add_text(out, required ? " " : " [");
		add_option_name(out, i);
		buf_add_text(out, required ? "" : "]");
	}
}

static void add_options(struct buf *out, unsigned set)
{
	for (unsigned i = 0; i < CTL_OPTION_COUNT; i++) {
		if ((set >> i & 1) == 0)
			continue;
		buf_add_text(out, "  ");
		add_option_name(out, i);
		buf_add_char(out, '\n');
		add_wrapped(out, options[i].help, HELP_INDENT);
	}
}

static void add_command_help(struct buf *out, const struct ctl_command *command)
{
	unsigned set = command->required | command->optional;

	buf_add_text(out, "usage: sluicectl ");
	add_synopsis(out, command, 17, true);
	buf_add_text(out, "\n\n");
	add_wrapped(out, command->help, 0);
	if (set != 0) {
		buf_add_text(out, "\noptions:\n");
		add_options(out, set);
	}
	buf_add_char(out, '\n');
}

static void add_help_json(struct buf *out, const struct ctl_command *command)
{
	struct buf text = buf_make(4096);
	unsigned set = command->required | command->optional | everywhere;

	json_write_comma(out);
	buf_add_char(out, '{');
	buf_add_format(&text, "%s%s%s", command->noun, command->verb == NULL ? "" : " ",
		       command->verb == NULL ? "" : command->verb);
	json_write_member(out, "command", buf_slice(&text));
	buf_reset(&text, text.size);
	add_synopsis(&text, command, 0, false);
	json_write_member(out, "synopsis", buf_slice(&text));
	json_write_member(out, "help", slice_of(command->help));
	json_write_member_json(out, "options", SLICE("["));
	for (unsigned i = 0; i < CTL_OPTION_COUNT; i++) {
		if ((set >> i & 1) == 0)
			continue;
		json_write_comma(out);
		buf_add_char(out, '{');
		json_write_member(out, "option", slice_of(options[i].name));
		json_write_member(out, "value", slice_of(options[i].value));
		json_write_member_bool(out, "required", (command->required >> i & 1) != 0);
		json_write_member(out, "help", slice_of(options[i].help));
		buf_add_char(out, '}');
	}
	buf_add_text(out, "]}");
	if (text.status != STATUS_OK)
		out->status = text.status;
	buf_free(&text);
}

static void add_overview(struct buf *out)
{
	buf_add_text(out, "usage: sluicectl COMMAND [OPTION...]\n\n"
			  "Administers Sluice: its schema, organizations, members and API keys.\n\n"
			  "commands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		buf_add_text(out, "  ");
		add_synopsis(out, &commands[i], 2, true);
		buf_add_char(out, '\n');
	}
	buf_add_text(out, "\noptions of every command:\n");
	add_options(out, everywhere);
	buf_add_text(out, "\nThe database is found by libpq's own environment: PGHOST, PGPORT, "
			  "PGDATABASE,\nPGUSER, PGSERVICE, the password file.\n"
			  "\nexit status:\n"
			  "  0  fine\n"
			  "  1  failed or refused; check: something is not as it must be\n"
			  "  2  wrong arguments\n"
			  "  3  the database could not be reached, or did not answer\n"
			  "\n\"sluicectl help COMMAND\" says more about a command.\n");
}

/* True when the command is one of those that the words ask about. */
static bool is_asked(const struct ctl *ctl, const struct ctl_command *command)
{
	if (ctl->words[0] == NULL)
		return true;
	if (!is_noun(command, ctl->words[0]))
		return false;
	return command->verb == NULL || ctl->words[1] == NULL ||
	       strcmp(command->verb, ctl->words[1]) == 0;
}

enum ctl_exit ctl_help(struct ctl *ctl)
{
	bool json = ctl_has(ctl, CTL_JSON);
	size_t found = 0;

	if (json)
		buf_add_char(&ctl->out, '[');
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (!is_asked(ctl, &commands[i]))
			continue;
		found++;
		if (json)
			add_help_json(&ctl->out, &commands[i]);
		else if (ctl->words[0] != NULL)
			add_command_help(&ctl->out, &commands[i]);
	}
	if (found == 0)
		return unknown_command(ctl->words, ctl->words[1] == NULL ? 1 : 2);
	if (json)
		buf_add_text(&ctl->out, "]\n");
	else if (ctl->words[0] == NULL)
		add_overview(&ctl->out);
	else
		buf_add_text(&ctl->out, "Every command also takes --config FILE, --json and "
					"--help.\n");
	return CTL_FINE;
}

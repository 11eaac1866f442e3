/*
 * ctl/help.c - prints the help of sluicectl from its table of commands. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <string.h>

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
	buf_add_text(out, ctl_options[option].name);
	if (ctl_options[option].value != NULL)
		buf_add_format(out, " %s", ctl_options[option].value);
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
		size_t value = ctl_options[i].value == NULL ? 0 : 1 + strlen(ctl_options[i].value);
		if (wrap &&
		    out->n - start + 3 + strlen(ctl_options[i].name) + value > HELP_COLUMNS) {
			start = out->n + 1;
			buf_add_format(out, "\n%*s", HELP_INDENT - 1, "");
		}
		buf_add_text(out, required ? " " : " [");
		add_option_name(out, i);
		buf_add_text(out, required ? "" : "]");
	}
}

static void add_options(struct buf *out, uint64_t set)
{
	for (unsigned i = 0; i < CTL_OPTION_COUNT; i++) {
		if ((set >> i & 1) == 0)
			continue;
		buf_add_text(out, "  ");
		add_option_name(out, i);
		buf_add_char(out, '\n');
		add_wrapped(out, ctl_options[i].help, HELP_INDENT);
	}
}

static void add_usage_line(struct buf *out, const struct ctl_command *command)
{
	buf_add_text(out, "usage: sluicectl ");
	add_synopsis(out, command, 17, true);
	buf_add_char(out, '\n');
}

static void add_command_help(struct buf *out, const struct ctl_command *command)
{
	uint64_t set = command->required | command->optional;

	add_usage_line(out, command);
	buf_add_char(out, '\n');
	add_wrapped(out, command->help, 0);
	if (set != 0) {
		buf_add_text(out, "\noptions:\n");
		add_options(out, set);
	}
	buf_add_char(out, '\n');
}

void ctl_add_usage(struct buf *out, const struct ctl *ctl)
{
	const struct ctl_command *command = ctl->command;
	const char *noun = ctl->words[0];
	size_t found = 0;

	for (size_t i = 0; i < ctl_command_count; i++) {
		bool meant = command != NULL
				     ? &ctl_commands[i] == command
				     : noun != NULL && strcmp(ctl_commands[i].noun, noun) == 0;
		if (meant)
			add_usage_line(out, &ctl_commands[i]);
		found += meant;
	}
	if (found == 0)
		buf_add_text(out, "usage: sluicectl COMMAND [OPTION...]\n");
	buf_add_text(out, "\"sluicectl help");
	if (found > 0)
		buf_add_format(out, " %s", command != NULL ? command->noun : noun);
	if (command != NULL && command->verb != NULL)
		buf_add_format(out, " %s", command->verb);
	buf_add_text(out, found > 0 ? "\" says more.\n" : "\" lists the commands.\n");
}

static void add_choices_json(struct json_tree *tree, struct json_object *option,
			     const char *choices)
{
	struct slice rest = slice_of(choices);

	if (choices == NULL) {
		json_tree_text(tree, option, "choices", SLICE_ABSENT);
		return;
	}
	struct json_object *array = json_tree_array(tree, option, "choices");
	while (rest.n > 0)
		json_tree_text(tree, array, NULL, slice_take(&rest, ' '));
}

static void add_options_json(struct json_tree *tree, struct json_object *array,
			     const struct ctl_command *command)
{
	uint64_t set = command->required | command->optional | ctl_common_options;

	for (unsigned i = 0; i < CTL_OPTION_COUNT; i++) {
		if ((set >> i & 1) == 0)
			continue;
		struct json_object *option = json_tree_object(tree, array, NULL);
		json_tree_text(tree, option, "option", slice_of(ctl_options[i].name));
		json_tree_text(tree, option, "value", slice_of(ctl_options[i].value));
		json_tree_bool(tree, option, "required", (command->required >> i & 1) != 0);
		add_choices_json(tree, option, ctl_choices(command, i));
		json_tree_text(tree, option, "help", slice_of(ctl_options[i].help));
	}
}

static void add_help_json(struct json_tree *tree, struct json_object *array,
			  const struct ctl_command *command)
{
	struct json_object *object = json_tree_object(tree, array, NULL);
	struct buf words = buf_make(4096), synopsis = buf_make(4096);

	buf_add_format(&words, "%s%s%s", command->noun, command->verb == NULL ? "" : " ",
		       command->verb == NULL ? "" : command->verb);
	add_synopsis(&synopsis, command, 0, false);
	json_tree_text(tree, object, "command", buf_slice(&words));
	json_tree_text(tree, object, "synopsis", buf_slice(&synopsis));
	json_tree_text(tree, object, "help", slice_of(command->help));
	add_options_json(tree, json_tree_array(tree, object, "options"), command);
	if (words.status != STATUS_OK || synopsis.status != STATUS_OK)
		tree->status = STATUS_NO_MEMORY;
	buf_free(&words);
	buf_free(&synopsis);
}

static void add_overview(struct buf *out)
{
	buf_add_text(out, "usage: sluicectl COMMAND [OPTION...]\n\n"
			  "Administers Sluice: its schema, organizations, members and API keys.\n\n"
			  "commands:\n");
	for (size_t i = 0; i < ctl_command_count; i++) {
		buf_add_text(out, "  ");
		add_synopsis(out, &ctl_commands[i], 2, true);
		buf_add_char(out, '\n');
	}
	buf_add_text(out, "\noptions of every command:\n");
	add_options(out, ctl_common_options);
	buf_add_text(
		out,
		"\nlibpq's environment says which database to use: PGHOST, PGPORT, PGDATABASE,\n"
		"PGUSER, PGSERVICE, the password file.\n"
		"\nexit status:\n"
		"  0  success\n"
		"  1  failed, or a check failed\n"
		"  2  wrong arguments\n"
		"  3  the database could not be reached, or did not answer\n"
		"\n\"sluicectl help COMMAND\" says more about a command.\n");
}

static bool is_asked(const struct ctl *ctl, const struct ctl_command *command)
{
	if (ctl->words[0] == NULL)
		return true;
	if (strcmp(command->noun, ctl->words[0]) != 0)
		return false;
	return command->verb == NULL || ctl->words[1] == NULL ||
	       strcmp(command->verb, ctl->words[1]) == 0;
}

/* The help of the commands that are asked about. Returns how many they are. */
static size_t add_asked(struct ctl *ctl, struct json_tree *tree, struct json_object *array)
{
	size_t found = 0;

	for (size_t i = 0; i < ctl_command_count; i++) {
		if (!is_asked(ctl, &ctl_commands[i]))
			continue;
		found++;
		if (array != NULL)
			add_help_json(tree, array, &ctl_commands[i]);
		else if (ctl->words[0] != NULL)
			add_command_help(&ctl->out, &ctl_commands[i]);
	}
	return found;
}

enum ctl_exit ctl_help(struct ctl *ctl)
{
	struct json_tree tree = {0};
	bool json = ctl_has(ctl, CTL_JSON);
	struct json_object *array = NULL;

	if (json)
		array = json_tree_array(&tree, json_tree_object(&tree, NULL, NULL), "commands");
	if (add_asked(ctl, &tree, array) == 0) {
		json_tree_free(&tree);
		return ctl_unknown_command(ctl, ctl->words, ctl->words[1] == NULL ? 1 : 2);
	}
	if (json)
		return ctl_add_tree(ctl, &tree);
	if (ctl->words[0] == NULL)
		add_overview(&ctl->out);
	else
		buf_add_text(&ctl->out,
			     "Every command also takes --config FILE, --json and --help.\n");
	return CTL_FINE;
}

/*
 * ctl/parse.c - reads the arguments of sluicectl by its table of commands. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <string.h>

#include "base/nearest.h"

enum { JOINED_BYTES_MAX = 1 << 20 };

static const char try_help[] = "try \"sluicectl --help\"";

/* A hint that names what was probably meant; try_help if that is not known, or without memory. */
static const char *hint_of(struct ctl *ctl, const struct nearest *nearest)
{
	const char *hint =
		nearest->found == NULL
			? NULL
			: arena_format(&ctl->arena, "did you mean \"%s\"?", nearest->found);

	return hint == NULL ? try_help : hint;
}

static enum ctl_exit fail_option(struct ctl *ctl, const char *text, size_t n)
{
	struct nearest nearest = nearest_of((struct slice){text, n});

	for (size_t i = 0; i < CTL_OPTION_COUNT; i++)
		nearest_offer(&nearest, ctl_options[i].name);
	return ctl_fail(CTL_USAGE, hint_of(ctl, &nearest), "unknown option \"%.*s\"", (int)n, text);
}

/* Two values with a comma between them; NULL without memory. */
static const char *join(struct ctl *ctl, const char *first, const char *second)
{
	struct buf both = buf_make(JOINED_BYTES_MAX);

	buf_add_text(&both, first);
	buf_add_char(&both, ',');
	buf_add_text(&both, second);
	return arena_move(&ctl->arena, &both).p;
}

/* Takes one option at argv[*i], with its value. */
static enum ctl_exit take_option(struct ctl *ctl, int argc, char *const argv[], int *i)
{
	const char *text = strcmp(argv[*i], "-h") == 0 ? "--help" : argv[*i];
	size_t n = strcspn(text, "=");
	const char *value = text[n] == '=' ? text + n + 1 : NULL;
	size_t option = 0;

	while (option < CTL_OPTION_COUNT && (strlen(ctl_options[option].name) != n ||
					     strncmp(ctl_options[option].name, text, n) != 0))
		option++;
	if (option == CTL_OPTION_COUNT)
		return fail_option(ctl, text, n);
	if (ctl->values[option] != NULL && !ctl_options[option].repeatable)
		return ctl_fail(CTL_USAGE, NULL, "option %.*s is given twice", (int)n, text);
	if (ctl_options[option].value == NULL && value != NULL)
		return ctl_fail(CTL_USAGE, NULL, "option %.*s takes no value", (int)n, text);
	if (ctl_options[option].value != NULL && value == NULL) {
		if (*i + 1 == argc)
			return ctl_fail(CTL_USAGE, NULL, "option %s needs a value: %s", text,
					ctl_options[option].value);
		value = argv[++*i];
	}
	if (ctl->values[option] != NULL)
		value = join(ctl, ctl->values[option], value);
	else if (value == NULL)
		value = "";
	ctl->values[option] = value;
	return value == NULL ? ctl_fail_status(ctl, STATUS_NO_MEMORY) : CTL_FINE;
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

/* The command that the words name, or NULL; *used is how many of them do. */
static const struct ctl_command *find(const char *const words[], int count, int *used)
{
	for (size_t i = 0; i < ctl_command_count && count > 0; i++) {
		if (!is_noun(&ctl_commands[i], words[0]))
			continue;
		*used = ctl_commands[i].verb == NULL ? 1 : 2;
		if (*used == 1 || (count > 1 && strcmp(ctl_commands[i].verb, words[1]) == 0))
			return &ctl_commands[i];
	}
	return NULL;
}

static bool is_any_noun(const char *noun)
{
	for (size_t i = 0; i < ctl_command_count; i++) {
		if (is_noun(&ctl_commands[i], noun))
			return true;
	}
	return false;
}

enum ctl_exit ctl_unknown_command(struct ctl *ctl, const char *const words[], int count)
{
	bool known = is_any_noun(words[0]);
	struct nearest nearest = nearest_of(slice_of(known && count > 1 ? words[1] : words[0]));

	for (size_t i = 0; i < ctl_command_count; i++) {
		if (!known)
			nearest_offer(&nearest, ctl_commands[i].noun);
		else if (is_noun(&ctl_commands[i], words[0]) && ctl_commands[i].verb != NULL)
			nearest_offer(&nearest, ctl_commands[i].verb);
	}
	if (!known)
		return ctl_fail(CTL_USAGE, hint_of(ctl, &nearest), "unknown command \"%s\"",
				words[0]);
	if (count == 1)
		return ctl_fail(CTL_USAGE, try_help, "\"%s\" is not a complete command", words[0]);
	return ctl_fail(CTL_USAGE, hint_of(ctl, &nearest), "unknown command \"%s %s\"", words[0],
			words[1]);
}

static enum ctl_exit check_options(const struct ctl *ctl, const struct ctl_command *command)
{
	const char *verb = command->verb == NULL ? "" : command->verb;
	const char *blank = command->verb == NULL ? "" : " ";

	for (unsigned i = 0; i < CTL_OPTION_COUNT; i++) {
		bool known = ((command->required | command->optional | ctl_common_options) >> i &
			      1) != 0;
		if (ctl->values[i] != NULL && !known)
			return ctl_fail(CTL_USAGE, try_help, "\"%s%s%s\" does not take %s",
					command->noun, blank, verb, ctl_options[i].name);
		if (ctl->values[i] == NULL && (command->required >> i & 1) != 0)
			return ctl_fail(CTL_USAGE, try_help, "\"%s%s%s\" needs %s %s",
					command->noun, blank, verb, ctl_options[i].name,
					ctl_options[i].value);
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
		return ctl_unknown_command(ctl, words, count);
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

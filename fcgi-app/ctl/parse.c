/*
 * ctl/parse.c - reads the arguments of sluicectl by its table of commands. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <string.h>

#include "base/nearest.h"

enum { JOINED_BYTES_MAX = 1 << 20 };

/* A hint that names what was probably meant; NULL if that is not known, or without memory. */
static const char *hint_of(struct ctl *ctl, const struct nearest *nearest)
{
	return nearest->found == NULL
		       ? NULL
		       : arena_format(&ctl->arena, "did you mean \"%s\"?", nearest->found);
}

static bool takes(const struct ctl_command *command, unsigned option)
{
	return ((command->required | command->optional | ctl_common_options) >> option & 1) != 0;
}

/* The option with this name, or CTL_OPTION_COUNT. */
static enum ctl_option find_option(struct slice name)
{
	unsigned option = 0;

	if (slice_equal(name, SLICE("-h")))
		return CTL_HELP;
	while (option < CTL_OPTION_COUNT && !slice_equal(slice_of(ctl_options[option].name), name))
		option++;
	return (enum ctl_option)option;
}

/* Of the command's options or, if none of them is near, of all. */
static enum ctl_exit fail_option(struct ctl *ctl, struct slice name)
{
	struct nearest nearest = nearest_of(name);

	for (unsigned i = 0; i < CTL_OPTION_COUNT && ctl->command != NULL; i++) {
		if (takes(ctl->command, i))
			nearest_offer(&nearest, ctl_options[i].name);
	}
	bool all = nearest.found == NULL;
	for (unsigned i = 0; i < CTL_OPTION_COUNT && all; i++)
		nearest_offer(&nearest, ctl_options[i].name);
	return ctl_fail(CTL_USAGE, hint_of(ctl, &nearest), "unknown option \"%.*s\"", (int)name.n,
			name.p);
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

/* The name of an option as it is given, without "=value". */
static struct slice name_of(const char *text)
{
	return (struct slice){text, strcspn(text, "=")};
}

/* Takes one option at argv[*i], with its value. */
static enum ctl_exit take_option(struct ctl *ctl, int argc, char *const argv[], int *i)
{
	const char *text = argv[*i];
	struct slice name = name_of(text);
	const char *value = text[name.n] == '=' ? text + name.n + 1 : NULL;
	enum ctl_option option = find_option(name);

	if (option == CTL_OPTION_COUNT)
		return fail_option(ctl, name);
	if (ctl->values[option] != NULL && !ctl_options[option].repeatable)
		return ctl_fail(CTL_USAGE, NULL, "option %.*s is given twice", (int)name.n, text);
	if (ctl_options[option].value == NULL && value != NULL)
		return ctl_fail(CTL_USAGE, NULL, "option %.*s takes no value", (int)name.n, text);
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

/* What are not options. */
struct words {
	const char *at[WORDS_MAX];
	int count;
	const char *excess; /* the first that is too much; NULL: none */
};

static bool is_option(const char *text)
{
	return text[0] == '-' && text[1] != '\0';
}

/* The words first: they say of which command an option may be wrong. */
static void take_words(int argc, char *const argv[], struct words *words)
{
	bool only_words = false;

	*words = (struct words){.count = 0};
	for (int i = 1; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
		} else if (!only_words && is_option(argv[i])) {
			struct slice name = name_of(argv[i]);
			enum ctl_option option = find_option(name);
			if (option != CTL_OPTION_COUNT && ctl_options[option].value != NULL &&
			    argv[i][name.n] == '\0')
				i++;
		} else if (words->count < WORDS_MAX) {
			words->at[words->count++] = argv[i];
		} else if (words->excess == NULL) {
			words->excess = argv[i];
		}
	}
}

static enum ctl_exit take_options(struct ctl *ctl, int argc, char *const argv[])
{
	enum ctl_exit status = CTL_FINE;

	for (int i = 1; i < argc && status == CTL_FINE && strcmp(argv[i], "--") != 0; i++) {
		if (is_option(argv[i]))
			status = take_option(ctl, argc, argv, &i);
	}
	return status;
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
		return ctl_fail(CTL_USAGE, NULL, "\"%s\" is not a complete command", words[0]);
	return ctl_fail(CTL_USAGE, hint_of(ctl, &nearest), "unknown command \"%s %s\"", words[0],
			words[1]);
}

/* ---- what a command takes ---- */

enum { CHOICES_BYTES = 256 };

/* The value is none of the option's choices. */
static enum ctl_exit fail_choice(struct ctl *ctl, unsigned option, const char *choices)
{
	struct nearest nearest = nearest_of(slice_of(ctl->values[option]));
	struct slice rest = slice_of(choices);
	struct buf list = buf_make(CHOICES_BYTES);

	while (rest.n > 0) {
		struct slice word = slice_take(&rest, ' ');
		const char *known = arena_copy(&ctl->arena, word);
		if (known == NULL)
			return ctl_fail_status(ctl, STATUS_NO_MEMORY);
		nearest_offer(&nearest, known);
		buf_add_format(&list, "%s%s", list.n == 0 ? "" : rest.n > 0 ? ", " : " or ", known);
	}
	enum ctl_exit result =
		ctl_fail(CTL_USAGE, hint_of(ctl, &nearest), "%s must be %.*s, not \"%s\"",
			 ctl_options[option].name, (int)list.n, list.p, ctl->values[option]);
	buf_free(&list);
	return result;
}

/* Of a repeated option each of the values, which are joined by commas. */
static bool is_choice(unsigned option, struct slice value, const char *choices)
{
	struct slice rest = value;
	bool chosen = true;

	if (!ctl_options[option].repeatable)
		return slice_is_one_of(value, choices);
	do
		chosen = chosen && slice_is_one_of(slice_take(&rest, ','), choices);
	while (rest.p != NULL);
	return chosen;
}

static enum ctl_exit check_option(struct ctl *ctl, const struct ctl_command *command,
				  unsigned option)
{
	const char *verb = command->verb == NULL ? "" : command->verb;
	const char *blank = command->verb == NULL ? "" : " ";
	const char *value = ctl->values[option], *choices = ctl_choices(command, option);

	if (value != NULL && !takes(command, option))
		return ctl_fail(CTL_USAGE, NULL, "\"%s%s%s\" does not take %s", command->noun,
				blank, verb, ctl_options[option].name);
	if (value == NULL && (command->required >> option & 1) != 0)
		return ctl_fail(CTL_USAGE, NULL, "\"%s%s%s\" needs %s %s", command->noun, blank,
				verb, ctl_options[option].name, ctl_options[option].value);
	if (value != NULL && choices != NULL && !is_choice(option, slice_of(value), choices))
		return fail_choice(ctl, option, choices);
	return CTL_FINE;
}

static bool is_file(const char *what)
{
	return what != NULL && strcmp(what, "FILE") == 0;
}

/* What has been read from the standard input is gone. */
static enum ctl_exit check_inputs(const struct ctl *ctl, const struct ctl_command *command)
{
	int inputs = is_file(command->argument) && ctl->argument != NULL &&
		     strcmp(ctl->argument, "-") == 0;

	for (unsigned i = 0; i < CTL_OPTION_COUNT; i++)
		inputs += is_file(ctl_options[i].value) && ctl->values[i] != NULL &&
			  strcmp(ctl->values[i], "-") == 0;
	return inputs <= 1
		       ? CTL_FINE
		       : ctl_fail(CTL_USAGE, NULL, "only one file can be -, the standard input");
}

static enum ctl_exit check_command(struct ctl *ctl, const struct words *words, int used)
{
	const struct ctl_command *command = ctl->command;

	if (words->excess != NULL || words->count - used > (command->argument == NULL ? 0 : 1))
		return ctl_fail(CTL_USAGE, NULL, "too many arguments: \"%s\"",
				words->excess != NULL ? words->excess
						      : words->at[words->count - 1]);
	if (words->count == used && command->argument_needed)
		return ctl_fail(CTL_USAGE, NULL, "\"%s %s\" needs %s", command->noun, command->verb,
				command->argument);
	ctl->argument = words->count > used ? words->at[used] : NULL;
	for (unsigned i = 0; i < CTL_OPTION_COUNT; i++) {
		enum ctl_exit status = check_option(ctl, command, i);
		if (status != CTL_FINE)
			return status;
	}
	return check_inputs(ctl, command);
}

enum ctl_exit ctl_parse(struct ctl *ctl, int argc, char *const argv[])
{
	struct words words;
	int used = 0;

	take_words(argc, argv, &words);
	ctl->command = find(words.at, words.count, &used);
	ctl->words[0] = words.at[0];
	ctl->words[1] = words.at[1];
	enum ctl_exit status = take_options(ctl, argc, argv);
	if (status != CTL_FINE)
		return status;
	bool help = ctl->command != NULL && ctl->command->run == ctl_help;
	if (help || ctl_has(ctl, CTL_HELP)) {
		ctl->words[0] = words.at[help ? 1 : 0];
		ctl->words[1] = words.at[help ? 2 : 1];
		ctl->values[CTL_HELP] = "";
		return CTL_FINE;
	}
	if (words.count == 0)
		return ctl_fail(CTL_USAGE, NULL, "no command is given");
	if (ctl->command == NULL)
		return ctl_unknown_command(ctl, words.at, words.count);
	return check_command(ctl, &words, used);
}

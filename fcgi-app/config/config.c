/*
 * config/config.c - the configuration file, the environment and the documents. See
 * config/config.h.
 *
 * Runs once, before the first request. Knows nothing of what the settings mean.
 */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/file.h"
#include "base/nearest.h"

#define DEFAULT_PATH	   "/etc/sluice/sluice.conf"
#define ENVIRONMENT_PREFIX "SLUICE_"

extern char **environ;

enum {
	LINE_BYTES_MAX = 1024,
	FILE_BYTES_MAX = 1 << 20,
	MESSAGE_BYTES_MAX = 16 * 1024,
	KEY_BYTES_MAX = 64,
	SHOWN_BYTES_MAX = 64, /* of a bad value, in a message */
	WRAP_COLUMN = 78,
};

/* ---- reading ---- */

struct reader {
	struct arena *arena;
	struct config *config;
	const char *path;		      /* of the file; NULL for the environment */
	unsigned line;			      /* in the file, from 1 */
	const char *variable;		      /* the name, in the environment */
	unsigned set_in[CONFIG_SETTINGS_MAX]; /* the line; 0: not set in the file */
	const struct config_setting *settings;
	size_t count;
	struct buf message;
};

/* Begins the message with the place. */
static struct buf *complain(struct reader *reader)
{
	if (reader->path != NULL)
		buf_add_format(&reader->message, "%s:%u: ", reader->path, reader->line);
	return &reader->message;
}

/* Appends a text of any origin so that it cannot upset a terminal. */
static void add_shown(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n && i < SHOWN_BYTES_MAX; i++)
		buf_add_char(out, text.p[i] < ' ' || text.p[i] > '~' ? '?' : text.p[i]);
	if (text.n > SHOWN_BYTES_MAX)
		buf_add_text(out, "...");
}

/* Sets a value, or says what is wrong with it. */
static enum status set_value(struct reader *reader, const struct config_setting *setting,
			     struct slice value)
{
	enum status status = config_setting_read(setting, value, reader->arena, reader->config);

	if (status != STATUS_INVALID_VALUE)
		return status;
	struct buf *message = complain(reader);
	buf_add_format(message, "%s takes ",
		       reader->variable != NULL ? reader->variable : setting->key);
	config_setting_range(setting, message);
	if (!setting->secret) {
		buf_add_text(message, ", not \"");
		add_shown(message, value);
		buf_add_char(message, '"');
	}
	return STATUS_MISCONFIGURED;
}

/* The setting that was probably meant; NULL if none is near. */
static const char *nearest_key(struct slice key)
{
	size_t count;
	const struct config_setting *settings = config_settings(&count);
	struct nearest nearest = nearest_of(key);

	for (size_t i = 0; i < count; i++)
		nearest_offer(&nearest, settings[i].key);
	return nearest.found;
}

/* Finds a setting by its name, or says that there is none. */
static enum status find_setting(struct reader *reader, struct slice key, size_t *index)
{
	for (*index = 0; *index < reader->count; (*index)++) {
		if (slice_equal(key, slice_of(reader->settings[*index].key)))
			return STATUS_OK;
	}
	struct buf *message = complain(reader);
	buf_add_text(message, "unknown setting \"");
	add_shown(message, key);
	buf_add_char(message, '"');
	if (reader->variable != NULL) {
		buf_add_text(message, " in the environment variable ");
		add_shown(message, slice_of(reader->variable));
	}
	const char *nearest = nearest_key(key);
	if (nearest != NULL)
		buf_add_format(message, ", did you mean \"%s\"?", nearest);
	return STATUS_MISCONFIGURED;
}

/* The line without its comment: from a # at the start or after a blank, outside single quotes. */
static struct slice without_comment(struct slice line)
{
	bool quoted = false;

	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '\'')
			quoted = !quoted;
		if (line.p[i] == '#' && !quoted && (i == 0 || slice_is_blank(line.p[i - 1])))
			line.n = i;
	}
	return line;
}

/* 'it''s' becomes it's; a value that does not begin with a quote stays as it is. */
static enum status unquote(struct reader *reader, struct slice *value)
{
	size_t n = 0;
	size_t i = 1;

	if (value->n == 0 || value->p[0] != '\'')
		return STATUS_OK;
	char *text = arena_alloc(reader->arena, value->n);
	if (text == NULL)
		return STATUS_NO_MEMORY;
	for (; i < value->n; i++) {
		if (value->p[i] == '\'') {
			if (i + 1 == value->n || value->p[i + 1] != '\'')
				break;
			i++;
		}
		text[n++] = value->p[i];
	}
	if (i + 1 != value->n) {
		buf_add_text(complain(reader), "the closing quote must end the value");
		return STATUS_MISCONFIGURED;
	}
	*value = (struct slice){text, n};
	return STATUS_OK;
}

static bool is_key(struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    c != '_' && c != '-')
			return false;
	}
	return text.n > 0 && text.n <= KEY_BYTES_MAX;
}

static enum status read_line(struct reader *reader, struct slice line)
{
	size_t index;

	line = slice_trim(without_comment(line));
	if (line.n == 0)
		return STATUS_OK;
	const char *equals = memchr(line.p, '=', line.n);
	if (equals == NULL) {
		buf_add_text(complain(reader), "line without \"=\"");
		return STATUS_MISCONFIGURED;
	}
	struct slice key = slice_trim((struct slice){line.p, (size_t)(equals - line.p)});
	struct slice value =
		slice_trim((struct slice){equals + 1, (size_t)(line.p + line.n - equals - 1)});
	/* Not repeated in the message: it may be a misplaced secret. */
	if (!is_key(key)) {
		buf_add_text(complain(reader), "line without the name of a setting before \"=\"");
		return STATUS_MISCONFIGURED;
	}
	enum status status = find_setting(reader, key, &index);
	if (status != STATUS_OK)
		return status;
	if (reader->set_in[index] != 0) {
		buf_add_format(complain(reader), "%s is set already in line %u",
			       reader->settings[index].key, reader->set_in[index]);
		return STATUS_MISCONFIGURED;
	}
	reader->set_in[index] = reader->line;
	status = unquote(reader, &value);
	return status != STATUS_OK ? status : set_value(reader, &reader->settings[index], value);
}

static enum status read_lines(struct reader *reader, struct slice text)
{
	enum status status = STATUS_OK;

	while (text.n > 0 && status == STATUS_OK) {
		const char *end = memchr(text.p, '\n', text.n);
		struct slice line = {text.p, end == NULL ? text.n : (size_t)(end - text.p)};
		size_t taken = line.n + (end != NULL);
		reader->line++;
		if (line.n > LINE_BYTES_MAX) {
			buf_add_format(complain(reader), "line longer than %d bytes",
				       LINE_BYTES_MAX);
			return STATUS_MISCONFIGURED;
		}
		status = read_line(reader, line);
		text.p += taken;
		text.n -= taken;
	}
	return status;
}

/* Reads the file named by the caller, by the environment, or by default. */
static enum status read_file(struct reader *reader, const char *path, struct config_source *source)
{
	const char *named = path != NULL ? path : getenv(ENVIRONMENT_PREFIX "CONFIG");
	const char *why = NULL;
	struct slice text;

	if (named != NULL && named[0] == '\0')
		named = NULL;
	path = named != NULL ? named : DEFAULT_PATH;
	if (named == NULL && access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
		return STATUS_OK;
	source->path = arena_copy(reader->arena, slice_of(path));
	if (source->path == NULL)
		return STATUS_NO_MEMORY;
	enum status status = file_read(reader->arena, path, FILE_BYTES_MAX, &text, &why);
	if (why != NULL)
		buf_add_format(&reader->message, "could not read configuration file \"%s\": %s",
			       path, why);
	if (status != STATUS_OK)
		return status;
	reader->path = path;
	status = read_lines(reader, text);
	reader->path = NULL;
	return status;
}

/* SLUICE_ITEM_SIZE=… sets item_size. Other programs use SLUICE_ variables too: a name that
 * resembles no setting is ignored, one that does is reported as a typo. */
static enum status read_variable(struct reader *reader, const char *variable,
				 struct config_source *source)
{
	size_t prefix = strlen(ENVIRONMENT_PREFIX);
	const char *equals = strchr(variable, '=');
	size_t index;

	if (equals == NULL || strncmp(variable, ENVIRONMENT_PREFIX, prefix) != 0)
		return STATUS_OK;
	char *name =
		arena_copy(reader->arena, (struct slice){variable, (size_t)(equals - variable)});
	char *key = arena_copy(reader->arena, slice_of(name == NULL ? NULL : name + prefix));
	if (name == NULL || key == NULL)
		return STATUS_NO_MEMORY;
	for (char *c = key; *c != '\0'; c++)
		*c = ascii_lower(*c);
	if (nearest_key(slice_of(key)) == NULL)
		return STATUS_OK;
	reader->variable = name;
	enum status status = find_setting(reader, slice_of(key), &index);
	if (status != STATUS_OK)
		return status;
	source->origin[index] = CONFIG_FROM_ENVIRONMENT;
	return set_value(reader, &reader->settings[index], slice_of(equals + 1));
}

static enum status read_all(struct reader *reader, const char *path, struct config_source *source)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < reader->count && status == STATUS_OK; i++)
		status = set_value(reader, &reader->settings[i],
				   slice_of(reader->settings[i].default_text));
	if (status == STATUS_OK)
		status = read_file(reader, path, source);
	for (size_t i = 0; i < reader->count; i++) {
		if (reader->set_in[i] != 0)
			source->origin[i] = CONFIG_FROM_FILE;
	}
	for (char **v = environ; v != NULL && *v != NULL && status == STATUS_OK; v++)
		status = read_variable(reader, *v, source);
	return status;
}

enum status config_read(struct arena *arena, const char *path, struct config *config,
			struct config_source *source, const char **message)
{
	struct config_source unwanted;
	struct reader reader = {
		.arena = arena, .config = config, .message = buf_make(MESSAGE_BYTES_MAX)};

	reader.settings = config_settings(&reader.count);
	if (source == NULL)
		source = &unwanted;
	*source = (struct config_source){.path = NULL};
	*config = (struct config){.database = NULL};
	*message = NULL;
	enum status status = read_all(&reader, path, source);
	if (status == STATUS_MISCONFIGURED && reader.message.status == STATUS_OK)
		*message = arena_copy(arena, buf_slice(&reader.message));
	if (status != STATUS_OK && *message == NULL) {
		status = STATUS_NO_MEMORY;
		*message = "out of memory";
	}
	buf_free(&reader.message);
	return status;
}

/* ---- documents ---- */

/* Appends a text as comment lines of a configuration file. */
static void add_comment(struct buf *out, struct slice text)
{
	size_t column = 0; /* the first word begins a line */

	while (text.n > 0) {
		const char *space = memchr(text.p, ' ', text.n);
		size_t word = space == NULL ? text.n : (size_t)(space - text.p);
		if (column == 0 || column + 1 + word > WRAP_COLUMN) {
			buf_add_text(out, column == 0 ? "#" : "\n#");
			column = 1;
		}
		buf_add_char(out, ' ');
		buf_add(out, text.p, word);
		column += 1 + word;
		size_t taken = word + (space != NULL);
		text.p += taken;
		text.n -= taken;
	}
	buf_add_char(out, '\n');
}

/* As in the file, where an empty text is a pair of quotes. */
static const char *written_default(const struct config_setting *setting)
{
	return *setting->default_text == '\0' ? "''" : setting->default_text;
}

void config_example(struct buf *out)
{
	size_t count;
	const struct config_setting *setting = config_settings(&count);

	add_comment(out,
		    SLICE("Settings of Sluice; see sluice.conf(5). Each line is \"key = value\"; "
			  "the values shown are the defaults. An environment variable SLUICE_<KEY> "
			  "overrides the file."));
	for (; count > 0; count--, setting++) {
		buf_add_char(out, '\n');
		add_comment(out, slice_of(setting->help));
		buf_add_text(out, "# It takes ");
		config_setting_range(setting, out);
		buf_add_format(out, ".\n#%s = %s\n", setting->key, written_default(setting));
	}
}

/* Appends a text as mdoc wants it: each sentence on a new line. */
static void add_sentences(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		buf_add_char(out, *text);
		if (text[0] == '.' && text[1] == ' ') {
			buf_add_char(out, '\n');
			text++;
		}
	}
	buf_add_char(out, '\n');
}

void config_manual(struct buf *out)
{
	size_t count;
	const struct config_setting *setting = config_settings(&count);

	buf_add_text(out, ".Bl -tag -width Ds\n");
	for (; count > 0; count--, setting++) {
		buf_add_format(out, ".It Ic %s\n", setting->key);
		add_sentences(out, setting->help);
		buf_add_text(out, "It takes ");
		config_setting_range(setting, out);
		buf_add_format(out, ".\nThe default is\n.Ql %s .\n", written_default(setting));
	}
	buf_add_text(out, ".El\n");
}

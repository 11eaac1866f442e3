/*
 * server/verify.c - see server/verify.h.
 */
#include "server/verify.h"

#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "config/check.h"
#include "pg/conninfo.h"

enum { FAULTS_BYTES_MAX = 64 << 10 };

static bool is_open_to_all(const char *path)
{
	struct stat is;

	return path != NULL && stat(path, &is) == 0 && (is.st_mode & S_IROTH) != 0;
}

/* Takes the first line off a text of whole lines. */
static struct slice take_line(struct slice *text)
{
	const char *end = memchr(text->p, '\n', text->n);
	struct slice line = {text->p, (size_t)(end - text->p)};

	*text = (struct slice){end + 1, text->n - line.n - 1};
	return line;
}

static void check_database(const struct config *config, const struct config_source *source,
			   struct buf *out)
{
	struct buf faults = buf_make(FAULTS_BYTES_MAX);
	bool has_password;

	(void)pg_conninfo_check(config->database, &faults, &has_password);
	struct slice rest = buf_slice(&faults);
	while (rest.n > 0) {
		buf_add_text(out, "database: ");
		buf_add_slice(out, take_line(&rest));
		buf_add_char(out, '\n');
	}
	if (has_password && is_open_to_all(source->path))
		buf_add_format(
			out,
			"database: every user can read the password in %s: chmod 640, or use "
			"a password file\n",
			source->path);
	buf_free(&faults);
}

size_t verify_config(const struct config *config, const struct config_source *source,
		     struct buf *out)
{
	size_t before = out->n, count = 0;

	check_database(config, source, out);
	config_check(config, out);
	for (size_t i = before; i < out->n; i++)
		count += out->p[i] == '\n';
	return count;
}

void verify_and_log(const struct config *config, const struct config_source *source)
{
	struct buf faults = buf_make(FAULTS_BYTES_MAX);

	(void)verify_config(config, source, &faults);
	struct slice rest = buf_slice(&faults);
	while (rest.n > 0)
		log_event(LOG_LEVEL_WARNING, "doubtful configuration",
			  LOG_SLICE("fault", take_line(&rest)));
	buf_free(&faults);
}

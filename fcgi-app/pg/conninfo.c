/*
 * pg/conninfo.c - see pg/conninfo.h.
 */
#include "pg/conninfo.h"

#include <errno.h>
#include <libpq-fe.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As libpq looks at it before it reads it. */
static void check_password_file(const char *path, struct buf *out)
{
	struct stat is;
	bool is_there = stat(path, &is) == 0;

	if (is_there && !S_ISREG(is.st_mode))
		buf_add_format(out, "the password file \"%s\" is not a file\n", path);
	else if (is_there && (is.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		buf_add_format(out,
			       "the password file \"%s\" is open to others, so libpq ignores it: "
			       "chmod 600\n",
			       path);
	else if (!is_there || access(path, R_OK) != 0)
		buf_add_format(out, "the password file \"%s\" cannot be read: %s\n", path,
			       strerror(errno));
}

/* The first line of libpq's message without what it quotes of the string, which may be a password;
 * single characters such as "=" stay. */
static void add_message(struct buf *out, struct slice message)
{
	const char *first = NULL, *last = NULL;

	for (size_t i = 0; i < message.n && message.p[i] != '\n'; i++) {
		if (message.p[i] != '"')
			continue;
		if (first == NULL && i + 2 < message.n && message.p[i + 2] == '"') {
			i += 2;
			continue;
		}
		if (first == NULL)
			first = message.p + i;
		last = message.p + i;
	}
	struct slice head = {message.p, strcspn(message.p, "\n")};
	if (first == NULL) {
		buf_add_slice(out, head);
		return;
	}
	buf_add(out, message.p, (size_t)(first - message.p));
	buf_add_text(out, "what is given");
	buf_add(out, last + 1, head.n - (size_t)(last + 1 - message.p));
}

bool pg_conninfo_check(const char *conninfo, struct buf *out, bool *has_password)
{
	char *message = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &message);
	bool understood = options != NULL;

	*has_password = false;
	if (!understood) {
		buf_add_text(out, "libpq does not understand it: ");
		add_message(out, message == NULL ? SLICE("out of memory") : slice_of(message));
		buf_add_char(out, '\n');
	}
	for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
		if (o->val == NULL || *o->val == '\0')
			continue;
		*has_password |= strcmp(o->keyword, "password") == 0;
		if (strcmp(o->keyword, "passfile") == 0)
			check_password_file(o->val, out);
	}
	PQfreemem(message);
	PQconninfoFree(options);
	return understood;
}

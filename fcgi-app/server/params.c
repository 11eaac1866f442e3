/*
 * server/params.c - see server/params.h.
 */
#include "server/params.h"

#include <string.h>

struct params params_make(size_t bytes_max)
{
	return (struct params){.pairs = buf_make(bytes_max),
			       .texts = buf_make(bytes_max),
			       .list = buf_make(SIZE_MAX / 2)};
}

void params_reset(struct params *params, size_t keep)
{
	buf_reset(&params->pairs, keep);
	buf_reset(&params->texts, keep);
	buf_reset(&params->list, keep);
}

void params_free(struct params *params)
{
	buf_free(&params->pairs);
	buf_free(&params->texts);
	buf_free(&params->list);
}

char *const *params_variables(const struct params *params)
{
	static char *const none[] = {NULL};
	bool is_read = params->list.status == STATUS_OK && params->list.n > 0;

	return is_read ? (char *const *)params->list.p : none;
}

/* The length of a name or a value, in one byte or in four. */
static bool take_length(struct slice *pairs, size_t *length)
{
	const unsigned char *p = (const unsigned char *)pairs->p;
	size_t n = pairs->n > 0 && p[0] > 0x7f ? 4 : 1;

	if (pairs->n < n)
		return false;
	*length = p[0];
	if (n == 4)
		*length =
			(size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	*pairs = (struct slice){pairs->p + n, pairs->n - n};
	return true;
}

/* The next name and its value; false if they exceed the parameters or contain a NUL byte. */
static bool take_pair(struct slice *pairs, struct slice *name, struct slice *value)
{
	size_t name_n, value_n;

	if (!take_length(pairs, &name_n) || !take_length(pairs, &value_n))
		return false;
	size_t n = name_n + value_n;
	if (n > pairs->n || memchr(pairs->p, '\0', n) != NULL)
		return false;
	*name = (struct slice){pairs->p, name_n};
	*value = (struct slice){pairs->p + name_n, value_n};
	*pairs = (struct slice){pairs->p + n, pairs->n - n};
	return true;
}

/* params_read() has reserved the memory. */
static void add_variable(struct params *params, struct slice name, struct slice value)
{
	const char *variable = params->texts.p + params->texts.n;
	char *p = params->texts.p + params->texts.n;

	memcpy(p, name.p, name.n);
	p += name.n;
	*p++ = '=';
	memcpy(p, value.p, value.n);
	p += value.n;
	*p++ = '\0';
	params->texts.n = (size_t)(p - params->texts.p);
	buf_add(&params->list, (const void *)&variable, sizeof(variable));
}

/* Name-value pairs (FastCGI 1.0, section 3.4). A variable is no longer than its pair, so reserving
 * once is enough and the texts never move. */
enum status params_read(struct params *params)
{
	static const char *const end = NULL;
	struct slice pairs = buf_slice(&params->pairs);
	bool all = params->pairs.status == STATUS_OK;

	if (params->pairs.status == STATUS_NO_MEMORY ||
	    buf_reserve(&params->texts, pairs.n) == NULL)
		return STATUS_NO_MEMORY;
	while (pairs.n > 0) {
		struct slice name, value;
		if (!take_pair(&pairs, &name, &value)) {
			if (all)
				return STATUS_END;
			break;
		}
		add_variable(params, name, value);
	}
	buf_add(&params->list, (const void *)&end, sizeof(end));
	if (params->list.status != STATUS_OK)
		return STATUS_NO_MEMORY;
	return all ? STATUS_OK : STATUS_HEADERS_TOO_LARGE;
}

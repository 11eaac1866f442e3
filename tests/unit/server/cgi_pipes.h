/*
 * cgi_pipes.h - descriptors 0 and 1 as pipes, for tests of plain CGI: the body goes in, the bytes
 * of the response come out.
 */
#ifndef CGI_PIPES_H
#define CGI_PIPES_H

#include <string.h>
#include <unistd.h>

#include "check_main.h"

enum { CGI_OUTPUT_BYTES = 64 << 10 };

static int cgi_input, cgi_output; /* the other ends of descriptors 0 and 1 */

static inline void cgi_open_pipes(void)
{
	int in[2], out[2];

	must(pipe(in) == 0 && pipe(out) == 0 && dup2(in[0], STDIN_FILENO) == STDIN_FILENO &&
	     dup2(out[1], STDOUT_FILENO) == STDOUT_FILENO);
	cgi_input = in[1];
	cgi_output = out[0];
}

static inline void cgi_write_body(const char *body)
{
	must(write(cgi_input, body, strlen(body)) == (ssize_t)strlen(body));
}

/* What was written, terminated. */
static inline const char *cgi_response(void)
{
	static char text[CGI_OUTPUT_BYTES];
	ssize_t n = read(cgi_output, text, sizeof(text) - 1);

	must(n > 0);
	text[n] = '\0';
	return text;
}

#endif

/*
 * captured_log.c - the log through a socket that is read without waiting. See captured_log.h.
 */
#include "captured_log.h"

#include <check.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

static int ends[2];
static int kept = -1;

void captured_log_start(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	kept = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
	log_open("unit", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
}

void captured_log_stop(void)
{
	(void)dup2(kept, STDERR_FILENO);
	(void)close(kept);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

const char *captured_log(void)
{
	static char text[64 * 1024];
	ssize_t n = recv(ends[0], text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

int captured_log_count(const char *lines, const char *text)
{
	int count = 0;

	for (const char *p = lines; (p = strstr(p, text)) != NULL; p += strlen(text))
		count++;
	return count;
}

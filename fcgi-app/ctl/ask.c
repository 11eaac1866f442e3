/*
 * ctl/ask.c - questions to the person at the terminal. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_BYTES_MAX = 1024 };

bool ctl_may_ask(const struct ctl *ctl)
{
	return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && !ctl_has(ctl, CTL_JSON);
}

/* A terminal hands over a line at a time, without more than fits. False at the end of input. */
static bool read_line(char *line, size_t size)
{
	ssize_t n;

	do
		n = read(STDIN_FILENO, line, size - 1);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

enum ctl_exit ctl_ask(struct ctl *ctl, const char *question, const char *usual, const char **answer)
{
	char line[ANSWER_BYTES_MAX];

	buf_add_format(&ctl->out, "%s [%s]: ", question, usual);
	enum ctl_exit written = ctl_flush(ctl);
	if (written != CTL_FINE)
		return written;
	if (!read_line(line, sizeof(line)))
		return ctl_fail(CTL_USAGE, NULL, "there was no answer");
	*answer = *line == '\0' ? usual : arena_copy(&ctl->arena, slice_of(line));
	return *answer == NULL ? ctl_fail_status(ctl, STATUS_NO_MEMORY) : CTL_FINE;
}

enum ctl_exit ctl_agree(struct ctl *ctl, const char *question, const char *usual, bool *agreed)
{
	const char *answer = "";
	enum ctl_exit result = ctl_ask(ctl, question, usual, &answer);

	*agreed = result == CTL_FINE && (slice_equal_nocase(slice_of(answer), SLICE("yes")) ||
					 slice_equal_nocase(slice_of(answer), SLICE("y")));
	return result;
}

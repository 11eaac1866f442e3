/*
 * server/process.c - see server/process.h.
 */
#include "server/process.h"

#include <sys/wait.h>

#include "base/log.h"

static volatile sig_atomic_t ending;

static void on_end(int number)
{
	(void)number;
	ending = 1;
}

static void on_child(int number)
{
	(void)number; /* only ends the waiting */
}

void process_set_handlers(sigset_t *while_polling)
{
	static const int ends[] = {SIGTERM, SIGINT, SIGUSR1};
	struct sigaction end = {.sa_handler = on_end};
	struct sigaction child = {.sa_handler = on_child};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t blocked;

	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGCHLD);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		(void)sigaddset(&blocked, ends[i]);
	(void)sigprocmask(SIG_BLOCK, &blocked, while_polling);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)sigdelset(while_polling, ends[i]);
		(void)sigaction(ends[i], &end, NULL);
	}
	(void)sigdelset(while_polling, SIGCHLD);
	(void)sigaction(SIGCHLD, &child, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

bool process_is_ending(void)
{
	return ending != 0;
}

void process_reap(int *children)
{
	int how;
	pid_t child;

	while (*children > 0 && (child = waitpid(-1, &how, WNOHANG)) > 0) {
		--*children;
		if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
			log_event(LOG_LEVEL_ERROR, "child for a request failed",
				  LOG_INT("child", child),
				  LOG_INT("signal", WIFSIGNALED(how) ? WTERMSIG(how) : 0));
	}
}

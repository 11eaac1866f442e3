/*
 * server/process.c - see server/process.h.
 */
#define _GNU_SOURCE /* ppoll */
#include "server/process.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "server/notify.h"

enum { CHILD_GRACE_MS = 10000 };

static volatile sig_atomic_t ending, hangup;
static struct notify manager = {.fd = -1};
static bool has_told_ending;
static bool is_child;
static sigset_t child_waits; /* blocked while a child waits */

static void on_end(int number)
{
	(void)number;
	ending = 1;
}

static void on_hangup(int number)
{
	(void)number;
	hangup = 1;
}

static void on_child(int number)
{
	(void)number; /* interrupts the wait, no more */
}

void process_start(sigset_t *while_polling)
{
	static const int ends[] = {SIGTERM, SIGINT, SIGUSR1};
	struct sigaction end = {.sa_handler = on_end};
	struct sigaction again = {.sa_handler = on_hangup};
	struct sigaction child = {.sa_handler = on_child};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t blocked;

	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGCHLD);
	(void)sigaddset(&blocked, SIGHUP);
	for (size_t i = 0; i < ARRAY_LENGTH(ends); i++)
		(void)sigaddset(&blocked, ends[i]);
	(void)sigprocmask(SIG_BLOCK, &blocked, while_polling);
	for (size_t i = 0; i < ARRAY_LENGTH(ends); i++) {
		(void)sigdelset(while_polling, ends[i]);
		(void)sigaction(ends[i], &end, NULL);
	}
	(void)sigdelset(while_polling, SIGCHLD);
	(void)sigdelset(while_polling, SIGHUP);
	(void)sigaction(SIGHUP, &again, NULL);
	(void)sigaction(SIGUSR2, &ignore, NULL);
	(void)sigaction(SIGCHLD, &child, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	log_event(LOG_LEVEL_INFO, "worker started", LOG_TEXT("version", SLUICE_VERSION));
	notify_open(&manager, clock_now_ms());
	notify_send(&manager, "READY=1");
}

bool process_is_ending(void)
{
	return ending != 0;
}

bool process_take_hangup(void)
{
	bool came = hangup != 0;

	hangup = 0;
	if (came)
		notify_reloading(&manager, clock_now_us());
	return came;
}

void process_reloaded(void)
{
	notify_send(&manager, "READY=1");
}

int64_t process_tell(int64_t now_ms)
{
	if (process_is_ending() && !has_told_ending) {
		has_told_ending = true;
		notify_send(&manager, "STOPPING=1");
	}
	return notify_alive(&manager, now_ms);
}

/* SIGUSR1 has another meaning than in the worker, which may be ending. */
static void be_child(int64_t deadline_ms)
{
	int64_t left_ms = deadline_ms - clock_now_ms();

	log_forked();
	(void)alarm((unsigned)(((left_ms > 0 ? left_ms : 0) + CHILD_GRACE_MS) / 1000));
	ending = 0;
	is_child = true;
	(void)sigprocmask(SIG_BLOCK, NULL, &child_waits);
	(void)sigdelset(&child_waits, SIGUSR1);
}

pid_t process_fork(int *children, int64_t deadline_ms)
{
	pid_t child = fork();

	if (child < 0) {
		log_event(LOG_LEVEL_ERROR, "could not fork", LOG_TEXT("cause", strerror(errno)));
	} else if (child > 0) {
		++*children;
	} else {
		be_child(deadline_ms);
	}
	return child;
}

pid_t process_reap(int *children)
{
	int how;
	pid_t child = *children > 0 ? waitpid(-1, &how, WNOHANG) : 0;

	if (child <= 0)
		return 0;
	--*children;
	if (!WIFEXITED(how) || WEXITSTATUS(how) != 0) {
		stats_add(&stats_mine()->failed_children, 1);
		log_event(LOG_LEVEL_ERROR, "child for a request failed", LOG_INT("child", child),
			  LOG_INT("signal", WIFSIGNALED(how) ? WTERMSIG(how) : 0));
	}
	return child;
}

void process_ask_to_give_way(pid_t child)
{
	(void)kill(child, SIGUSR1);
}

/* It is blocked, and a wait that has nothing to wait for does not take it. */
bool process_gives_way(void)
{
	sigset_t pending;

	return is_child &&
	       (ending != 0 || (sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 1));
}

int process_poll(struct pollfd *fd, int timeout_ms)
{
	struct timespec timeout = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};

	return ppoll(fd, 1, &timeout, is_child ? &child_waits : NULL);
}

/*
 * server/process.h - a worker's process: the signals that end it, and the children it forks for
 * single requests. Knows nothing of what they serve.
 */
#ifndef SERVER_PROCESS_H
#define SERVER_PROCESS_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Logs that the worker has started and installs its signal handlers. SIGTERM, SIGINT, SIGUSR1
 * (multiwatch's default) and SIGCHLD stay blocked except during a wait with the mask returned in
 * *while_polling, as for ppoll(2): a signal that comes between process_is_ending() and the wait is
 * not lost. SIGHUP is, too; SIGPIPE and SIGUSR2 are ignored. Tells systemd, if that started the
 * worker, that it is ready.
 */
void process_start(sigset_t *while_polling);

/* Whether a signal has told the worker to end. */
bool process_is_ending(void);

/* Whether SIGHUP has come since the last call. If so, systemd is told that the worker reads its
 * configuration again, and by process_reloaded() that it has. */
bool process_take_hangup(void);
void process_reloaded(void);

/*
 * For each turn of the worker: tells systemd that the worker lives, if that is due, and once that
 * it is ending. Returns until when the next turn must come, a time of clock_now_ms(); INT64_MAX if
 * the worker has no watchdog.
 */
int64_t process_tell(int64_t now_ms);

/*
 * Forks a child to serve one request, counted in *children. Returns what fork(2) returns; a failure
 * is logged. Log lines must not be held (log_hold). The child's log lines carry its own process id,
 * and SIGALRM kills it if it outlives deadline_ms, a time of clock_now_ms(), by ten seconds.
 */
pid_t process_fork(int *children, int64_t deadline_ms);

/* Reaps an exited child without blocking and takes it off *children. One that failed is logged.
 * Returns its process id; 0 when there is none. */
pid_t process_reap(int *children);

/* Asks a child to give its request up, as soon as it waits for its sender. */
void process_ask_to_give_way(pid_t child);

/* In a child: whether it has been asked. */
bool process_gives_way(void);

/* poll(2) of one descriptor; in a child process_ask_to_give_way() interrupts it. */
int process_poll(struct pollfd *fd, int timeout_ms);

#endif

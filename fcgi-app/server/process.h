/*
 * server/process.h - what every worker process does: it ends when it is told to, and notices when
 * children of its end. Knows nothing of requests.
 */
#ifndef SERVER_PROCESS_H
#define SERVER_PROCESS_H

#include <signal.h>
#include <stdbool.h>

/*
 * From here on SIGTERM, SIGINT, SIGUSR1 (multiwatch's default) and SIGCHLD are blocked but for
 * those who wait with the mask that is returned in *while_polling, as ppoll(2) does: a signal
 * between a look at process_is_ending() and the waiting is not lost. SIGPIPE is ignored.
 */
void process_set_handlers(sigset_t *while_polling);

/* Whether the worker has been told to end. */
bool process_is_ending(void);

/* Takes leave of the children that have ended, without waiting; *children is how many there are.
 * One that failed is logged. */
void process_reap(int *children);

#endif

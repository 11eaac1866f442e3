/*
 * worker.h - what every worker process does: it ends when it is told to, and notices when children
 * of its end. Knows nothing of requests.
 */
#ifndef WORKER_H
#define WORKER_H

#include <signal.h>
#include <stdbool.h>

/*
 * From here on SIGTERM, SIGINT, SIGUSR1 (multiwatch's default) and SIGCHLD are blocked but for
 * those who wait with the mask that is returned in *while_polling, as ppoll(2) does: a signal
 * between a look at worker_is_ending() and the waiting is not lost. SIGPIPE is ignored.
 */
void worker_set_handlers(sigset_t *while_polling);

/* Whether the worker has been told to end. */
bool worker_is_ending(void);

/* Takes leave of the children that have ended, without waiting; *children is how many there are.
 * One that failed is logged. */
void worker_reap(int *children);

#endif

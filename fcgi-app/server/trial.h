/*
 * server/trial.h - tries a database in a child process, so that nobody waits for it.
 */
#ifndef SERVER_TRIAL_H
#define SERVER_TRIAL_H

#include "base/buf.h"
#include "config/config.h"

/* Whether requests could be served with config->database; else why not, with a message. May wait.
 */
typedef enum status trial_function(const struct config *config, struct buf *cause);

enum { TRIAL_CAUSE_BYTES = 512 };

struct trial {
	int fd; /* -1: none is under way */
};

/* Starts one, which ends within the configuration's time for a request; *children is counted up, as
 * by process_fork(). STATUS_OK, or STATUS_BUSY: no process can be made, which is logged. */
enum status trial_start(struct trial *trial, trial_function *function, const struct config *config,
			int *children) MUST_CHECK;

/*
 * True once it has ended, which is told by SIGCHLD, and only once. *status is what the function
 * returned and cause, which has room for TRIAL_CAUSE_BYTES, its message; STATUS_DEADLINE if it was
 * ended before.
 */
bool trial_has_ended(struct trial *trial, enum status *status, char *cause);

/* Nobody wants to know any more. */
void trial_forget(struct trial *trial);

#endif

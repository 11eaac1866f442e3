/*
 * server/reload.c - see server/reload.h.
 */
#include "server/reload.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/reload.h"
#include "pg/conninfo.h"
#include "server/process.h"
#include "server/verify.h"

enum { NAMES_BYTES_MAX = 4096 };

static struct {
	const char *program, *path;
	struct config *config; /* NULL: nothing to reload */
	trial_function *try_database;
	struct trial trial;
	char *tried;	/* the database under trial */
	char *database; /* the one in config, unless it is that of the start */
} state = {.trial.fd = -1};

static void forget_trial(void)
{
	trial_forget(&state.trial);
	free(state.tried);
	state.tried = NULL;
}

void reload_prepare(const char *program, const char *path, struct config *config,
		    trial_function *try_database)
{
	forget_trial();
	free(state.database);
	state.database = NULL;
	state.program = program;
	state.path = path;
	state.config = config;
	state.try_database = try_database;
}

/* ---- another database ---- */

static void keep_database(enum status status, const char *cause)
{
	log_event(LOG_LEVEL_ERROR, "the new database cannot be used: the old one stays",
		  LOG_TEXT("code", status_name(status)), LOG_TEXT("cause", cause));
	forget_trial();
}

static void try_database(const struct config *fresh, int *children)
{
	struct buf faults = buf_make(NAMES_BYTES_MAX);
	bool has_password;
	bool understood = pg_conninfo_check(fresh->database, &faults, &has_password);

	buf_free(&faults); /* which are logged as doubts */
	state.tried = strdup(fresh->database);
	if (!understood)
		keep_database(STATUS_INVALID_VALUE, "libpq does not understand it");
	else if (state.tried == NULL)
		keep_database(STATUS_NO_MEMORY, NULL);
	else if (trial_start(&state.trial, state.try_database, fresh, children) != STATUS_OK)
		keep_database(STATUS_BUSY, "no process to try it");
}

static void take_tried_database(void)
{
	enum status status;
	char cause[TRIAL_CAUSE_BYTES];

	if (!trial_has_ended(&state.trial, &status, cause))
		return;
	if (status != STATUS_OK) {
		keep_database(status, cause);
		return;
	}
	state.config->database = state.tried;
	free(state.database);
	state.database = state.tried;
	state.tried = NULL;
	log_write(LOG_LEVEL_INFO, "the new database is used from now on", NULL, 0);
}

/* ---- the configuration ---- */

static void take(const struct config *fresh, int *children)
{
	struct buf taken = buf_make(NAMES_BYTES_MAX), kept = buf_make(NAMES_BYTES_MAX);

	config_reload(state.config, fresh, &taken, &kept);
	log_open(state.program, (enum log_target)state.config->log_target,
		 (enum log_level)state.config->log_level);
	log_event(LOG_LEVEL_INFO, "configuration reloaded", LOG_SLICE("taken", buf_slice(&taken)),
		  LOG_SLICE("needs_restart", buf_slice(&kept)));
	buf_free(&taken);
	buf_free(&kept);
	if (config_database_differs(state.config, fresh))
		try_database(fresh, children);
}

static void read_again(int *children)
{
	struct arena arena = {0};
	struct config fresh;
	struct config_source source;
	const char *message = NULL;

	log_reopen();
	if (config_read(&arena, state.path, &fresh, &source, &message) != STATUS_OK) {
		log_event(LOG_LEVEL_ERROR, "could not reload the configuration",
			  LOG_TEXT("cause", message));
	} else {
		forget_trial();
		verify_and_log(&fresh, &source);
		take(&fresh, children);
	}
	arena_free(&arena);
	process_reloaded();
}

void reload_if_asked(int *children)
{
	if (state.config == NULL)
		return;
	take_tried_database();
	if (process_take_hangup())
		read_again(children);
}

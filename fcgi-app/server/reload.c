/*
 * server/reload.c - see server/reload.h.
 */
#include "server/reload.h"

#include "base/log.h"
#include "config/reload.h"
#include "server/process.h"
#include "server/verify.h"

enum { NAMES_BYTES_MAX = 4096 };

static struct {
	const char *program, *path;
	struct config *config; /* NULL: nothing to reload */
} state;

void reload_prepare(const char *program, const char *path, struct config *config)
{
	state.program = program;
	state.path = path;
	state.config = config;
}

static void take(const struct config *fresh)
{
	struct buf taken = buf_make(NAMES_BYTES_MAX), kept = buf_make(NAMES_BYTES_MAX);

	config_reload(state.config, fresh, &taken, &kept);
	log_open(state.program, (enum log_target)state.config->log_target,
		 (enum log_level)state.config->log_level);
	log_event(LOG_LEVEL_INFO, "configuration reloaded", LOG_SLICE("taken", buf_slice(&taken)),
		  LOG_SLICE("needs_restart", buf_slice(&kept)));
	buf_free(&taken);
	buf_free(&kept);
}

void reload_if_asked(void)
{
	struct arena arena = {0};
	struct config fresh;
	struct config_source source;
	const char *message = NULL;

	if (state.config == NULL || !process_take_hangup())
		return;
	log_reopen();
	if (config_read(&arena, state.path, &fresh, &source, &message) != STATUS_OK) {
		log_event(LOG_LEVEL_ERROR, "could not reload the configuration",
			  LOG_TEXT("cause", message));
	} else {
		verify_and_log(&fresh, &source);
		take(&fresh);
	}
	arena_free(&arena);
	process_reloaded();
}

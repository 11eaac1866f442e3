/*
 * ctl.c - sluicectl, the tool of operators and DBAs: from the arguments to the exit status.
 *
 * main reads the arguments (ctl_command.c), connects when the command needs it, calls the
 * command and prints what it made. The commands are in the files that ctl.h names.
 */
#include "ctl.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"

enum {
	CONNECT_TIMEOUT_MS = 10 * 1000,
	CALL_TIMEOUT_MS = 60 * 1000,
	OUTPUT_MAX_BYTES = 1 << 30,
};

int64_t ctl_deadline(void)
{
	return db_now_ms() + CALL_TIMEOUT_MS;
}

/* Whom the audit log names: the database's user and the operating system's. */
static enum status find_actor(struct ctl *ctl)
{
	struct slice user;
	const struct passwd *entry = getpwuid(geteuid());
	struct buf actor = buf_make(1024);
	enum status status = store_session_user(&ctl->store, &user);

	if (status != STATUS_OK)
		return status;
	buf_add_text(&actor, "sluicectl:");
	buf_add_slice(&actor, user);
	buf_add_char(&actor, '@');
	if (entry != NULL)
		buf_add_text(&actor, entry->pw_name);
	else
		buf_add_int(&actor, (int64_t)geteuid());
	ctl->store.actor.p = arena_copy(&ctl->arena, buf_slice(&actor));
	ctl->store.actor.n = actor.n;
	if (actor.status != STATUS_OK || ctl->store.actor.p == NULL)
		status = STATUS_NO_MEMORY;
	buf_free(&actor);
	return status;
}

enum ctl_exit ctl_connect(struct ctl *ctl)
{
	const struct db_options options = {.application_name = "sluicectl", .quiet = true};
	enum status status = db_open(&ctl->db, &options);

	if (status == STATUS_OK)
		status = db_connect(ctl->db, db_now_ms() + CONNECT_TIMEOUT_MS);
	if (status == STATUS_NO_MEMORY)
		return ctl_fail_status(ctl, status);
	if (status != STATUS_OK)
		return ctl_fail(CTL_UNREACHABLE,
				"PGHOST, PGPORT, PGDATABASE and PGUSER say where the database is",
				"could not connect to the database: %s", db_message(ctl->db));
	ctl->store =
		(struct store){.db = ctl->db, .arena = &ctl->arena, .deadline_ms = ctl_deadline()};
	status = find_actor(ctl);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

/* The tool's own variable; config takes all others that begin with SLUICE_ for settings. */
static void take_environment(struct ctl *ctl)
{
	const char *migrations = getenv("SLUICE_MIGRATIONS");

	if (migrations == NULL)
		return;
	ctl->migrations = arena_copy(&ctl->arena, slice_of(migrations));
	(void)unsetenv("SLUICE_MIGRATIONS");
}

static enum ctl_exit run(struct ctl *ctl, int argc, char *const argv[])
{
	enum ctl_exit status = ctl_parse(ctl, argc, argv);

	if (status != CTL_FINE)
		return status;
	if (ctl_has(ctl, CTL_HELP))
		return ctl_help(ctl);
	if (ctl->command->database)
		status = ctl_connect(ctl);
	return status == CTL_FINE ? ctl->command->run(ctl) : status;
}

int main(int argc, char *argv[])
{
	struct ctl ctl = {.out = buf_make(OUTPUT_MAX_BYTES)};

	log_open("sluicectl", LOG_TARGET_STDERR, LOG_LEVEL_WARNING);
	take_environment(&ctl);
	enum ctl_exit status = run(&ctl, argc, argv);
	enum ctl_exit written = ctl_flush(&ctl);
	/* It may have held a new key. */
	if (ctl.out.p != NULL)
		credential_forget(ctl.out.p, ctl.out.size);
	db_close(ctl.db);
	buf_free(&ctl.out);
	arena_free(&ctl.arena);
	return (int)(status != CTL_FINE ? status : written);
}

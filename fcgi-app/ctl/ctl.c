/*
 * ctl/ctl.c - from the arguments of sluicectl to its exit status. See ctl/ctl.h.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "ctl/ctl_internal.h"
#include "key/credential.h"

enum {
	CONNECT_TIMEOUT_MS = 10 * 1000,
	CALL_TIMEOUT_MS = 60 * 1000,
	OUTPUT_MAX_BYTES = 1 << 30,
	USAGE_MAX_BYTES = 64 << 10,
};

int64_t ctl_deadline(void)
{
	return clock_now_ms() + CALL_TIMEOUT_MS;
}

/* The actor of the audit log: the database's user and the operating system's. */
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
	ctl->store.actor = arena_move(&ctl->arena, &actor);
	return ctl->store.actor.p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* What libpq reads for --database; "" without it. */
static enum status make_conninfo(struct ctl *ctl, const char **conninfo)
{
	const char *name = ctl->values[CTL_DATABASE];
	struct buf text = buf_make(4096);

	*conninfo = "";
	if (name == NULL)
		return STATUS_OK;
	buf_add_text(&text, "dbname='");
	for (; *name != '\0'; name++) {
		if (*name == '\'' || *name == '\\')
			buf_add_char(&text, '\\');
		buf_add_char(&text, *name);
	}
	buf_add_char(&text, '\'');
	*conninfo = text.status == STATUS_OK ? arena_copy(&ctl->arena, buf_slice(&text)) : NULL;
	buf_free(&text);
	return *conninfo == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

enum ctl_exit ctl_connect(struct ctl *ctl)
{
	struct pg_options options = {.application_name = "sluicectl", .quiet = true};
	enum status status = make_conninfo(ctl, &options.conninfo);

	if (status == STATUS_OK)
		status = pg_open(&ctl->db, &options);
	if (status == STATUS_OK)
		status = pg_connect(ctl->db, clock_now_ms() + CONNECT_TIMEOUT_MS);
	if (status == STATUS_NO_MEMORY)
		return ctl_fail_status(ctl, status);
	if (status == STATUS_DEADLINE)
		return ctl_fail(
			CTL_UNREACHABLE,
			"see whether the server hangs, and whether PGHOST and PGPORT are its own",
			"could not connect to the database: no answer within %d seconds",
			CONNECT_TIMEOUT_MS / 1000);
	if (status != STATUS_OK)
		return ctl_fail(
			CTL_UNREACHABLE,
			"PGHOST, PGPORT, PGDATABASE and PGUSER say which database to use, PGPASSWORD or ~/.pgpass the password",
			"could not connect to the database: %s", pg_message(ctl->db));
	ctl->store =
		(struct store){.db = ctl->db, .arena = &ctl->arena, .deadline_ms = ctl_deadline()};
	status = find_actor(ctl);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

/* Everyone who can list processes sees arguments, and they end up in histories and logs. */
static bool holds_credential(int argc, char *const argv[])
{
	for (int i = 1; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');
		struct slice value = slice_of(equals == NULL ? argv[i] : equals + 1);
		if (credential_key_is_sound(value) || credential_token_is_sound(value) ||
		    slice_starts(value, SLICE("whs_")))
			return true;
	}
	return false;
}

/* As every program has it: --version, with --json or without. */
static bool asks_version(struct ctl *ctl, int argc, char *const argv[])
{
	bool version = false, json = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0)
			version = true;
		else if (strcmp(argv[i], "--json") == 0)
			json = true;
		else
			return false;
	}
	if (version && json)
		ctl->values[CTL_JSON] = "";
	return version;
}

/* After a message about wrong arguments: which ones would be right. */
static void print_usage(const struct ctl *ctl)
{
	struct buf text = buf_make(USAGE_MAX_BYTES);

	ctl_add_usage(&text, ctl);
	if (text.status == STATUS_OK)
		(void)fwrite(text.p, 1, text.n, stderr);
	buf_free(&text);
}

static enum ctl_exit run(struct ctl *ctl, int argc, char *const argv[])
{
	if (holds_credential(argc, argv))
		return ctl_fail(
			CTL_USAGE, "refer to a key by its id; \"sluicectl key list\" shows the ids",
			"an argument is an API key, a secret or a token; other users can see it there");
	if (asks_version(ctl, argc, argv))
		return ctl_version(ctl);
	enum ctl_exit status = ctl_parse(ctl, argc, argv);
	if (status != CTL_FINE)
		return status;
	if (ctl_has(ctl, CTL_HELP))
		return ctl_help(ctl);
	/* Also of a command that does not read it: it was meant to count. */
	const char *file = ctl->values[CTL_CONFIG];
	if (file != NULL && access(file, F_OK) != 0)
		return ctl_fail(CTL_FAILED, NULL,
				"could not find the configuration file \"%s\": %s", file,
				strerror(errno));
	if (ctl->command->database)
		status = ctl_connect(ctl);
	return status == CTL_FINE ? ctl->command->run(ctl) : status;
}

int ctl_main(int argc, char *argv[])
{
	struct ctl ctl = {.out = buf_make(OUTPUT_MAX_BYTES)};

	if (!file_open_standard())
		return CTL_FAILED;
	ctl.screen = ctl_screen_of(STDOUT_FILENO);
	log_open("sluicectl", LOG_TARGET_STDERR, LOG_LEVEL_WARNING);
	enum ctl_exit status = run(&ctl, argc, argv);
	enum ctl_exit written = ctl_flush(&ctl);
	if (status == CTL_USAGE)
		print_usage(&ctl);
	/* It may have held a new key. */
	if (ctl.out.p != NULL)
		credential_forget(ctl.out.p, ctl.out.size);
	pg_close(ctl.db);
	buf_free(&ctl.out);
	arena_free(&ctl.arena);
	return (int)(status != CTL_FINE ? status : written);
}

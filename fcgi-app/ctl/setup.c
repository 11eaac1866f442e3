/*
 * ctl/setup.c - sluicectl setup. See ctl/ctl_internal.h.
 *
 * From a cluster to a database that is fit for use. Each step looks first and does only what is
 * missing, so a run can be repeated, and after a failure goes on where it stopped.
 */
#include "ctl/ctl_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/setup.h"

enum { SERVER_FILE_BYTES_MAX = 1 << 20, STEPS_MAX = 16 };

/* In the order in which they are taken. */
struct step {
	struct slice what;   /* "database" */
	struct slice result; /* "done", "would do", "already done", or "to do" by hand */
	struct slice detail;
};

struct setup {
	const char *database;
	struct step steps[STEPS_MAX];
	size_t count;
	bool dry_run;
};

static const struct store_column columns[] = {
	STORE_COLUMN(struct step, what, .member = "step", .heading = "STEP"),
	STORE_COLUMN(struct step, result, .member = "result", .heading = "RESULT"),
	STORE_COLUMN(struct step, detail, .member = "detail", .heading = "DETAIL", .whole = true),
};

static const struct store_entity step_entity = STORE_ENTITY(struct step, columns);

static void add_step(struct setup *setup, const char *what, const char *result, struct slice detail)
{
	if (setup->count < STEPS_MAX)
		setup->steps[setup->count++] =
			(struct step){slice_of(what), slice_of(result), detail};
}

/* ---- statements ---- */

static enum ctl_exit run_statements(struct ctl *ctl, struct setup *setup, const char *what,
				    const struct store_list *statements)
{
	const struct store_setup_statement *items = statements->items;

	if (statements->count == 0)
		add_step(setup, what, "already done", SLICE_ABSENT);
	for (size_t i = 0; i < statements->count; i++) {
		ctl->store.deadline_ms = ctl_deadline();
		enum status status =
			setup->dry_run ? STATUS_OK : store_setup_run(&ctl->store, items[i].text);
		if (status != STATUS_OK)
			return ctl_fail_status(ctl, status);
		add_step(setup, what, setup->dry_run ? "would do" : "done", items[i].text);
	}
	return CTL_FINE;
}

/* Connects to a database of the cluster, instead of the one connected to so far. */
static enum ctl_exit connect_to(struct ctl *ctl, const char *database)
{
	pg_close(ctl->db);
	ctl->db = NULL;
	ctl->values[CTL_DATABASE] = database;
	return ctl_connect(ctl);
}

/* Leaves the tool connected to Sluice's database, unless that would have to be made first. */
static enum ctl_exit make_database(struct ctl *ctl, struct setup *setup)
{
	struct store_list missing = {0};
	enum ctl_exit result = connect_to(ctl, "postgres");

	if (result != CTL_FINE)
		return result;
	enum status status = store_setup_database(&ctl->store, slice_of(setup->database), &missing);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	result = run_statements(ctl, setup, "database", &missing);
	if (result != CTL_FINE)
		return result;
	if (setup->dry_run && missing.count > 0) {
		add_step(setup, "schema", "would do", SLICE("apply all migrations"));
		add_step(setup, "roles", "would do", SLICE("let each role log in"));
		return CTL_FINE;
	}
	return connect_to(ctl, setup->database);
}

static enum ctl_exit make_roles(struct ctl *ctl, struct setup *setup)
{
	struct store_list missing = {0};
	struct slice admin = ctl_has(ctl, CTL_ADMIN) ? ctl_value(ctl, CTL_ADMIN) : SLICE("root");

	ctl->store.deadline_ms = ctl_deadline();
	enum status status = store_setup_roles(&ctl->store, admin, &missing);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	return run_statements(ctl, setup, "roles", &missing);
}

/* migrate prints on its own; with --json only the steps are printed. */
static enum ctl_exit make_schema(struct ctl *ctl, struct setup *setup)
{
	size_t printed = ctl->out.n;
	enum ctl_exit result = ctl_migrate(ctl);

	if (ctl_has(ctl, CTL_JSON))
		ctl->out.n = printed;
	if (result == CTL_FINE)
		add_step(setup, "schema", setup->dry_run ? "looked at" : "done",
			 SLICE("sluicectl migrate"));
	return result;
}

/* ---- the server's files ---- */

#define IDENT_LINES                                                                                \
	"sluice  sluice              sluice_intake\n"                                              \
	"sluice  sluice-settings     sluice_settings\n"                                            \
	"sluice  sluice-maintenance  sluice_maintenance\n"
#define ROLES "sluice_intake,sluice_settings,sluice_maintenance"

/* The lines of pg_hba.conf: peer authentication, and with --from passwords over TLS. */
static const char *hba_lines(struct ctl *ctl, const struct setup *setup)
{
	const char *from = ctl->values[CTL_FROM];

	/* The second line, because a later one of the server's own may let a password in without
	 * TLS. */
	if (from != NULL)
		return arena_format(&ctl->arena,
				    "hostssl    %s  " ROLES "  %s  scram-sha-256\n"
				    "hostnossl  %s  " ROLES "  %s  reject\n",
				    setup->database, from, setup->database, from);
	return arena_format(&ctl->arena, "local  %s  " ROLES "  peer map=sluice\n",
			    setup->database);
}

/* Replaces a file in one step; the new one has owner and mode of the old. False: see errno. */
static bool replace_file(struct ctl *ctl, const char *path, struct slice text)
{
	const char *temporary = arena_format(&ctl->arena, "%s.sluicectl", path);
	struct stat old;

	if (temporary == NULL || stat(path, &old) != 0)
		return false;
	int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return false;
	ssize_t written = write(file, text.p, text.n);
	bool good = written >= 0 && (size_t)written == text.n &&
		    (old.st_uid == geteuid() || fchown(file, old.st_uid, old.st_gid) == 0) &&
		    fchmod(file, old.st_mode & 07777) == 0 && fsync(file) == 0;
	good = close(file) == 0 && good;
	if (good && rename(temporary, path) == 0)
		return true;
	int why = errno;
	(void)unlink(temporary);
	errno = why;
	return false;
}

/* Puts lines before all others, since the first that fits decides. If the file
 * cannot be written, the lines are printed. */
static enum ctl_exit add_lines(struct ctl *ctl, struct setup *setup, bool local, const char *what,
			       const char *path, const char *lines)
{
	struct slice text;
	const char *message = NULL;
	struct buf whole = buf_make((size_t)2 * SERVER_FILE_BYTES_MAX);
	const char *result = "to do";
	bool readable = local && file_read(&ctl->arena, path, SERVER_FILE_BYTES_MAX, &text,
					   &message) == STATUS_OK;

	if (lines == NULL)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	buf_add_format(&whole, "# sluicectl setup:\n%s", lines);
	if (readable && strstr(text.p, lines) != NULL) {
		result = "already done";
	} else if (readable && setup->dry_run) {
		result = access(path, W_OK) == 0 ? "would do" : "to do";
	} else if (readable) {
		buf_add_slice(&whole, text);
		if (whole.status == STATUS_OK && replace_file(ctl, path, buf_slice(&whole)))
			result = "done";
	}
	buf_free(&whole);
	add_step(setup, what, result, slice_of(path));
	bool by_hand = strcmp(result, "to do") == 0;
	if ((!by_hand && strcmp(result, "would do") != 0) || ctl_has(ctl, CTL_JSON))
		return CTL_FINE;
	buf_add_format(&ctl->out, "%s put at the beginning of %s:\n\n%s\n",
		       by_hand ? "to be" : "would be", path, lines);
	return CTL_FINE;
}

static enum ctl_exit allow_logins(struct ctl *ctl, struct setup *setup)
{
	struct store_setup_files files;
	const char *host = pg_host(ctl->db);
	/* With a socket the server's files are on this host. */
	bool local = *host == '\0' || *host == '/';

	ctl->store.deadline_ms = ctl_deadline();
	enum status status = store_setup_files(&ctl->store, &files);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	enum ctl_exit result =
		add_lines(ctl, setup, local, "pg_hba", files.hba.p, hba_lines(ctl, setup));
	if (result == CTL_FINE && !ctl_has(ctl, CTL_FROM))
		result = add_lines(ctl, setup, local, "pg_ident", files.ident.p, IDENT_LINES);
	if (result != CTL_FINE || setup->dry_run)
		return result;
	status = store_setup_reload(&ctl->store);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

/* What remains to be done by hand on the workers' hosts. */
static void add_advice(struct ctl *ctl, const struct setup *setup)
{
	if (ctl_has(ctl, CTL_JSON))
		return;
	if (ctl_has(ctl, CTL_FROM))
		buf_add_format(
			&ctl->out,
			"\nSet the passwords by \\password in psql, keep them in password files, and connect by\n\n"
			"    database = hostaddr=ADDRESS host=NAME dbname=%s user=sluice_intake sslmode=verify-full "
			"sslrootcert=FILE passfile=FILE\n",
			setup->database);
	buf_add_format(&ctl->out,
		       "\nNext: start the workers and sluice-maintain.timer, then as %s: "
		       "PGDATABASE=%s sluicectl check\n",
		       ctl_has(ctl, CTL_ADMIN) ? ctl->values[CTL_ADMIN] : "root", setup->database);
}

/* ---- what to do ---- */

/* One word of pg_hba.conf that means itself. */
static bool is_plain_name(const char *name)
{
	static const char *const words[] = {"all", "sameuser", "samerole", "samegroup",
					    "replication"};

	for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
		if (strcmp(name, words[i]) == 0)
			return false;
	}
	return *name != '\0' &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_.-")] == '\0';
}

/* An address with its mask, or without one that of the host alone; NULL if it is neither. */
static const char *network_of(struct ctl *ctl, const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
	const char *address = arena_copy(&ctl->arena, (struct slice){text, n});
	int64_t bits;

	if (address == NULL)
		return NULL;
	int bits_max = inet_pton(AF_INET, address, bytes) == 1	  ? 32
		       : inet_pton(AF_INET6, address, bytes) == 1 ? 128
								  : -1;
	if (slash == NULL)
		return bits_max < 0 ? NULL : arena_format(&ctl->arena, "%s/%d", address, bits_max);
	return slice_to_int(slice_of(slash + 1), &bits) && bits >= 0 && bits <= bits_max ? text
											 : NULL;
}

/* PostgreSQL would not start with a pg_hba.conf that it cannot read. */
static enum ctl_exit check_values(struct ctl *ctl, const char *database)
{
	const char *from = ctl->values[CTL_FROM];

	if (!is_plain_name(database))
		return ctl_fail(CTL_USAGE,
				"use letters, digits and _ . -, and no keyword of pg_hba.conf",
				"\"%s\" is not a name for the database", database);
	if (from == NULL)
		return CTL_FINE;
	ctl->values[CTL_FROM] = network_of(ctl, from);
	if (ctl->values[CTL_FROM] == NULL)
		return ctl_fail(CTL_USAGE, "write 192.0.2.10, 192.0.2.0/24 or 2001:db8::/64",
				"\"%s\" is not an address", from);
	return CTL_FINE;
}

/* Asks for an option that was not given. */
static enum ctl_exit ask_for(struct ctl *ctl, enum ctl_option option, const char *question,
			     const char *usual)
{
	return ctl_has(ctl, option) ? CTL_FINE
				    : ctl_ask(ctl, question, usual, &ctl->values[option]);
}

static enum ctl_exit ask_for_options(struct ctl *ctl)
{
	enum ctl_exit result = ask_for(ctl, CTL_DATABASE, "database", "sluice");

	if (result == CTL_FINE)
		result = ask_for(ctl, CTL_ADMIN, "user of the system that may run sluicectl",
				 "root");
	if (result == CTL_FINE)
		result = ask_for(ctl, CTL_FROM, "address of workers on another host", "none");
	if (result == CTL_FINE && strcmp(ctl->values[CTL_FROM], "none") == 0)
		ctl->values[CTL_FROM] = NULL;
	return result;
}

/* ---- the command ---- */

static enum ctl_exit take_steps(struct ctl *ctl, const char *database)
{
	struct setup setup = {.dry_run = ctl_has(ctl, CTL_DRY_RUN), .database = database};
	enum ctl_exit result = make_database(ctl, &setup);
	bool there = result == CTL_FINE && strcmp(ctl->values[CTL_DATABASE], "postgres") != 0;

	if (there)
		result = make_schema(ctl, &setup);
	if (there && result == CTL_FINE)
		result = make_roles(ctl, &setup);
	if (result == CTL_FINE)
		result = allow_logins(ctl, &setup);
	const struct store_list list = {&step_entity, setup.steps, setup.count};
	enum ctl_exit reported = ctl_print_list(ctl, "steps", &list);
	if (result == CTL_FINE)
		add_advice(ctl, &setup);
	return result == CTL_FINE ? reported : result;
}

/* Shows the steps of a dry run; *agreed if they shall be taken. */
static enum ctl_exit propose_steps(struct ctl *ctl, const char *database, bool *agreed)
{
	ctl->values[CTL_DRY_RUN] = "";
	enum ctl_exit result = take_steps(ctl, database);
	ctl->values[CTL_DRY_RUN] = NULL;
	*agreed = false;
	return result == CTL_FINE ? ctl_agree(ctl, "\nDo this", "yes", agreed) : result;
}

enum ctl_exit ctl_setup(struct ctl *ctl)
{
	bool missing =
		!ctl_has(ctl, CTL_DATABASE) || !ctl_has(ctl, CTL_ADMIN) || !ctl_has(ctl, CTL_FROM);
	bool guided = missing && ctl_may_ask(ctl);
	bool agreed = true;
	enum ctl_exit result = guided ? ask_for_options(ctl) : CTL_FINE;
	const char *database = ctl_has(ctl, CTL_DATABASE) ? ctl->values[CTL_DATABASE] : "sluice";

	if (result == CTL_FINE)
		result = check_values(ctl, database);
	if (result == CTL_FINE && guided && !ctl_has(ctl, CTL_DRY_RUN))
		result = propose_steps(ctl, database, &agreed);
	return result == CTL_FINE && agreed ? take_steps(ctl, database) : result;
}

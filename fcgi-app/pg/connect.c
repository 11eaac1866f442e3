/*
 * pg/connect.c - connecting: looking up the hosts, going from one to the next, and preparing the
 * statements. See pg/connection.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "pg/connection_internal.h"

enum {
	NAMES_BYTES = PG_HOSTS_MAX * PG_HOST_BYTES,
	ADDRESSES_BYTES = PG_HOSTS_MAX * PG_ADDRESS_BYTES,
	PORTS_BYTES = PG_HOSTS_MAX * PG_PORT_BYTES
};

/* As libpq's options: one host, or all with commas between them. */
struct host_options {
	char names[NAMES_BYTES], addresses[ADDRESSES_BYTES], ports[PORTS_BYTES];
};

static void append(char *list, size_t size, const char *comma, const char *part)
{
	size_t n = strlen(list);

	(void)snprintf(list + n, size - n, "%s%s", comma, part);
}

/* They fit: each has room for a comma. */
static void join(struct host_options *options, const struct pg_hosts *hosts)
{
	*options->names = *options->addresses = *options->ports = '\0';
	for (size_t i = 0; i < hosts->count; i++) {
		const struct pg_host *host = &hosts->list[i];
		const char *comma = i == 0 ? "" : ",";
		append(options->names, sizeof(options->names), comma, host->name);
		append(options->addresses, sizeof(options->addresses), comma, host->address);
		append(options->ports, sizeof(options->ports), comma, host->port);
	}
}

/*
 * Our defaults come before the connection string, which overrides them; the host, where there is a
 * choice or an address for it, comes after it. No "options": poolers refuse it. A server that
 * acknowledges nothing is given up after about 20 s.
 */
static PGconn *start_with(const struct pg_connection *db, const char *name, const char *address,
			  const char *port, const char *sslmode)
{
	const char *keys[] = {"fallback_application_name",
			      "client_encoding",
			      "keepalives_idle",
			      "keepalives_interval",
			      "keepalives_count",
			      "tcp_user_timeout",
			      "dbname",
			      name != NULL	? "host"
			      : sslmode != NULL ? "sslmode"
						: NULL,
			      "hostaddr",
			      "port",
			      NULL};
	const char *values[] = {db->options.application_name,
				"UTF8",
				"10",
				"5",
				"2",
				"20000",
				db->options.conninfo,
				name != NULL ? name : sslmode,
				address,
				port,
				NULL};

	/* libpq's own environment says all. */
	if (name == NULL && sslmode == NULL && *db->options.conninfo == '\0')
		keys[6] = NULL;
	return PQconnectStartParams(keys, values, 1);
}

static PGconn *start(const struct pg_connection *db)
{
	const struct pg_hosts *hosts = &db->hosts;
	struct host_options options;

	if (hosts->apart) {
		const struct pg_host *host = &hosts->list[hosts->at];
		return start_with(db, host->name, host->address, host->port, NULL);
	}
	if (!hosts->looked_up)
		return start_with(db, NULL, NULL, NULL, NULL);
	join(&options, hosts);
	return start_with(db, options.names, options.addresses, options.ports, NULL);
}

/*
 * Whatever says where to connect: connection string, service file or environment. libpq reads all
 * of it, but does nothing with a mode that it does not know. False if there is no memory.
 */
static bool read_hosts(const struct pg_connection *db, struct pg_hosts *hosts)
{
	PGconn *pg = start_with(db, NULL, NULL, NULL, "none of libpq's");

	if (pg == NULL)
		return false;
	pg_hosts_of(hosts, pg);
	PQfinish(pg);
	return true;
}

static void limit_host(struct pg_connection *db)
{
	db->state = PG_CONNECTING;
	db->host_deadline_ms = db->options.host_timeout_ms == 0
				       ? INT64_MAX
				       : clock_now_ms() + db->options.host_timeout_ms;
}

static enum status start_here(struct pg_connection *db)
{
	pg_drop(db);
	db->pg = start(db);
	if (db->pg == NULL)
		return STATUS_NO_MEMORY;
	if (PQstatus(db->pg) == CONNECTION_BAD)
		return pg_failed_connection(db, STATUS_UNAVAILABLE,
					    "could not connect to the database");
	pg_hear_notices(db);
	db->polling = PGRES_POLLING_WRITING;
	limit_host(db);
	return STATUS_OK;
}

/* The next host that can be tried at all; else the status of the last. */
static enum status start_next(struct pg_connection *db, enum status status)
{
	while (pg_hosts_next(&db->hosts)) {
		status = start_here(db);
		if (status == STATUS_OK)
			return STATUS_OK;
	}
	return status;
}

/* ---- looking up their names ---- */

static enum status start_found(struct pg_connection *db, const struct pg_hosts *hosts)
{
	pg_hosts_renew(&db->hosts, hosts);
	enum status status = start_here(db);
	return status == STATUS_UNAVAILABLE ? start_next(db, status) : status;
}

static enum status start_looking_up(struct pg_connection *db, const struct pg_hosts *hosts)
{
	if (pg_lookup_start(&db->lookup, hosts) != STATUS_OK)
		return pg_failed(db, STATUS_UNAVAILABLE, "could not look up the database's host",
				 "", "no process for it");
	db->wanted = *hosts;
	limit_host(db);
	return STATUS_OK;
}

static bool is_looking_up(const struct pg_connection *db)
{
	return db->state == PG_CONNECTING && db->pg == NULL;
}

/* Goes on with what the lookup has found; or it has found nothing. */
static enum status end_looking_up(struct pg_connection *db, enum status status, const char *cause)
{
	db->state = PG_CLOSED;
	if (status == STATUS_OK)
		return start_found(db, &db->wanted);
	return pg_failed(db, status, "could not look up the database's host", "", cause);
}

static enum status step_looking_up(struct pg_connection *db)
{
	char cause[PG_LOOKUP_CAUSE_BYTES];
	enum status status = pg_lookup_step(&db->lookup, &db->wanted, cause);

	if (status == STATUS_AGAIN)
		return status;
	status = end_looking_up(db, status, cause);
	return status == STATUS_OK ? STATUS_AGAIN : status;
}

static enum status hurry_looking_up(struct pg_connection *db)
{
	char cause[PG_LOOKUP_CAUSE_BYTES];
	enum status status = pg_lookup_hurry(&db->lookup, &db->wanted, cause);

	return end_looking_up(db, status, cause);
}

/* ---- connecting ---- */

enum status pg_start_connect(struct pg_connection *db)
{
	struct pg_hosts hosts;

	pg_drop(db);
	if (!read_hosts(db, &hosts))
		return STATUS_NO_MEMORY;
	return pg_hosts_have_names(&hosts) ? start_looking_up(db, &hosts) : start_found(db, &hosts);
}

enum status pg_give_up_host(struct pg_connection *db)
{
	if (is_looking_up(db))
		return hurry_looking_up(db);
	if (!db->hosts.apart)
		pg_hosts_part(&db->hosts, db->pg);
	pg_drop(db);
	return start_next(db, STATUS_DEADLINE);
}

int64_t pg_host_deadline_ms(const struct pg_connection *db)
{
	return db->host_deadline_ms;
}

void pg_avoid_host(struct pg_connection *db)
{
	if (db->hosts.apart)
		db->hosts.at = (db->hosts.at + 1) % db->hosts.count;
}

/* MISCONFIGURED if trying again will not help. */
static enum status connect_failure(const struct pg_connection *db)
{
	/* libpq has no SQLSTATE for a failed connection, only the text of 28xxx and 3D000. */
	const char *text = PQerrorMessage(db->pg);
	static const char *const refusals[] = {"authentication failed", "no pg_hba.conf entry",
					       "does not exist", "not permitted to log in"};

	for (size_t i = 0; i < ARRAY_LENGTH(refusals); i++) {
		if (strstr(text, "FATAL") != NULL && strstr(text, refusals[i]) != NULL)
			return STATUS_MISCONFIGURED;
	}
	return STATUS_UNAVAILABLE;
}

static enum status be_ready(struct pg_connection *db)
{
	if (db->options.early_results && PQenterPipelineMode(db->pg) != 1)
		return pg_failed_connection(db, STATUS_INTERNAL,
					    "could not enter the pipeline mode");
	db->state = PG_READY;
	return STATUS_OK;
}

static enum status greet(struct pg_connection *db)
{
	const struct pg_statement *greeting = db->options.greeting;

	db->failure = STATUS_OK;
	db->greeting_sent = true;
	if (PQsendQueryParams(db->pg, greeting->sql, 0, NULL, NULL, NULL, NULL,
			      greeting->binary ? 1 : 0) != 1 ||
	    pg_flush_some(db) != STATUS_OK)
		return pg_failed_connection(db, STATUS_UNAVAILABLE, "could not send a statement");
	return STATUS_AGAIN;
}

/* Sends the next PREPARE of a new connection, then the greeting. STATUS_OK when there is none: it
 * is ready. */
static enum status prepare_next(struct pg_connection *db)
{
	if (db->unprepared || db->prepared == db->options.prepare_count)
		return db->options.greeting != NULL && !db->greeting_sent ? greet(db)
									  : be_ready(db);
	const struct pg_statement *next = db->options.prepare[db->prepared];
	db->failure = STATUS_OK;
	if (PQsendPrepare(db->pg, next->name, next->sql, next->param_count, next->param_types) != 1)
		return pg_failed_connection(db, STATUS_UNAVAILABLE,
					    "could not prepare a statement");
	if (pg_flush_some(db) != STATUS_OK)
		return pg_failed_connection(db, STATUS_UNAVAILABLE,
					    "could not prepare a statement");
	return STATUS_AGAIN;
}

/* Connecting has failed: goes on to the next host, if there is one. */
static enum status fail_over(struct pg_connection *db)
{
	enum status status =
		pg_failed_connection(db, connect_failure(db), "could not connect to the database");

	status = start_next(db, status);
	return status == STATUS_OK ? STATUS_AGAIN : status;
}

enum status pg_step_connecting(struct pg_connection *db)
{
	if (is_looking_up(db))
		return step_looking_up(db);
	if (db->polling != PGRES_POLLING_OK) {
		db->polling = PQconnectPoll(db->pg);
		if (db->polling == PGRES_POLLING_FAILED)
			return fail_over(db);
		if (db->polling != PGRES_POLLING_OK)
			return STATUS_AGAIN;
		if (PQsetnonblocking(db->pg, 1) != 0)
			return pg_failed_connection(db, STATUS_UNAVAILABLE,
						    "could not connect to the database");
		return prepare_next(db);
	}
	enum status status = pg_collect(db);
	if (status == STATUS_AGAIN)
		return status;
	if (status == STATUS_OK)
		status = db->failure;
	if (status == STATUS_OK && db->greeting_sent) {
		pg_result_free(&db->greeting);
		db->greeting.pg = db->first;
		db->first = NULL;
		return be_ready(db);
	}
	PQclear(db->first);
	db->first = NULL;
	if (status != STATUS_OK && (db->pg == NULL || !db->unprepared || db->greeting_sent)) {
		/* It could not run either: the database is not migrated, or rights are missing. */
		pg_drop(db);
		return status == STATUS_OUTCOME_UNKNOWN ? STATUS_UNAVAILABLE : status;
	}
	db->prepared++;
	return prepare_next(db);
}

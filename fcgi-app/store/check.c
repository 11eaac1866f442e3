/*
 * store/check.c - see store/check.h.
 *
 * Each check is one statement that returns a verdict and a line of detail; a new check is a new
 * entry of the table. They read catalogs and settings, never a sender's data.
 */
#include "store/check.h"

#include <string.h>

#include "store/store_internal.h"

#define CHECK(what, statement)                                                                     \
	{                                                                                          \
		.name = "store_check_" what, .sql = (statement), .columns = 2, .rows = 1,          \
	}

#define SERVER_VERSION                                                                             \
	"SELECT CASE WHEN v.number >= 150000 THEN 'ok' ELSE 'failed' END, "                        \
	"current_setting('server_version') "                                                       \
	"|| CASE WHEN v.number >= 150000 THEN '' ELSE ': 15 or later is needed' END "              \
	"FROM (SELECT current_setting('server_version_num')::integer AS number) v"

#define ENCODING                                                                                   \
	"SELECT CASE current_setting('server_encoding') WHEN 'UTF8' THEN 'ok' ELSE 'failed' END, " \
	"current_setting('server_encoding')"

#define WRITABLE                                                                                   \
	"SELECT CASE WHEN s.standby OR s.read_only THEN 'failed' ELSE 'ok' END, "                  \
	"CASE WHEN s.standby THEN 'the server is a standby' "                                      \
	"WHEN s.read_only THEN 'transactions are read-only' ELSE 'yes' END "                       \
	"FROM (SELECT pg_is_in_recovery() AS standby, "                                            \
	"current_setting('transaction_read_only')::boolean AS read_only) s"

/* Settings that make a commit durable, and that only the server can have. */
#define ON_OR_LOST(setting)                                                                        \
	"SELECT CASE current_setting('" setting "') WHEN 'on' THEN 'ok' ELSE 'failed' END, "       \
	"CASE current_setting('" setting "') WHEN 'on' THEN 'on' "                                 \
	"ELSE 'off: a crash of the server loses accepted signals' END"

/*
 * The value that sluice_intake gets at login: from ALTER ROLE and ALTER DATABASE by rank, else from
 * the server's configuration, which this session sees unless it has its own setting.
 */
#define SYNCHRONOUS_COMMIT                                                                         \
	"SELECT CASE WHEN s.value IS NULL THEN 'warning' "                                         \
	"WHEN lower(s.value) IN ('on', 'true', 'yes', '1', 'remote_write', 'remote_apply') "       \
	"THEN 'ok' ELSE 'failed' END, "                                                            \
	"coalesce(s.value || ' for sluice_intake', "                                               \
	"'hidden by a setting of this session: try as another user') "                             \
	"FROM (SELECT split_part(c.setting, '=', 2) AS value, "                                    \
	"CASE WHEN d.setrole <> 0 THEN 0 ELSE 2 END "                                              \
	"+ CASE WHEN d.setdatabase <> 0 THEN 0 ELSE 1 END AS rank "                                \
	"FROM pg_db_role_setting d, unnest(d.setconfig) c (setting) "                              \
	"WHERE split_part(c.setting, '=', 1) = 'synchronous_commit' "                              \
	"AND (d.setrole = 0 OR d.setrole = (SELECT oid FROM pg_roles "                             \
	"WHERE rolname = 'sluice_intake')) "                                                       \
	"AND (d.setdatabase = 0 OR d.setdatabase = (SELECT oid FROM pg_database "                  \
	"WHERE datname = current_database())) "                                                    \
	"UNION ALL SELECT CASE WHEN source IN ('database user', 'user', 'client', 'session') "     \
	"THEN NULL ELSE reset_val END, 4 FROM pg_settings WHERE name = 'synchronous_commit') s "   \
	"ORDER BY s.rank LIMIT 1"

#define ROLES                                                                                      \
	"SELECT CASE WHEN count(*) = 0 THEN 'ok' ELSE 'failed' END, "                              \
	"CASE WHEN count(*) = 0 THEN 'all there' "                                                 \
	"ELSE 'missing: ' || string_agg(n.name, ', ' ORDER BY n.name) END "                        \
	"FROM unnest('{sluice_owner,sluice_intake,sluice_settings,sluice_consumer,sluice_reader,"  \
	"sluice_admin}'::text[]) n (name) "                                                        \
	"WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = n.name)"

#define OWNER                                                                                      \
	"SELECT CASE WHEN r.rolname = 'sluice_owner' AND NOT r.rolcanlogin THEN 'ok' "             \
	"WHEN r.rolname = 'sluice_owner' THEN 'warning' ELSE 'failed' END, "                       \
	"'schema sluice belongs to ' || r.rolname "                                                \
	"|| CASE WHEN r.rolcanlogin THEN ', which can log in' ELSE '' END "                        \
	"FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = 'sluice'"

/* The relations of the schema that the role can access without a function. */
#define TABLES_OF_ROLE                                                                             \
	"(SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c "                  \
	"WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') "     \
	"AND (has_table_privilege(r.oid, c.oid, 'DELETE, TRUNCATE') "                              \
	"OR has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE')))"

/* A program's role may call its functions, of which one stands for all, and nothing else. Not every
 * installation runs every program, so no_login is the verdict for a role that cannot log in. */
#define PROGRAM(role, function, no_login)                                                          \
	"SELECT CASE WHEN r.rolsuper OR t.names IS NOT NULL OR NOT f.callable THEN 'failed' "      \
	"WHEN NOT r.rolcanlogin THEN '" no_login "' ELSE 'ok' END, "                               \
	"CASE WHEN r.rolsuper THEN '" role " is a superuser' "                                     \
	"WHEN t.names IS NOT NULL THEN '" role " may access without a function: ' || t.names "     \
	"WHEN NOT f.callable THEN '" role " may not call " function "' "                           \
	"WHEN NOT r.rolcanlogin THEN '" role " cannot log in: ALTER ROLE " role " LOGIN' "         \
	"ELSE '" role " may call its functions and nothing else' END "                             \
	"FROM pg_roles r CROSS JOIN LATERAL (SELECT " TABLES_OF_ROLE " AS names) t "               \
	"CROSS JOIN LATERAL (SELECT has_schema_privilege(r.oid, 'sluice', 'USAGE') AND EXISTS ("   \
	"SELECT FROM pg_proc p WHERE p.pronamespace = 'sluice'::regnamespace "                     \
	"AND p.proname = '" function "' AND has_function_privilege(r.oid, p.oid, 'EXECUTE')) "     \
	"AS callable) f WHERE r.rolname = '" role "'"

#define INTAKE	 PROGRAM("sluice_intake", "intake", "warning")
#define SETTINGS PROGRAM("sluice_settings", "settings_me", "ok")

#define ADMIN                                                                                      \
	"SELECT CASE WHEN count(*) = 0 THEN 'ok' ELSE 'failed' END, "                              \
	"CASE WHEN count(*) = 0 THEN 'sluice_admin may call the tool''s functions' "               \
	"ELSE 'sluice_admin may not call ' || string_agg(n.name, ', ' ORDER BY n.name) END "       \
	"FROM unnest('{organization_create,organization_list,member_add,member_list,"              \
	"member_remove,key_create,key_list,key_show,key_deactivate,maintenance_do,"                \
	"maintenance_record}'::text[]) n (name) "                                                  \
	"WHERE NOT EXISTS (SELECT FROM pg_proc p JOIN pg_roles r ON r.rolname = 'sluice_admin' "   \
	"WHERE p.pronamespace = 'sluice'::regnamespace AND p.proname = n.name "                    \
	"AND has_function_privilege(r.oid, p.oid, 'EXECUTE'))"

#define READER                                                                                     \
	"SELECT CASE WHEN count(*) = 0 THEN 'ok' ELSE 'failed' END, "                              \
	"CASE WHEN count(*) = 0 THEN 'sluice_reader may read what was delivered' "                 \
	"ELSE 'sluice_reader may not read ' || string_agg(n.name, ', ' ORDER BY n.name) END "      \
	"FROM unnest('{signal_staging,signal_cold_storage,product_org_staging,"                    \
	"rejected_payload}'::text[]) n (name) "                                                    \
	"WHERE NOT EXISTS (SELECT FROM pg_class c JOIN pg_roles r ON r.rolname = 'sluice_reader' " \
	"WHERE c.relnamespace = 'sluice'::regnamespace AND c.relname = n.name "                    \
	"AND has_table_privilege(r.oid, c.oid, 'SELECT'))"

#define PUBLIC_FUNCTIONS                                                                           \
	"SELECT CASE WHEN count(*) = 0 THEN 'ok' ELSE 'failed' END, "                              \
	"CASE WHEN count(*) = 0 THEN 'no other role may call a function' "                         \
	"ELSE 'any role may call ' || string_agg(p.proname, ', ' ORDER BY p.proname) END "         \
	"FROM pg_proc p WHERE p.pronamespace = 'sluice'::regnamespace "                            \
	"AND has_function_privilege('public', p.oid, 'EXECUTE')"

#define DEFAULT_PARTITIONS                                                                         \
	"SELECT CASE WHEN count(*) = 0 THEN 'ok' ELSE 'warning' END, "                             \
	"CASE WHEN count(*) = 0 THEN 'empty' "                                                     \
	"ELSE 'rows outside all partitions in ' || string_agg(d.name, ', ' ORDER BY d.name) "      \
	"|| ': sluicectl maintain moves those of the last days' END "                              \
	"FROM sluice.default_partitions_in_use() d (name)"

/* Of the table with the fewest days ahead. */
#define FUTURE_PARTITIONS                                                                          \
	"SELECT CASE WHEN t.days >= 3 THEN 'ok' WHEN t.days >= 1 THEN 'warning' "                  \
	"ELSE 'failed' END, CASE WHEN t.days >= 3 THEN t.days || ' ahead' "                        \
	"ELSE coalesce(nullif(t.days, 0)::text, 'none') || ' ahead for ' || t.name "               \
	"|| ': run sluicectl maintain' END FROM (SELECT b.table_name AS name, "                    \
	"count(*) FILTER (WHERE b.lower_bound > now()) AS days "                                   \
	"FROM sluice.partition_bounds() b GROUP BY b.table_name) t "                               \
	"ORDER BY t.days, t.name LIMIT 1"

/* A day late is normal: a backup may have held a lock. */
#define RETENTION                                                                                  \
	"SELECT CASE WHEN count(*) = 0 THEN 'ok' ELSE 'warning' END, "                             \
	"CASE WHEN count(*) = 0 THEN 'nothing is kept for longer' "                                \
	"ELSE count(*) || ' partitions are kept for longer, the oldest is ' "                      \
	"|| (array_agg(b.partition_name ORDER BY b.lower_bound))[1] "                              \
	"|| ': run sluicectl maintain' END FROM sluice.partition_bounds() b "                      \
	"JOIN sluice.partitioned_table t ON t.table_name = b.table_name "                          \
	"WHERE b.upper_bound <= t.keep_from - interval '24 hours'"

#define MAINTENANCE                                                                                \
	"SELECT CASE WHEN count(*) = 0 THEN 'ok' ELSE 'warning' END, "                             \
	"CASE WHEN count(*) = 0 THEN 'done within a day' ELSE 'not done for a day: ' "             \
	"|| string_agg(s.name || coalesce(' (' || r.result || coalesce(', ' || r.message, '') "    \
	"|| ')', ''), ', ' ORDER BY s.position) || ': run sluicectl maintain every few minutes' "  \
	"END FROM sluice.maintenance_step s "                                                      \
	"LEFT JOIN sluice.maintenance_run r ON r.step = s.name "                                   \
	"WHERE coalesce(r.done_at, s.added_at) < now() - interval '1 day'"

static const struct {
	const char *check;
	struct pg_statement statement;
	bool needs_schema;
} checks[] = {
	{"server_version", CHECK("server_version", SERVER_VERSION)},
	{"encoding", CHECK("encoding", ENCODING)},
	{"writable", CHECK("writable", WRITABLE)},
	{"fsync", CHECK("fsync", ON_OR_LOST("fsync"))},
	{"full_page_writes", CHECK("full_page_writes", ON_OR_LOST("full_page_writes"))},
	{"synchronous_commit", CHECK("synchronous_commit", SYNCHRONOUS_COMMIT)},
	{"roles", CHECK("roles", ROLES)},
	{"owner", CHECK("owner", OWNER), .needs_schema = true},
	{"intake_rights", CHECK("intake_rights", INTAKE), .needs_schema = true},
	{"settings_rights", CHECK("settings_rights", SETTINGS), .needs_schema = true},
	{"admin_rights", CHECK("admin_rights", ADMIN), .needs_schema = true},
	{"reader_rights", CHECK("reader_rights", READER), .needs_schema = true},
	{"public_rights", CHECK("public_rights", PUBLIC_FUNCTIONS), .needs_schema = true},
	{"default_partitions", CHECK("default_partitions", DEFAULT_PARTITIONS),
	 .needs_schema = true},
	{"future_partitions", CHECK("future_partitions", FUTURE_PARTITIONS), .needs_schema = true},
	{"retention", CHECK("retention", RETENTION), .needs_schema = true},
	{"maintenance", CHECK("maintenance", MAINTENANCE), .needs_schema = true},
};

size_t store_check_count(void)
{
	return ARRAY_LENGTH(checks);
}

bool store_check_needs_schema(size_t number)
{
	return checks[number].needs_schema;
}

/* ---- findings ---- */

static const struct store_column columns[] = {
	STORE_COLUMN(struct store_finding, check, .member = "check", .heading = "CHECK"),
	STORE_COLUMN(struct store_finding, result, .member = "result", .heading = "RESULT"),
	STORE_COLUMN(struct store_finding, detail, .member = "detail", .heading = "DETAIL"),
};

const struct store_entity store_finding_entity = STORE_ENTITY(struct store_finding, columns);

static const char *const verdicts[] = {
	[STORE_CHECK_OK] = "ok",
	[STORE_CHECK_WARNING] = "warning",
	[STORE_CHECK_FAILED] = "failed",
};

struct store_finding store_finding(const char *check, enum store_verdict verdict,
				   struct slice detail)
{
	return (struct store_finding){slice_of(check), verdict, slice_of(verdicts[verdict]),
				      detail};
}

static enum store_verdict verdict_of(struct slice word)
{
	if (slice_equal(word, slice_of(verdicts[STORE_CHECK_OK])))
		return STORE_CHECK_OK;
	return slice_equal(word, slice_of(verdicts[STORE_CHECK_WARNING])) ? STORE_CHECK_WARNING
									  : STORE_CHECK_FAILED;
}

enum status store_check(const struct store *store, size_t number, struct store_finding *finding)
{
	struct pg_query_result result = {0};
	struct slice detail = SLICE_ABSENT;
	enum store_verdict verdict = STORE_CHECK_FAILED;
	enum status status = store_run(store, &checks[number].statement, NULL, &result);

	if (status == STATUS_OK) {
		verdict = verdict_of(pg_result_value(&result, 0, 0));
		status = store_keep(store, pg_result_value(&result, 0, 1), &detail);
	} else if (pg_state(store->db) == PG_READY) {
		/* What this user may not see need not be wrong. */
		if (strcmp(pg_sqlstate(store->db), "42501") == 0)
			verdict = STORE_CHECK_WARNING;
		status = store_keep(store, slice_of(pg_message(store->db)), &detail);
	}
	pg_result_free(&result);
	*finding = store_finding(checks[number].check, verdict, detail);
	return status;
}

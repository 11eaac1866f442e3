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

/* The verdict on what must not be, and what to say of it: the first few by name. */
#define NONE_OF(name, bad, fine, trouble)                                                          \
	"SELECT CASE count(*) WHEN 0 THEN 'ok' ELSE '" bad "' END, "                               \
	"CASE count(*) WHEN 0 THEN '" fine "' ELSE '" trouble "' || array_to_string("              \
	"(array_agg(DISTINCT " name "))[1:20], ', ') || CASE WHEN count(DISTINCT " name ") > 20 "  \
	"THEN ' and ' || count(DISTINCT " name ") - 20 || ' more' ELSE '' END END "

#define ROLES                                                                                      \
	NONE_OF("(n.name)::text", "failed", "all there", "missing: ")                              \
	"FROM unnest('{sluice_owner,sluice_intake,sluice_settings,sluice_consumer,sluice_reader,"  \
	"sluice_maintenance,sluice_admin}'::text[]) n (name) "                                     \
	"WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = n.name)"

/* As roles.sql sets them. Others than these values may be wanted; none at all is lost. */
#define ROLE_SETTINGS                                                                              \
	NONE_OF("(n.role || '.' || n.setting)::text", "failed", "all there",                       \
		"lost: run sluicectl migrate --repair for ")                                       \
	"FROM (VALUES ('sluice_intake', 'synchronous_commit'), "                                   \
	"('sluice_settings', 'synchronous_commit'), ('sluice_admin', 'synchronous_commit'), "      \
	"('sluice_intake', 'statement_timeout'), ('sluice_intake', 'lock_timeout'), "              \
	"('sluice_intake', 'idle_in_transaction_session_timeout'), "                               \
	"('sluice_intake', 'plan_cache_mode'), ('sluice_intake', 'jit'), "                         \
	"('sluice_consumer', 'jit'), ('sluice_settings', 'jit'), "                                 \
	"('sluice_settings', 'statement_timeout'), "                                               \
	"('sluice_settings', 'idle_in_transaction_session_timeout'), "                             \
	"('sluice_intake', 'default_transaction_isolation'), "                                     \
	"('sluice_settings', 'default_transaction_isolation'), "                                   \
	"('sluice_consumer', 'default_transaction_isolation'), "                                   \
	"('sluice_reader', 'default_transaction_isolation'), "                                     \
	"('sluice_maintenance', 'default_transaction_isolation'), "                                \
	"('sluice_admin', 'default_transaction_isolation')) n (role, setting) "                    \
	"WHERE NOT EXISTS (SELECT FROM pg_db_role_setting d JOIN pg_roles r ON r.oid = d.setrole " \
	"CROSS JOIN unnest(d.setconfig) c (setting) WHERE r.rolname = n.role "                     \
	"AND d.setdatabase IN (0, (SELECT oid FROM pg_database "                                   \
	"WHERE datname = current_database())) "                                                    \
	"AND split_part(c.setting, '=', 1) = n.setting)"

#define OWNER                                                                                      \
	"SELECT CASE WHEN r.rolname = 'sluice_owner' AND NOT r.rolcanlogin THEN 'ok' "             \
	"WHEN r.rolname = 'sluice_owner' THEN 'warning' ELSE 'failed' END, "                       \
	"'schema sluice belongs to ' || r.rolname "                                                \
	"|| CASE WHEN r.rolcanlogin THEN ', which can log in' ELSE '' END "                        \
	"FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = 'sluice'"

/* Functions run with their owner's rights. */
#define OWNERS                                                                                     \
	NONE_OF("(o.name)::text", "failed", "all are sluice_owner''s",                             \
		"not sluice_owner''s: run sluicectl migrate --repair for ")                        \
	"FROM (SELECT p.proname::text FROM pg_proc p "                                             \
	"WHERE p.pronamespace = 'sluice'::regnamespace "                                           \
	"AND p.proowner <> to_regrole('sluice_owner') "                                            \
	"UNION ALL SELECT c.relname FROM pg_class c "                                              \
	"WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S') "     \
	"AND NOT c.relispartition AND c.relowner <> to_regrole('sluice_owner')) o (name)"

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

/* Which functions each role may call, by a pattern of their names. */
#define CALLS                                                                                          \
	NONE_OF("(g.role || ' ' || p.proname)::text", "failed",                                        \
		"each role may call its functions",                                                    \
		"may not be called: run sluicectl migrate --repair for ")                              \
	"FROM (VALUES ('sluice_intake', '^(intake|intake_ordinary|bulk_finish|metrics)$'), "           \
	"('sluice_settings', '^settings_'), "                                                          \
	"('sluice_consumer', '^(claim|finish|release|extend)_(signals|product_orgs)$'), "              \
	"('sluice_reader', '^(frontier|signals_between|settled_xact|metrics)$'), "                     \
	"('sluice_maintenance', '^maintenance_'), ('sluice_admin', '^(maintenance_.*|"                 \
	"organization_(create|list|limit)|member_(add|list|remove)|"                                   \
	"key_(create|list|show|deactivate)|rejected_(list|show|bytes|replay)|retention_set|"           \
	"person_(signals|delete)|requeue_signals|notifications_set|usage_list)$')) g (role, pattern) " \
	"JOIN pg_roles r ON r.rolname = g.role JOIN pg_proc p ON p.proname ~ g.pattern "               \
	"WHERE p.pronamespace = 'sluice'::regnamespace "                                               \
	"AND NOT (has_schema_privilege(r.oid, 'sluice', 'USAGE') "                                     \
	"AND has_function_privilege(r.oid, p.oid, 'EXECUTE'))"

/* What would let a key be known or forged is granted by column. */
#define READER                                                                                     \
	NONE_OF("(c.relname)::text", "failed", "sluice_reader may read every table",               \
		"sluice_reader may not read: run sluicectl migrate --repair for ")                 \
	"FROM pg_class c JOIN pg_roles r ON r.rolname = 'sluice_reader' "                          \
	"WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v') "          \
	"AND NOT c.relispartition AND c.relowner = to_regrole('sluice_owner') "                    \
	"AND NOT has_any_column_privilege(r.oid, c.oid, 'SELECT')"

#define PUBLIC_RIGHTS                                                                              \
	NONE_OF("(n.name)::text", "failed", "no other role may do anything", "any role may use ")  \
	"FROM (SELECT p.proname::text FROM pg_proc p "                                             \
	"WHERE p.pronamespace = 'sluice'::regnamespace "                                           \
	"AND has_function_privilege('public', p.oid, 'EXECUTE') "                                  \
	"UNION ALL SELECT c.relname FROM pg_class c, aclexplode(c.relacl) a "                      \
	"WHERE c.relnamespace = 'sluice'::regnamespace AND a.grantee = 0 "                         \
	"UNION ALL SELECT 'the schema' FROM pg_namespace s, aclexplode(s.nspacl) a "               \
	"WHERE s.nspname = 'sluice' AND a.grantee = 0) n (name)"

/* A DBA may have moved one, or own it: then maintenance leaves it alone. */
#define PARTITIONS                                                                                 \
	NONE_OF("(n.name)::text", "warning", "as maintenance makes them", "unusual: ")             \
	"FROM (SELECT b.partition_name || ' belongs to ' || pg_get_userbyid(c.relowner) "          \
	"FROM sluice.partition_bounds() b JOIN pg_class c ON c.oid = b.partition "                 \
	"WHERE c.relowner <> to_regrole('sluice_owner') "                                          \
	"UNION ALL SELECT b.partition_name || ' is in schema ' || c.relnamespace::regnamespace "   \
	"FROM sluice.partition_bounds() b JOIN pg_class c ON c.oid = b.partition "                 \
	"WHERE c.relnamespace <> 'sluice'::regnamespace "                                          \
	"UNION ALL SELECT b.partition_name || ' is not of one UTC day' "                           \
	"FROM sluice.partition_bounds() b WHERE NOT b.is_default "                                 \
	"AND (b.upper_bound <> b.lower_bound + interval '24 hours' "                               \
	"OR b.lower_bound <> date_trunc('day', b.lower_bound, 'UTC')) "                            \
	"UNION ALL SELECT t.table_name || ' has no default partition' "                            \
	"FROM sluice.partitioned_table t WHERE t.default_partition = 0) n (name)"

/* Today's must be there: a default partition of a day is searched by each look-up. */
#define TODAY                                                                                      \
	NONE_OF("(t.table_name)::text", "failed", "all there",                                     \
		"run sluicectl maintain; none for today of ")                                      \
	"FROM sluice.partitioned_table t WHERE NOT EXISTS (SELECT FROM sluice.partition_bounds() " \
	"b WHERE b.table_name = t.table_name AND b.lower_bound <= now() "                          \
	"AND b.upper_bound > now())"

#define SEQUENCES                                                                                  \
	NONE_OF("(b.sequence_name)::text", "failed", "ahead of their tables",                      \
		"behind their tables: run sluicectl migrate --repair for ")                        \
	"FROM sluice.sequences_behind() b"

/* After a restore into a cluster with other transaction numbers. */
#define CLUSTER                                                                                    \
	"SELECT CASE WHEN n.ahead OR n.other THEN 'warning' ELSE 'ok' END, "                       \
	"CASE WHEN n.ahead THEN 'stored_xact is ahead of this cluster''s transactions: run "       \
	"sluicectl migrate --repair' WHEN n.other THEN 'another than that of the last claims: "    \
	"run sluicectl migrate --repair' ELSE 'that of the last claims' END "                      \
	"FROM (SELECT sluice.is_ahead() AS ahead, sluice.is_restored() AS other) n"

/* What goes by settled_xact() waits for the oldest transaction that writes. */
#define OLDEST_TRANSACTION                                                                         \
	"SELECT CASE WHEN a.age <= interval '1 hour' THEN 'ok' ELSE 'warning' END, "               \
	"CASE WHEN a.age IS NULL THEN 'its age is hidden: GRANT pg_read_all_stats TO "             \
	"sluice_owner' WHEN a.age > interval '1 hour' THEN 'a transaction that writes has been "   \
	"open for ' || date_trunc('second', a.age) || ', and settled_xact() is ' || "              \
	"pg_snapshot_xmax(pg_current_snapshot())::text::bigint + sluice.xact_offset() "            \
	"- sluice.settled_xact() || ' transactions behind: product_org_current and autovacuum "    \
	"wait for it' ELSE 'less than an hour old' END FROM (SELECT sluice.settled_age() AS age) a"

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
	{"role_settings", CHECK("role_settings", ROLE_SETTINGS)},
	{"owner", CHECK("owner", OWNER), .needs_schema = true},
	{"owners", CHECK("owners", OWNERS), .needs_schema = true},
	{"intake_rights", CHECK("intake_rights", INTAKE), .needs_schema = true},
	{"settings_rights", CHECK("settings_rights", SETTINGS), .needs_schema = true},
	{"function_rights", CHECK("function_rights", CALLS), .needs_schema = true},
	{"reader_rights", CHECK("reader_rights", READER), .needs_schema = true},
	{"public_rights", CHECK("public_rights", PUBLIC_RIGHTS), .needs_schema = true},
	{"partitions", CHECK("partitions", PARTITIONS), .needs_schema = true},
	{"partitions_of_today", CHECK("partitions_of_today", TODAY), .needs_schema = true},
	{"default_partitions", CHECK("default_partitions", DEFAULT_PARTITIONS),
	 .needs_schema = true},
	{"future_partitions", CHECK("future_partitions", FUTURE_PARTITIONS), .needs_schema = true},
	{"retention", CHECK("retention", RETENTION), .needs_schema = true},
	{"maintenance", CHECK("maintenance", MAINTENANCE), .needs_schema = true},
	{"sequences", CHECK("sequences", SEQUENCES), .needs_schema = true},
	{"cluster", CHECK("cluster", CLUSTER), .needs_schema = true},
	{"oldest_transaction", CHECK("oldest_transaction", OLDEST_TRANSACTION),
	 .needs_schema = true},
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

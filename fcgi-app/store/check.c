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
	"coalesce(s.value || ' for sluice_intake' || CASE "                                        \
	"WHEN lower(s.value) IN ('on', 'true', 'yes', '1', 'remote_write', 'remote_apply') "       \
	"THEN '' ELSE ': run sluicectl migrate --repair' END, "                                    \
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

#define REPAIR ": run sluicectl migrate --repair"

#define ROLES                                                                                      \
	NONE_OF("(n.name)::text", "failed", "all there",                                           \
		"missing: run sluicectl migrate --repair for ")                                    \
	"FROM unnest('{sluice_owner,sluice_intake,sluice_settings,sluice_consumer,sluice_reader,"  \
	"sluice_maintenance,sluice_admin}'::text[]) n (name) "                                     \
	"WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = n.name)"

#define MEMBERSHIPS                                                                                \
	NONE_OF("(m.role || ' to ' || m.member)::text", "failed", "all there",                     \
		"not granted: run sluicectl migrate --repair for ")                                \
	"FROM (VALUES ('sluice_reader', 'sluice_admin'), ('sluice_maintenance', 'sluice_admin')) " \
	"m (role, member) WHERE pg_has_role(to_regrole(m.member), to_regrole(m.role), 'MEMBER') "  \
	"IS NOT TRUE"

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
	"('sluice_admin', 'default_transaction_isolation') UNION ALL "                             \
	"SELECT 'sluice_intake', s.name FROM pg_settings s "                                       \
	"WHERE s.name = 'default_toast_compression' AND 'lz4' = ANY (s.enumvals)) "                \
	"n (role, setting) "                                                                       \
	"WHERE NOT EXISTS (SELECT FROM pg_db_role_setting d JOIN pg_roles r ON r.oid = d.setrole " \
	"CROSS JOIN unnest(d.setconfig) c (setting) WHERE r.rolname = n.role "                     \
	"AND d.setdatabase IN (0, (SELECT oid FROM pg_database "                                   \
	"WHERE datname = current_database())) "                                                    \
	"AND split_part(c.setting, '=', 1) = n.setting)"

#define OWNER                                                                                      \
	"SELECT CASE WHEN r.rolname = 'sluice_owner' AND NOT r.rolcanlogin THEN 'ok' "             \
	"WHEN r.rolname = 'sluice_owner' THEN 'warning' ELSE 'failed' END, "                       \
	"'schema sluice belongs to ' || r.rolname "                                                \
	"|| CASE WHEN r.rolname <> 'sluice_owner' THEN '" REPAIR "' "                              \
	"WHEN r.rolcanlogin THEN ', which can log in: ALTER ROLE sluice_owner NOLOGIN' "           \
	"ELSE '' END "                                                                             \
	"FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = 'sluice'"

/* As in sluice.schema_object. */
#define KIND "CASE c.relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END"

/* Functions run with their owner's rights. What migrations have not made is a DBA's. */
#define OWNERS                                                                                     \
	NONE_OF("(o.name)::text", "failed", "all are sluice_owner''s",                             \
		"not sluice_owner''s: run sluicectl migrate --repair for ")                        \
	"FROM (SELECT 'routine', p.proname::text FROM pg_proc p "                                  \
	"WHERE p.pronamespace = 'sluice'::regnamespace "                                           \
	"AND p.proowner IS DISTINCT FROM to_regrole('sluice_owner') "                              \
	"UNION ALL SELECT " KIND ", c.relname FROM pg_class c "                                    \
	"WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S') "     \
	"AND NOT c.relispartition AND c.relowner IS DISTINCT FROM to_regrole('sluice_owner') "     \
	"UNION ALL SELECT 'type', y.typname FROM pg_type y "                                       \
	"WHERE y.typnamespace = 'sluice'::regnamespace "                                           \
	"AND y.typowner IS DISTINCT FROM to_regrole('sluice_owner')) o (kind, name) "              \
	"WHERE EXISTS (SELECT FROM sluice.schema_object s "                                        \
	"WHERE s.kind = o.kind AND s.name = o.name)"

/* A table that is gone needs its rows, too, and its functions say so. */
#define OBJECTS                                                                                    \
	NONE_OF("(o.name)::text", "failed", "all there",                                           \
		"missing: run sluicectl migrate --repair for ")                                    \
	"FROM sluice.schema_object o WHERE o.kind = 'routine' AND NOT EXISTS (SELECT FROM "        \
	"pg_proc p WHERE p.pronamespace = 'sluice'::regnamespace AND p.proname = o.name) "         \
	"OR o.kind = 'view' AND NOT EXISTS (SELECT FROM pg_class c "                               \
	"WHERE c.relnamespace = 'sluice'::regnamespace AND c.relname = o.name)"

/* The relations that the role can access without a function. A DBA's own are the DBA's affair. */
#define TABLES_OF_ROLE                                                                             \
	"(SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c "                  \
	"WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') "     \
	"AND c.relowner = to_regrole('sluice_owner') "                                             \
	"AND (has_table_privilege(r.oid, c.oid, 'DELETE, TRUNCATE') "                              \
	"OR has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE')))"

/* A program's role may call its functions, of which one stands for all, and nothing else. Not every
 * installation runs every program, so no_login is the verdict for a role that cannot log in. */
#define PROGRAM(role, function, no_login)                                                          \
	"SELECT CASE WHEN r.oid IS NULL OR r.rolsuper OR t.names IS NOT NULL OR NOT f.callable "   \
	"THEN 'failed' "                                                                           \
	"WHEN NOT r.rolcanlogin THEN '" no_login "' ELSE 'ok' END, "                               \
	"CASE WHEN r.oid IS NULL THEN '" role " does not exist" REPAIR "' "                        \
	"WHEN r.rolsuper THEN '" role " is a superuser: ALTER ROLE " role " NOSUPERUSER' "         \
	"WHEN t.names IS NOT NULL THEN '" role " may access without a function: ' || t.names "     \
	"|| '" REPAIR "' "                                                                         \
	"WHEN NOT f.callable THEN '" role " may not call " function REPAIR "' "                    \
	"WHEN NOT r.rolcanlogin THEN '" role " cannot log in: ALTER ROLE " role " LOGIN' "         \
	"ELSE '" role " may call its functions and nothing else' END "                             \
	"FROM (SELECT) n LEFT JOIN pg_roles r ON r.rolname = '" role "' "                          \
	"CROSS JOIN LATERAL (SELECT " TABLES_OF_ROLE " AS names) t "                               \
	"CROSS JOIN LATERAL (SELECT has_schema_privilege(r.oid, 'sluice', 'USAGE') AND EXISTS ("   \
	"SELECT FROM pg_proc p WHERE p.pronamespace = 'sluice'::regnamespace "                     \
	"AND p.proname = '" function "' AND has_function_privilege(r.oid, p.oid, 'EXECUTE')) "     \
	"AS callable) f"

#define INTAKE	 PROGRAM("sluice_intake", "intake", "warning")
#define SETTINGS PROGRAM("sluice_settings", "settings_me", "ok")
#define CONSUMER PROGRAM("sluice_consumer", "claim_signals", "ok")
#define MAINTAIN PROGRAM("sluice_maintenance", "maintenance_do", "ok")

/* Which functions each role may call, by a pattern of their names. */
#define CALLS                                                                                                  \
	NONE_OF("(g.role || ' ' || p.proname)::text", "failed",                                                \
		"each role may call its functions",                                                            \
		"may not be called: run sluicectl migrate --repair for ")                                      \
	"FROM (VALUES ('sluice_intake', '^(intake(_ordinary|_probe|_commit_status)?|bulk_finish|metrics)$'), " \
	"('sluice_settings', '^settings_'), "                                                                  \
	"('sluice_consumer', '^(claim|finish|release|extend)_(signals|product_orgs)$'), "                      \
	"('sluice_reader', '^(frontier|signals_between|settled_xact|metrics)$'), "                             \
	"('sluice_maintenance', '^maintenance_'), ('sluice_admin', '^(maintenance_.*|"                         \
	"organization_(create|rename|list|limit)|member_(add|list|remove|role_set)|"                           \
	"key_(create|list|show|deactivate|edit|rotate|secret|history|payload|networks|refusals|find)|"         \
	"token_(create|list|revoke)|"                                                                          \
	"rejected_(list|show|bytes|reason|place|replay|discard)|retention_set|"                                \
	"person_(signals|delete)|requeue_signals|notifications_set|usage_list)$')) g (role, pattern) "         \
	"LEFT JOIN pg_roles r ON r.rolname = g.role JOIN pg_proc p ON p.proname ~ g.pattern "                  \
	"WHERE p.pronamespace = 'sluice'::regnamespace "                                                       \
	"AND (has_schema_privilege(r.oid, 'sluice', 'USAGE') "                                                 \
	"AND has_function_privilege(r.oid, p.oid, 'EXECUTE')) IS NOT TRUE"

/* All but what would let a key be known or forged, which is granted to none. */
#define READER                                                                                     \
	NONE_OF("(c.relname || CASE WHEN a.secret THEN '.' || a.attname ELSE '' END)::text",       \
		"failed", "sluice_reader may read every table and no hash",                        \
		"not as it should be for sluice_reader: run sluicectl migrate --repair for ")      \
	"FROM pg_class c CROSS JOIN LATERAL (SELECT b.attname, b.attnum, (c.relname, b.attname) "  \
	"IN (('api_key', 'key_hash'), ('api_key', 'secret_hash'), "                                \
	"('api_key', 'previous_secret_hash'), ('api_token', 'token_hash'), "                       \
	"('settings_secret', 'csrf_key')) AS secret FROM pg_attribute b "                          \
	"WHERE b.attrelid = c.oid AND b.attnum > 0 AND NOT b.attisdropped) a "                     \
	"JOIN pg_roles r ON r.rolname = 'sluice_reader' "                                          \
	"WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v') "          \
	"AND c.relowner = to_regrole('sluice_owner') "                                             \
	"AND has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT') = a.secret"

/* Of what migrations have made, and of partitions. */
#define PUBLIC_RIGHTS                                                                              \
	NONE_OF("(n.name)::text", "failed", "no other role may do anything",                       \
		"run sluicectl migrate --repair; any role may use ")                               \
	"FROM (SELECT 'routine', p.proname::text, false FROM pg_proc p "                           \
	"WHERE p.pronamespace = 'sluice'::regnamespace "                                           \
	"AND has_function_privilege('public', p.oid, 'EXECUTE') "                                  \
	"UNION ALL SELECT " KIND ", c.relname, c.relispartition FROM pg_class c "                  \
	"WHERE c.relnamespace = 'sluice'::regnamespace AND (EXISTS (SELECT FROM "                  \
	"aclexplode(c.relacl) a WHERE a.grantee = 0) OR EXISTS (SELECT FROM pg_attribute b, "      \
	"aclexplode(b.attacl) a WHERE b.attrelid = c.oid AND a.grantee = 0)) "                     \
	"UNION ALL SELECT '', 'the schema', true FROM pg_namespace s, aclexplode(s.nspacl) a "     \
	"WHERE s.nspname = 'sluice' AND a.grantee = 0) n (kind, name, own) "                       \
	"WHERE n.own OR EXISTS (SELECT FROM sluice.schema_object s "                               \
	"WHERE s.kind = n.kind AND s.name = n.name)"

/* Functions of programs run as the owner, whom policies do not bind otherwise. */
#define ROW_SECURITY                                                                               \
	NONE_OF("(c.relname)::text", "failed", "does not bind sluice_owner",                       \
		"stops intake, consumers or maintenance until ALTER TABLE … NO FORCE ROW LEVEL " \
		"SECURITY for ")                                                                   \
	"FROM pg_class c JOIN sluice.schema_object s ON s.kind = 'table' AND s.name = c.relname "  \
	"WHERE c.relnamespace = 'sluice'::regnamespace AND c.relforcerowsecurity"

/* A DBA may have moved one, or own it: then maintenance leaves it alone. */
#define PARTITIONS                                                                                  \
	NONE_OF("(n.name)::text", "warning", "as maintenance makes them", "unusual: ")              \
	"FROM (SELECT format('%s belongs to %s (ALTER TABLE … OWNER TO sluice_owner gives it "    \
	"back to maintenance)', b.partition_name, c.relowner::regrole) "                            \
	"FROM sluice.partition_bounds() b JOIN pg_class c ON c.oid = b.partition "                  \
	"WHERE c.relowner <> to_regrole('sluice_owner') "                                           \
	"UNION ALL SELECT format('%s is in schema %s (ALTER TABLE … SET SCHEMA sluice brings it " \
	"back)', b.partition_name, c.relnamespace::regnamespace) "                                  \
	"FROM sluice.partition_bounds() b JOIN pg_class c ON c.oid = b.partition "                  \
	"WHERE c.relnamespace <> 'sluice'::regnamespace "                                           \
	"UNION ALL SELECT b.partition_name || ' is not of one UTC day (it goes when all of it is "  \
	"past retention)' FROM sluice.partition_bounds() b WHERE NOT b.is_default "                 \
	"AND (b.upper_bound <> b.lower_bound + interval '24 hours' "                                \
	"OR b.lower_bound <> date_trunc('day', b.lower_bound, 'UTC')) "                             \
	"UNION ALL SELECT format('%1$s has no default partition (attach it, or create it by "       \
	"CREATE TABLE sluice.%1$s_default PARTITION OF sluice.%1$s DEFAULT)', t.table_name) "       \
	"FROM sluice.partitioned_table t WHERE t.default_partition = 0 "                            \
	"UNION ALL SELECT format('%s lacks %s (%s)', t.table_name, d.name, CASE "                   \
	"WHEN to_regclass('sluice.' || d.name) IS NULL THEN 'sluicectl maintain makes it, empty' "  \
	"ELSE 'it is detached' END) FROM sluice.partitioned_table t, generate_series("              \
	"greatest(t.first_day, (SELECT min(b.lower_bound) FROM sluice.partition_bounds() b "        \
	"WHERE b.table_name = t.table_name)), t.today, '24 hours') g (day), "                       \
	"sluice.day_name(t.table_name, g.day) d (name) "                                            \
	"WHERE g.day < t.today AND NOT EXISTS (SELECT FROM sluice.partition_bounds() b "            \
	"WHERE b.table_name = t.table_name AND b.lower_bound < g.day + interval '24 hours' "        \
	"AND b.upper_bound > g.day) "                                                               \
	"UNION ALL SELECT u.name || ' has no retention, so that maintenance makes no days of it "   \
	"(run sluicectl migrate --repair)' FROM sluice.unretained_tables() u (name)) n (name)"

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
	"JOIN pg_class c ON c.oid = b.partition "                                                  \
	"WHERE b.upper_bound <= t.keep_from - interval '24 hours' "                                \
	"AND c.relowner = to_regrole('sluice_owner') "                                             \
	"AND has_schema_privilege(to_regrole('sluice_owner'), c.relnamespace, 'USAGE')"

#define MAINTENANCE                                                                                \
	"SELECT CASE WHEN count(*) = 0 THEN 'ok' ELSE 'warning' END, "                             \
	"CASE WHEN count(*) = 0 THEN 'done within a day' ELSE 'not done for a day: ' "             \
	"|| string_agg(s.name || coalesce(' (' || r.result || coalesce(', ' || r.message, '') "    \
	"|| ')', ''), ', ' ORDER BY s.position) || ': run sluicectl maintain every few minutes' "  \
	"END FROM sluice.maintenance_step s "                                                      \
	"LEFT JOIN sluice.maintenance_run r ON r.step = s.name "                                   \
	"WHERE coalesce(r.done_at, s.added_at) < now() - interval '1 day'"

/* A function that takes max_rows alone is a step. */
#define STEPS                                                                                      \
	NONE_OF("(p.proname)::text", "failed", "all there",                                        \
		"lost: run sluicectl migrate --repair for ")                                       \
	"FROM pg_proc p WHERE p.pronamespace = 'sluice'::regnamespace "                            \
	"AND p.proargnames = '{max_rows}' AND NOT EXISTS (SELECT FROM sluice.maintenance_step s "  \
	"WHERE s.name = p.proname)"

static const struct {
	const char *check;
	struct pg_statement statement;
	bool needs_schema;
	bool needs_owners; /* calls functions that read tables with their owner's rights */
	bool of_owners;	   /* finds what does not belong to sluice_owner */
} checks[] = {
	{"server_version", CHECK("server_version", SERVER_VERSION)},
	{"encoding", CHECK("encoding", ENCODING)},
	{"writable", CHECK("writable", WRITABLE)},
	{"fsync", CHECK("fsync", ON_OR_LOST("fsync"))},
	{"full_page_writes", CHECK("full_page_writes", ON_OR_LOST("full_page_writes"))},
	{"synchronous_commit", CHECK("synchronous_commit", SYNCHRONOUS_COMMIT)},
	{"roles", CHECK("roles", ROLES)},
	{"memberships", CHECK("memberships", MEMBERSHIPS)},
	{"role_settings", CHECK("role_settings", ROLE_SETTINGS)},
	{"owner", CHECK("owner", OWNER), .needs_schema = true, .of_owners = true},
	{"owners", CHECK("owners", OWNERS), .needs_schema = true, .of_owners = true},
	{"objects", CHECK("objects", OBJECTS), .needs_schema = true},
	{"intake_rights", CHECK("intake_rights", INTAKE), .needs_schema = true},
	{"settings_rights", CHECK("settings_rights", SETTINGS), .needs_schema = true},
	{"consumer_rights", CHECK("consumer_rights", CONSUMER), .needs_schema = true},
	{"maintenance_rights", CHECK("maintenance_rights", MAINTAIN), .needs_schema = true},
	{"function_rights", CHECK("function_rights", CALLS), .needs_schema = true},
	{"reader_rights", CHECK("reader_rights", READER), .needs_schema = true},
	{"public_rights", CHECK("public_rights", PUBLIC_RIGHTS), .needs_schema = true},
	{"row_security", CHECK("row_security", ROW_SECURITY), .needs_schema = true},
	{"partitions", CHECK("partitions", PARTITIONS), .needs_schema = true},
	{"partitions_of_today", CHECK("partitions_of_today", TODAY), .needs_schema = true},
	{"default_partitions", CHECK("default_partitions", DEFAULT_PARTITIONS),
	 .needs_schema = true},
	{"future_partitions", CHECK("future_partitions", FUTURE_PARTITIONS), .needs_schema = true},
	{"retention", CHECK("retention", RETENTION), .needs_schema = true},
	{"maintenance_steps", CHECK("maintenance_steps", STEPS), .needs_schema = true},
	{"maintenance", CHECK("maintenance", MAINTENANCE), .needs_schema = true},
	{"sequences", CHECK("sequences", SEQUENCES), .needs_schema = true, .needs_owners = true},
	{"cluster", CHECK("cluster", CLUSTER), .needs_schema = true, .needs_owners = true},
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

bool store_check_needs_owners(size_t number)
{
	return checks[number].needs_owners;
}

bool store_check_is_of_owners(size_t number)
{
	return checks[number].of_owners;
}

/* ---- findings ---- */

static const struct store_column columns[] = {
	STORE_COLUMN(struct store_finding, check, .member = "check", .heading = "CHECK"),
	STORE_COLUMN(struct store_finding, result, .member = "result", .heading = "RESULT"),
	STORE_COLUMN(struct store_finding, detail, .member = "detail", .heading = "DETAIL",
		     .whole = true),
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

enum status store_check_error(const struct store *store, enum store_verdict *verdict,
			      struct slice *detail)
{
	const char *message = pg_message(store->db);

	if (strcmp(pg_sqlstate(store->db), "42501") == 0) {
		*verdict = STORE_CHECK_WARNING;
		message = arena_format(store->arena, "not checked: %s (sluice_reader may see it)",
				       message);
		*detail = slice_of(message);
		return message == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	}
	*verdict = STORE_CHECK_FAILED;
	return store_keep(store, slice_of(message), detail);
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
		status = store_check_error(store, &verdict, &detail);
	}
	pg_result_free(&result);
	*finding = store_finding(checks[number].check, verdict, detail);
	return status;
}

/*
 * store/setup.c - see store/setup.h.
 */
#include "store/setup.h"

#include "store/store_internal.h"

static const struct store_column columns[] = {
	STORE_SAME(struct store_setup_statement, text),
};

const struct store_entity store_setup_statement_entity =
	STORE_ENTITY(struct store_setup_statement, columns);

enum status store_setup_database(const struct store *store, struct slice name,
				 struct store_list *statements)
{
	static const struct store_query query = {
		.name = "store_setup_database",
		.entity = &store_setup_statement_entity,
		.from = "(SELECT format('CREATE DATABASE %I ENCODING ''UTF8'' TEMPLATE template0', "
			"$1::text) AS text WHERE NOT EXISTS (SELECT FROM pg_database "
			"WHERE datname = $1::text)) AS missing",
		.param_count = 1,
	};
	const pg_param params[] = {name};

	return store_query_list(store, &query, params, statements);
}

enum status store_setup_roles(const struct store *store, struct slice admin,
			      struct store_list *statements)
{
	static const struct store_query query = {
		.name = "store_setup_roles",
		.entity = &store_setup_statement_entity,
		.from = "(SELECT format('ALTER ROLE %I LOGIN', rolname) AS text FROM pg_roles "
			"WHERE rolname IN ('sluice_intake', 'sluice_settings', 'sluice_maintenance') "
			"AND NOT rolcanlogin UNION ALL "
			"SELECT format('CREATE ROLE %I LOGIN', $1::text) "
			"WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $1::text) UNION ALL "
			"SELECT format('GRANT sluice_admin TO %I', $1::text) "
			"WHERE NOT EXISTS (SELECT FROM pg_auth_members AS m "
			"WHERE m.roleid = 'sluice_admin'::regrole AND m.member = (SELECT oid "
			"FROM pg_roles WHERE rolname = $1::text))) AS missing",
		.param_count = 1,
	};
	const pg_param params[] = {admin};

	return store_query_list(store, &query, params, statements);
}

enum status store_setup_run(const struct store *store, struct slice statement)
{
	return pg_run_script(store->db, statement.p, store->deadline_ms);
}

enum status store_setup_files(const struct store *store, struct store_setup_files *files)
{
	static const struct pg_statement hba =
		STORE_CALL("store_setup_hba", "current_setting('hba_file')", 0);
	static const struct pg_statement ident =
		STORE_CALL("store_setup_ident", "current_setting('ident_file')", 0);
	enum status status = store_ask_text(store, &hba, NULL, &files->hba);

	return status == STATUS_OK ? store_ask_text(store, &ident, NULL, &files->ident) : status;
}

enum status store_setup_reload(const struct store *store)
{
	static const struct pg_statement reload =
		STORE_CALL("store_setup_reload", "pg_reload_conf()", 0);

	return pg_run(store->db, &reload, NULL, NULL, store->deadline_ms);
}

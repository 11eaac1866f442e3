/*
 * store/setup.h - what a fresh cluster lacks for Sluice, as statements that were not run yet, and
 * where the server keeps the files that say who may log in.
 */
#ifndef STORE_SETUP_H
#define STORE_SETUP_H

#include "store/entity.h"
#include "store/store.h"

struct store_setup_statement {
	struct slice text; /* one statement, names quoted by the server */
};

extern const struct store_entity store_setup_statement_entity;

/* CREATE DATABASE, unless the database is there; from any database of the cluster. */
enum status store_setup_database(const struct store *store, struct slice name,
				 struct store_list *statements) MUST_CHECK;

/* Logins for the roles of workers, settings and maintenance, and for admin, who becomes a member of
 * sluice_admin; in Sluice's database, after its migrations. */
enum status store_setup_roles(const struct store *store, struct slice admin,
			      struct store_list *statements) MUST_CHECK;

/* Runs one of these statements. */
enum status store_setup_run(const struct store *store, struct slice statement) MUST_CHECK;

/* Paths on the server's host. STATUS_FORBIDDEN or the like for a user that may not know them. */
struct store_setup_files {
	struct slice hba, ident;
};

enum status store_setup_files(const struct store *store,
			      struct store_setup_files *files) MUST_CHECK;

/* Has the server read both files again. */
enum status store_setup_reload(const struct store *store) MUST_CHECK;

#endif

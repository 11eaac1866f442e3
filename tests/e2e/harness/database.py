"""A stack's database: a connection that may do everything, and the questions most tests have."""

import contextlib

import psycopg2


class WithDatabase:
    """The part of a Stack that asks its database."""

    _database = None

    def disconnect(self):
        """Before the server goes away; the next psql() connects anew."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def connect(self):
        connection = psycopg2.connect(host=self.env["PGHOST"], port=self.env.get("PGPORT"),
                                      dbname=self.env["PGDATABASE"], user=self.env["PGUSER"])
        connection.autocommit = True
        return connection

    def psql(self, sql, *params):
        """Runs one statement; the rows as a list of tuples."""
        if self._database is None or self._database.closed:
            self._database = self.connect()
        try:
            with self._database.cursor() as cursor:
                cursor.execute(sql, params or None)
                return cursor.fetchall() if cursor.description else []
        except psycopg2.Error:
            self._database.close()
            self._database = None
            raise

    @contextlib.contextmanager
    def locked(self, table="signal"):
        """Nothing can be stored in the table meanwhile."""
        with contextlib.closing(self.connect()) as holder, holder.cursor() as cursor:
            holder.autocommit = False
            cursor.execute(f"lock table sluice.{table} in access exclusive mode")
            yield
            holder.rollback()

    def waiting_for_locks(self):
        """How many statements of the intake wait for a lock."""
        return self.psql("select count(*) from pg_stat_activity where usename = 'sluice_intake'"
                         " and wait_event_type = 'Lock'")[0][0]

    def rows(self, key):
        """How many signals of this key are staged, warm and cold."""
        return self.psql("select (select count(*) from sluice.signal_staging where key_id = %s)"
                         " + (select count(*) from sluice.signal_cold_storage where key_id = %s)",
                         key["id"], key["id"])[0][0]

    def staged(self, signal_id, column="payload"):
        """One column of one staged signal, warm or cold."""
        found = self.psql(
            f"select {column} from sluice.signal_staging where id = %s union all "
            f"select {column} from sluice.signal_cold_storage where id = %s",
            signal_id, signal_id)
        assert len(found) == 1, f"{len(found)} rows with id {signal_id}"
        return found[0][0]

    def ids(self, key):
        """All ids of this key's staged signals, as a list: a repeat would show."""
        return [row[0] for row in self.psql(
            "select id from sluice.signal_staging where key_id = %s union all "
            "select id from sluice.signal_cold_storage where key_id = %s", key["id"], key["id"])]

    def tables_with(self, text):
        """The tables of which a row holds the text in any column, in bytes, too."""
        names = [name for name, in self.psql(
            "select oid::regclass::text from pg_class where relnamespace = 'sluice'::regnamespace"
            " and relkind in ('r', 'p') and not relispartition")]
        assert "sluice.signal" in names
        return [name for name in names if self.psql(
            f"select exists (select from {name} row where position(%s in row::text) > 0"
            " or position(%s in row::text) > 0)", text, text.encode().hex())[0][0]]

"""test_setup.py - sluicectl setup: from a cluster as Debian makes it to one fit for use."""

import json
import pathlib

import machine
import pytest

DATABASE = "apart"


def run_setup(*options, user="postgres"):
    out = machine.run("sluicectl", "setup", "--json", "--database", DATABASE, *options, user=user)
    return {(step["step"], step["detail"]): step["result"] for step in json.loads(out)["steps"]}


def files():
    paths = machine.run("psql", "-AtF\n", "-c",
                        "SELECT current_setting('hba_file'), current_setting('ident_file')",
                        user="postgres").split()
    return [pathlib.Path(path) for path in paths]


def state():
    """All that setup may change outside of its database."""
    roles = machine.run("psql", "-Atc", "SELECT rolname, rolcanlogin FROM pg_roles ORDER BY 1",
                        user="postgres")
    databases = machine.run("psql", "-Atc", "SELECT datname FROM pg_database", user="postgres")
    return roles, databases, [path.read_text() for path in files()]


@pytest.fixture(autouse=True)
def _fitted(fitted):
    pass


def test_each_system_user_is_one_role_and_no_other():
    roles = {"sluice": "sluice_intake", "sluice-settings": "sluice_settings",
             "sluice-maintenance": "sluice_maintenance"}
    for user in [*roles, "www-data", "nobody"]:
        for role in roles.values():
            done = machine.run("psql", "-d", "sluice", "-U", role, "-Atc", "SELECT session_user",
                               user=user, check=False)
            if roles.get(user) == role:
                assert done.stdout == role + "\n", done.stderr
            else:
                assert "Peer authentication failed" in done.stderr, (user, role)


def test_the_result_is_fit_for_use():
    machine.run("sluicectl", "maintain", user="sluice-maintenance", PGDATABASE="sluice",
                PGUSER="sluice_maintenance")
    report = machine.run("sluicectl", "check", PGDATABASE="sluice")
    assert "fit for use: 0 failed, 0 warnings" in report


def test_a_dry_run_changes_nothing_and_says_all():
    before = state()
    steps = run_setup("--dry-run")
    assert state() == before
    assert {step for (step, _), result in steps.items() if result == "would do"} >= {
        "database", "schema", "pg_hba"}
    # The other database has brought these.
    assert steps["pg_ident", str(files()[1])] == "already done"


def test_it_can_be_repeated():
    first = run_setup()
    assert first["database", f"CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0"] == \
        "done"
    after = state()
    again = run_setup()
    assert state() == after
    assert set(again.values()) == {"already done", "done"}
    assert [step for (step, _), result in again.items() if result == "done"] == ["schema"]
    hba = files()[0]
    assert hba.read_text().count(f"local  {DATABASE}  ") == 1
    assert (hba.owner(), oct(hba.stat().st_mode & 0o777)) == ("postgres", "0o640")
    assert machine.run("psql", "-d", DATABASE, "-U", "sluice_intake", "-Atc", "SELECT 1",
                       user="sluice") == "1\n"


def test_workers_elsewhere_log_in_over_tls_with_a_password():
    steps = run_setup("--from", "127.0.0.1/32")
    assert steps["pg_hba", str(files()[0])] == "done"
    machine.run("psql", "-c", "ALTER ROLE sluice_intake PASSWORD 'of the test'", user="postgres")
    conninfo = (f"host=127.0.0.1 dbname={DATABASE} user=sluice_intake password='of the test' "
                "sslmode=")
    shown = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert machine.run("psql", conninfo + "require", "-Atc", shown) == "t\n"
    assert machine.run("psql", conninfo + "disable", "-Atc", shown, check=False).returncode == 2


def test_what_it_cannot_write_is_printed():
    """As for a server on another host: through TCP the files are not this host's."""
    machine.run("psql", "-c", "CREATE ROLE setup SUPERUSER LOGIN PASSWORD 'setup'", user="postgres")
    out = machine.run("sluicectl", "setup", "--database", DATABASE, "--admin", "dba",
                      user="postgres", PGHOST="127.0.0.1", PGUSER="setup", PGPASSWORD="setup")
    assert f"to be put at the beginning of {files()[1]}" in out
    assert "sluice  sluice-settings     sluice_settings" in out
    assert f"local  {DATABASE}  sluice_intake,sluice_settings,sluice_maintenance  peer map=sluice" \
        in out
    machine.run("psql", "-c", "DROP ROLE setup", user="postgres")

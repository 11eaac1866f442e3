"""The settings page in a real browser: lists of any length, in parts, and found among all.

Each test fails by what those of test_settings_page.py fail by as well.
"""

import pytest
from selenium.webdriver.common.keys import Keys

from harness import wait_for

pytestmark = [pytest.mark.settings, pytest.mark.first_front]

MANY = 10_000
FIRST_VIEW_BYTES = 100 << 10
BUFFERS = 6 * 51  # of a part of the keys; each is looked up by itself, and by its activity


@pytest.fixture(scope="module")
def crowded(page_stack, filled):
    """Many keys, older than those that are there already."""
    del filled
    page_stack.psql(
        "insert into sluice.api_key (organization_id, name, key_hash, display, created_by)"
        " select o.id, 'crowd ' || n, sha256(('crowd' || n)::bytea), U&'sk_crow\\2026dddd', 'olga'"
        " from sluice.organization as o, generate_series(1, %s) as n where o.name = %s",
        MANY, page_stack.organization)
    page_stack.psql("analyze sluice.api_key")
    yield page_stack
    page_stack.psql("delete from sluice.api_key where name like 'crowd %'")


def rows(page):
    return len(page.all("tr.opens"))


def search(page, text):
    field = page.wait(".toolbar .search")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text or Keys.BACKSPACE)
    return field


def test_many_keys_are_shown_in_parts(page, crowded):
    del crowded
    page.visit("keys")
    assert rows(page) == 50 and page.text(".count") == "The first 50 keys"
    page.wait(".more button", "Show more").send_keys(Keys.ENTER)
    wait_for(lambda: rows(page) == 100, "the next part is there")
    assert page.text(".count") == "The first 100 keys"
    wait_for(lambda: page.script(
        "return [...document.querySelectorAll('.toggle')].indexOf(document.activeElement)") == 50,
        "the focus is at the first key of the part")


def test_the_first_view_of_many_is_small(page, crowded):
    del crowded
    page.visit("keys")
    size = page.script("""return performance.getEntriesByType('resource')
        .concat(performance.getEntriesByType('navigation'))
        .reduce((sum, entry) => sum + entry.transferSize, 0)""")
    assert 0 < size < FIRST_VIEW_BYTES


def test_a_key_is_found_among_all(page, crowded):
    del crowded
    page.visit("keys")
    search(page, "crowd 7")
    wait_for(lambda: page.text(".count") == "The first 50 keys"
             and "crowd 79" in page.text("tbody"), "what is found is shown")
    field = search(page, "CROWD 17")
    page.row("crowd 1799")
    search(page, "crowd 4711")
    wait_for(lambda: rows(page) == 1, "one is found")
    assert page.text(".count") == "1 key" and "crowd 4711" in page.text("tbody")
    assert page.driver.switch_to.active_element == field
    search(page, "no such key")
    page.wait(".empty", "No keys match")
    page.script("""const [status] = document.querySelectorAll('.filter select');
        status.value = 'deactivated'; status.dispatchEvent(new Event('change'))""")
    search(page, "")
    page.row("Old import")
    assert rows(page) == 1


def test_a_part_of_the_keys_reads_little(crowded):
    """However many there are."""
    for arguments in ("NULL, 51", "NULL, 51, NULL, 'signal_staging', 'active'"):
        plan = crowded.psql(
            "explain (analyze, buffers, timing off, format json) select * from"
            f" sluice.settings_keys('olga', (select id from sluice.organization where name = %s),"
            f" {arguments})", crowded.organization)[0][0][0]["Plan"]
        assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 5 * BUFFERS, plan


def test_a_part_of_the_volumes_reads_little(crowded):
    """However many keys there are with which something came."""
    crowded.psql("insert into sluice.key_count (organization_id, key_id, day, partition_id,"
                 " table_name, entries, last_at) select organization_id, id, now()::date - n, 0,"
                 " 'signal', 1, now() from sluice.api_key, generate_series(0, 6) as n"
                 " where name like 'crowd %'")
    crowded.psql("analyze sluice.key_count")
    try:
        [(_, rows_read)] = crowded.psql(
            "select length(sluice.settings_key_volumes('olga', (select id from"
            " sluice.organization where name = %s), null, 50)::text),"
            " (select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables"
            " where relid = 'sluice.key_count'::regclass)",
            crowded.organization)
    finally:
        crowded.psql("delete from sluice.key_count where partition_id = 0")
    assert 0 < rows_read <= 7 * 51


def test_many_members_are_shown_in_parts(page):
    page.stack.psql("insert into sluice.member (organization_id, user_name, role, added_by)"
                    " select id, 'crowd ' || n, 'viewer', 'olga' from sluice.organization,"
                    " generate_series(1, 120) as n where name = %s", page.stack.organization)
    try:
        page.visit("members")
        assert rows(page) == 50
        page.click(".more button", "Show more")
        wait_for(lambda: rows(page) == 100, "the next part is there")
        search(page, "crowd 99")
        wait_for(lambda: rows(page) == 1, "one is found")
        page.row("crowd 99")
        search(page, "")
        wait_for(lambda: rows(page) == 50, "all are shown again")
    finally:
        page.stack.psql("delete from sluice.member where user_name like 'crowd %'")


def test_many_tokens_are_shown_in_parts(page):
    page.stack.psql("insert into sluice.api_token (organization_id, user_name, name, token_hash,"
                    " display, scopes, expires_at, created_by) select id, 'olga', 'robot ' || n,"
                    " sha256(('robot' || n)::bytea), U&'slt_robo\\2026tttt', '{read}',"
                    " now() + interval '1 day', 'olga' from sluice.organization,"
                    " generate_series(1, 60) as n where name = %s", page.stack.organization)

    def shown():
        return page.script("return document.querySelectorAll("
                           "'section[aria-label=Tokens] tr.opens').length")
    try:
        page.visit("members")
        page.settle()
        assert shown() == 50
        page.click("section[aria-label=Tokens] .more button", "Show more")
        wait_for(lambda: shown() >= 60, "the next part is there")
        page.row("robot 1")
    finally:
        page.stack.psql("delete from sluice.api_token where name like 'robot %'")


def test_a_long_history_and_usage_are_shown_in_parts(page):
    key = page.stack.new_key(name="Much edited")
    page.stack.psql("select sluice.key_edit('olga', %s, 'Much edited ' || n, null, null)"
                    " from generate_series(1, 60) as n", key["id"])
    page.stack.psql("insert into sluice.usage_month (organization_id, month, signals, duplicates)"
                    " select id, (date_trunc('month', now()) - interval '14 months')::date, 4711,"
                    " 0 from sluice.organization where name = %s", page.stack.organization)
    try:
        page.visit("keys")
        page.act("Much edited", "History")
        page.wait("dialog .history li", "Key edited")
        assert len(page.all("dialog .history li")) == 50
        page.click("dialog .more button", "Show more")
        page.wait("dialog .history li", "Key created")
        assert len(page.all("dialog .history li")) == 61
        page.close_dialog("Close")
        page.go("Usage")
        assert len(page.all(".months tbody tr")) == 12
        page.click(".more button", "Show earlier months")
        page.wait(".months tbody", "4,711")
        assert len(page.all(".months tbody tr")) == 24
    finally:
        page.stack.psql("delete from sluice.usage_month where signals = 4711")

-- The latest state of each product org.

SET LOCAL ROLE sluice_owner;

-- There are few new rows, but the planner does not know that: for a lower bound alone it expects a
-- third of all rows, for a range few.
CREATE OR REPLACE VIEW sluice.product_org_news WITH (security_invoker = true) AS
SELECT s.organization_id, s.product_org_id, s.name, s.plan_id, s.plan_name, s.user_count, s.mrr,
    s.trial_status, s.last_active_at, s.feature_flags, s.custom, s.received_at, s.id, s.key_id,
    s.stored_xact
FROM sluice.product_org_update AS s
WHERE s.stored_xact >= (SELECT f.folded_xact FROM sluice.product_org_fold AS f)
    AND s.stored_xact < 9223372036854775807;
COMMENT ON VIEW sluice.product_org_news IS
    'Product-org updates that are not in product_org_state yet. For product_org_current and '
    'fold_product_orgs.';

-- An update without last_active_at counts as of its receipt.
CREATE OR REPLACE VIEW sluice.product_org_current WITH (security_invoker = true) AS
SELECT t.organization_id, t.product_org_id, t.name, t.plan_id, t.plan_name, t.user_count, t.mrr,
    t.trial_status, t.last_active_at, t.feature_flags, t.custom, t.received_at, t.id, t.key_id
FROM sluice.product_org_state AS t
WHERE NOT EXISTS (SELECT FROM sluice.product_org_news AS n
    WHERE n.organization_id = t.organization_id AND n.product_org_id = t.product_org_id
        AND (coalesce(n.last_active_at, n.received_at), n.received_at, n.id)
            > (coalesce(t.last_active_at, t.received_at), t.received_at, t.id))
UNION ALL
SELECT n.organization_id, n.product_org_id, n.name, n.plan_id, n.plan_name, n.user_count, n.mrr,
    n.trial_status, n.last_active_at, n.feature_flags, n.custom, n.received_at, n.id, n.key_id
FROM (
    SELECT DISTINCT ON (m.organization_id, m.product_org_id) m.*
    FROM sluice.product_org_news AS m
    ORDER BY m.organization_id, m.product_org_id,
        coalesce(m.last_active_at, m.received_at) DESC, m.received_at DESC, m.id DESC
) AS n
WHERE NOT EXISTS (SELECT FROM sluice.product_org_state AS t
    WHERE t.organization_id = n.organization_id AND t.product_org_id = n.product_org_id
        AND (coalesce(t.last_active_at, t.received_at), t.received_at, t.id)
            >= (coalesce(n.last_active_at, n.received_at), n.received_at, n.id));
COMMENT ON VIEW sluice.product_org_current IS
    'The latest state of each product org, exact at the time of the query: the update with the '
    'latest last_active_at (or received_at, if that is null), and among those the one received '
    'last. Reads product_org_state and the updates since the last sluicectl maintain; it is fast '
    'as long as those are few.';

DO $do$
DECLARE
    comment record;
BEGIN
    FOR comment IN
        SELECT v.relname, a.attname, coalesce(col_description(t.attrelid, t.attnum),
            'as in product_org_update') AS description
        FROM pg_catalog.pg_class AS v
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = v.oid AND a.attnum > 0
        LEFT JOIN pg_catalog.pg_attribute AS t
            ON t.attrelid = 'sluice.product_org_state'::regclass AND t.attname = a.attname
        WHERE v.relnamespace = 'sluice'::regnamespace
            AND v.relname IN ('product_org_news', 'product_org_current')
    LOOP
        EXECUTE format('COMMENT ON COLUMN sluice.%I.%I IS %L', comment.relname, comment.attname,
            comment.description);
    END LOOP;
END
$do$;

RESET ROLE;

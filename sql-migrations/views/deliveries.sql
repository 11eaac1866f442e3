-- Deliveries with an id.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE VIEW sluice.reused_delivery_id WITH (security_invoker = true) AS
SELECT
    r.organization_id,
    r.key_scope,
    c.message_id,
    r.deliveries,
    r.first_at,
    r.last_at,
    r.ids,
    c.contents
FROM (
    SELECT
        d.organization_id,
        d.key_scope,
        count(*) AS deliveries,
        min(d.received_at) AS first_at,
        max(d.received_at) AS last_at,
        array_agg(d.id ORDER BY d.received_at, d.id) AS ids,
        array_agg(d.received_at ORDER BY d.received_at, d.id) AS times
    FROM sluice.delivery AS d
    GROUP BY d.key_scope, substr(uuid_send(d.fingerprint), 1, 8), d.organization_id
    HAVING count(*) > 1
) AS r
CROSS JOIN LATERAL (
    SELECT max(s.message_id) AS message_id, array_agg(s.content ORDER BY u.n) AS contents
    FROM unnest(r.ids, r.times) WITH ORDINALITY AS u (id, received_at, n)
    LEFT JOIN LATERAL (
        SELECT g.message_id, concat_ws(' ', g.event_type, g.event_name) AS content
        FROM sluice.signal AS g
        WHERE g.id = u.id AND g.organization_id = r.organization_id AND g.received_at = u.received_at
        UNION ALL
        SELECT g.message_id, concat_ws(' ', g.event_type, g.event_name)
        FROM sluice.signal_cold_storage AS g
        WHERE g.id = u.id AND g.organization_id = r.organization_id AND g.received_at = u.received_at
        UNION ALL
        SELECT p.message_id, ('product org ' || p.product_org_id) COLLATE "default"
        FROM sluice.product_org_update AS p
        WHERE p.id = u.id AND p.organization_id = r.organization_id AND p.received_at = u.received_at
    ) AS s ON true
) AS c;
COMMENT ON VIEW sluice.reused_delivery_id IS
    'Delivery ids that came more than once with other content each time, so that all of it was '
    'stored: a sender that reuses ids, or events that it takes for one. Within the retention of '
    'delivery. Ask for a key: WHERE key_scope = …';
COMMENT ON COLUMN sluice.reused_delivery_id.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.reused_delivery_id.key_scope IS
    'api_key.id, of the first key of a chain of rotations';
COMMENT ON COLUMN sluice.reused_delivery_id.message_id IS
    'the id; null if none of the rows is there any more';
COMMENT ON COLUMN sluice.reused_delivery_id.deliveries IS 'how many had other content';
COMMENT ON COLUMN sluice.reused_delivery_id.first_at IS 'when the first was received';
COMMENT ON COLUMN sluice.reused_delivery_id.last_at IS 'when the last was received';
COMMENT ON COLUMN sluice.reused_delivery_id.ids IS
    'ids of what was stored, in signal, signal_cold_storage or product_org_update, the oldest first';
COMMENT ON COLUMN sluice.reused_delivery_id.contents IS
    'event type and event name of each, or its product org, in the order of ids; equal ones are told '
    'apart by their bytes, like the events of one mail; null for a row that is not there any more';

RESET ROLE;

-- Deliveries with an id.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE VIEW sluice.reused_delivery_id WITH (security_invoker = true) AS
SELECT
    d.organization_id,
    d.key_scope,
    d.message_id,
    count(*) AS deliveries,
    bool_and(d.says LIKE E'bytes\n%') AS by_bytes,
    min(d.received_at) AS first_at,
    max(d.received_at) AS last_at,
    array_agg(d.id ORDER BY d.received_at, d.id) AS ids,
    CASE WHEN NOT bool_and(d.says LIKE E'bytes\n%')
        THEN array_agg(d.says ORDER BY d.received_at, d.id) END AS says
FROM sluice.delivery AS d
GROUP BY d.key_scope, d.message_id, d.organization_id
HAVING count(*) > 1;
COMMENT ON VIEW sluice.reused_delivery_id IS
    'Delivery ids that came more than once and said something else each time, so that all of it was '
    'stored: a sender that reuses ids, or events that it takes for one. Events of one mail share a '
    'message_id and are told apart by their bytes (by_bytes). Within the retention of delivery. Ask '
    'for a key or an id: WHERE key_scope = …';
COMMENT ON COLUMN sluice.reused_delivery_id.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.reused_delivery_id.key_scope IS
    'api_key.id, of the first key of a chain of rotations';
COMMENT ON COLUMN sluice.reused_delivery_id.message_id IS 'the id, as in delivery';
COMMENT ON COLUMN sluice.reused_delivery_id.deliveries IS 'how many said something else';
COMMENT ON COLUMN sluice.reused_delivery_id.by_bytes IS
    'true: all were told apart by their bytes, as those of a mail''s message_id are';
COMMENT ON COLUMN sluice.reused_delivery_id.first_at IS 'when the first was received';
COMMENT ON COLUMN sluice.reused_delivery_id.last_at IS 'when the last was received';
COMMENT ON COLUMN sluice.reused_delivery_id.ids IS
    'ids of what was stored, in signal, signal_cold_storage or product_org_update, the oldest first';
COMMENT ON COLUMN sluice.reused_delivery_id.says IS
    'what each said, as in delivery, in the order of ids: type and name, or the product org; null '
    'with by_bytes';

RESET ROLE;

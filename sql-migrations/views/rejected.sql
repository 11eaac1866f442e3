-- Rejected payloads. Functions return rows of these views.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE VIEW sluice.rejected_overview WITH (security_invoker = true) AS
SELECT
    r.id,
    o.name AS organization,
    r.key_id,
    k.display AS key_display,
    r.received_at,
    r.request_id,
    r.position,
    r.kind,
    r.code,
    r.detail,
    r.source,
    octet_length(r.payload)::bigint AS kept_bytes,
    r.payload_bytes,
    r.truncated,
    r.envelope,
    r.bad_byte,
    r.replayed_at,
    r.replayed_by,
    r.replayed_ids,
    r.discarded_at,
    r.discarded_by,
    CASE WHEN r.replayed_at IS NOT NULL THEN 'replayed'
        WHEN r.discarded_at IS NOT NULL THEN 'discarded'
        ELSE 'open' END AS state
FROM sluice.rejected_payload AS r
JOIN sluice.organization AS o ON o.id = r.organization_id
JOIN sluice.api_key AS k ON k.id = r.key_id;
COMMENT ON VIEW sluice.rejected_overview IS
    'Rejected payloads with names and without their bytes. rejected_list and rejected_show return '
    'its rows.';
COMMENT ON COLUMN sluice.rejected_overview.id IS 'rejected_payload.id';
COMMENT ON COLUMN sluice.rejected_overview.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.rejected_overview.key_id IS 'api_key.id';
COMMENT ON COLUMN sluice.rejected_overview.key_display IS 'the part of the key that may be shown';
COMMENT ON COLUMN sluice.rejected_overview.received_at IS 'when it was received';
COMMENT ON COLUMN sluice.rejected_overview.request_id IS 'X-Request-Id of the request';
COMMENT ON COLUMN sluice.rejected_overview.position IS
    'the item''s index in the body, from 0; null: the whole body';
COMMENT ON COLUMN sluice.rejected_overview.kind IS 'item, single, batch or lines';
COMMENT ON COLUMN sluice.rejected_overview.code IS 'the problem code that the sender was told';
COMMENT ON COLUMN sluice.rejected_overview.detail IS 'the reason in words';
COMMENT ON COLUMN sluice.rejected_overview.source IS
    'the source from path or header; null: neither was given';
COMMENT ON COLUMN sluice.rejected_overview.kept_bytes IS 'number of bytes kept';
COMMENT ON COLUMN sluice.rejected_overview.payload_bytes IS
    'the full length; null if the end was not read';
COMMENT ON COLUMN sluice.rejected_overview.truncated IS 'true: only the beginning is kept';
COMMENT ON COLUMN sluice.rejected_overview.envelope IS
    'of an item: the members beside the array of its batch; null: there are none';
COMMENT ON COLUMN sluice.rejected_overview.bad_byte IS
    'where it is wrong, in bytes from 0; null: not known';
COMMENT ON COLUMN sluice.rejected_overview.replayed_at IS 'when it was last replayed; null: never';
COMMENT ON COLUMN sluice.rejected_overview.replayed_by IS 'who replayed it';
COMMENT ON COLUMN sluice.rejected_overview.replayed_ids IS 'ids of the rows made from it';
COMMENT ON COLUMN sluice.rejected_overview.discarded_at IS 'when it was discarded; null: it was not';
COMMENT ON COLUMN sluice.rejected_overview.discarded_by IS 'who discarded it';
COMMENT ON COLUMN sluice.rejected_overview.state IS
    'open: neither replayed nor discarded; replayed; discarded';

CREATE OR REPLACE VIEW sluice.rejects_by_reason WITH (security_invoker = true) AS
SELECT
    o.name AS organization,
    k.id AS key_id,
    k.name AS key_name,
    r.code,
    r.kind,
    count(*) AS entries,
    count(*) FILTER (WHERE r.replayed_at IS NULL AND r.discarded_at IS NULL) AS open,
    sum(octet_length(r.payload))::bigint AS kept_bytes,
    min(r.received_at) AS first_at,
    max(r.received_at) AS last_at,
    (array_agg(r.detail ORDER BY r.received_at DESC))[1] AS last_detail
FROM sluice.organization AS o
JOIN sluice.rejected_payload AS r ON r.organization_id = o.id
JOIN sluice.api_key AS k ON k.id = r.key_id
GROUP BY o.name, k.id, k.name, r.code, r.kind;
COMMENT ON VIEW sluice.rejects_by_reason IS
    'Rejected payloads counted by key and reason. List single ones with sluicectl rejected.';
COMMENT ON COLUMN sluice.rejects_by_reason.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.rejects_by_reason.key_id IS 'api_key.id';
COMMENT ON COLUMN sluice.rejects_by_reason.key_name IS 'the key''s name';
COMMENT ON COLUMN sluice.rejects_by_reason.code IS 'the problem code';
COMMENT ON COLUMN sluice.rejects_by_reason.kind IS 'item, or a whole body: single, batch, lines';
COMMENT ON COLUMN sluice.rejects_by_reason.entries IS 'number of payloads';
COMMENT ON COLUMN sluice.rejects_by_reason.open IS
    'number of those that were neither replayed nor discarded';
COMMENT ON COLUMN sluice.rejects_by_reason.kept_bytes IS 'number of bytes kept';
COMMENT ON COLUMN sluice.rejects_by_reason.first_at IS 'when the first was received';
COMMENT ON COLUMN sluice.rejects_by_reason.last_at IS 'when the last was received';
COMMENT ON COLUMN sluice.rejects_by_reason.last_detail IS 'the last one''s reason in words';

RESET ROLE;

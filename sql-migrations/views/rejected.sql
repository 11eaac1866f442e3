-- What was kept and could not be stored as a signal. Re-appliable; applied before functions/.

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
    r.replayed_at,
    r.replayed_by,
    r.replayed_ids
FROM sluice.rejected_payload AS r
JOIN sluice.organization AS o ON o.id = r.organization_id
JOIN sluice.api_key AS k ON k.id = r.key_id;
COMMENT ON VIEW sluice.rejected_overview IS
    'rejected_payload as people want to see it: with names, without the bytes. The shape of '
    'rejected_list and rejected_show.';
COMMENT ON COLUMN sluice.rejected_overview.id IS 'the entry''s id';
COMMENT ON COLUMN sluice.rejected_overview.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.rejected_overview.key_id IS 'the key it was sent with';
COMMENT ON COLUMN sluice.rejected_overview.key_display IS 'what may be shown of the key';
COMMENT ON COLUMN sluice.rejected_overview.received_at IS 'when it was received';
COMMENT ON COLUMN sluice.rejected_overview.request_id IS 'of the request that brought it';
COMMENT ON COLUMN sluice.rejected_overview.position IS
    'which item of the body it was, from 0; null: the whole body';
COMMENT ON COLUMN sluice.rejected_overview.kind IS 'item, single, batch or lines';
COMMENT ON COLUMN sluice.rejected_overview.code IS 'why it was rejected, as a problem code';
COMMENT ON COLUMN sluice.rejected_overview.detail IS 'the same in words';
COMMENT ON COLUMN sluice.rejected_overview.source IS
    'the source by path or header; null: none was given';
COMMENT ON COLUMN sluice.rejected_overview.kept_bytes IS 'how many bytes are kept';
COMMENT ON COLUMN sluice.rejected_overview.payload_bytes IS
    'how long it was in full; null when its end was not read';
COMMENT ON COLUMN sluice.rejected_overview.truncated IS 'true when only the beginning is kept';
COMMENT ON COLUMN sluice.rejected_overview.replayed_at IS 'when it was replayed; null: it was not';
COMMENT ON COLUMN sluice.rejected_overview.replayed_by IS 'who replayed it';
COMMENT ON COLUMN sluice.rejected_overview.replayed_ids IS 'ids of the signals made of it';

CREATE OR REPLACE VIEW sluice.rejects_by_reason WITH (security_invoker = true) AS
SELECT
    o.name AS organization,
    k.id AS key_id,
    k.name AS key_name,
    r.code,
    r.kind,
    count(*) AS entries,
    count(*) FILTER (WHERE r.replayed_at IS NULL) AS not_replayed,
    sum(octet_length(r.payload))::bigint AS kept_bytes,
    min(r.received_at) AS first_at,
    max(r.received_at) AS last_at,
    (array_agg(r.detail ORDER BY r.received_at DESC))[1] AS last_detail
FROM sluice.organization AS o
JOIN sluice.rejected_payload AS r ON r.organization_id = o.id
JOIN sluice.api_key AS k ON k.id = r.key_id
GROUP BY o.name, k.id, k.name, r.code, r.kind;
COMMENT ON VIEW sluice.rejects_by_reason IS
    'What is kept in rejected_payload, by key and reason. See single entries with sluicectl '
    'rejected.';
COMMENT ON COLUMN sluice.rejects_by_reason.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.rejects_by_reason.key_id IS 'the key';
COMMENT ON COLUMN sluice.rejects_by_reason.key_name IS 'the key''s name';
COMMENT ON COLUMN sluice.rejects_by_reason.code IS 'why, as a problem code';
COMMENT ON COLUMN sluice.rejects_by_reason.kind IS 'item, or a whole body: single, batch, lines';
COMMENT ON COLUMN sluice.rejects_by_reason.entries IS 'how many';
COMMENT ON COLUMN sluice.rejects_by_reason.not_replayed IS 'of them, those not yet replayed';
COMMENT ON COLUMN sluice.rejects_by_reason.kept_bytes IS 'the size of what is kept';
COMMENT ON COLUMN sluice.rejects_by_reason.first_at IS 'when the first was received';
COMMENT ON COLUMN sluice.rejects_by_reason.last_at IS 'when the last was received';
COMMENT ON COLUMN sluice.rejects_by_reason.last_detail IS 'what was wrong with the last, in words';

RESET ROLE;

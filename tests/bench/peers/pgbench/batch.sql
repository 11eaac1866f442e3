INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, source,
    event_name, email, request_id, payload)
SELECT b.id + u.n - 1, :organization::bigint, now(), now(), :key::bigint, 'generic', 'form_submission',
    'lead@example.com', '0123456789abcdef01234567', u.payload::jsonb
FROM (SELECT nextval('sluice.signal_id')) AS b (id),
    unnest(:payloads::text[]) WITH ORDINALITY AS u (payload, n);

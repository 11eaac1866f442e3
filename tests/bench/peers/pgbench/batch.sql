INSERT INTO sluice.signal_staging (organization_id, received_at, occurred_at, key_id, source,
    event_name, email, request_id, payload)
SELECT :organization::bigint, now(), now(), :key::bigint, 'generic', 'form_submission',
    'lead@example.com', '0123456789abcdef01234567', u.payload::jsonb
FROM unnest(:payloads::text[]) AS u (payload);

INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, source,
    event_name, email, request_id, payload)
VALUES (nextval('sluice.signal_id'), :organization::bigint, now(), now(), :key::bigint, 'generic',
    'form_submission', 'lead@example.com', '0123456789abcdef01234567', :payload::jsonb);

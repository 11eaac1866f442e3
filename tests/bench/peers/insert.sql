-- Checks the key and its secret and stores the signal, in one statement and so in one transaction.
INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, source,
    event_type, event_name, email, user_id, anonymous_id, message_id, request_id, payload)
SELECT nextval('sluice.signal_id'), k.organization_id, now(), coalesce($9::timestamptz, now()), k.id,
    'generic', $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $10::text, $11::jsonb
FROM sluice.api_key AS k
WHERE k.key_hash = $1::bytea AND k.deactivated_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > now())
    AND (k.secret_hash IS NULL OR k.secret_hash = $2::bytea)
RETURNING id

-- API keys. Functions return rows of these views.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE VIEW sluice.key_overview AS
SELECT
    k.id,
    o.name AS organization,
    k.name,
    k.display,
    k.endpoint_type::text AS endpoint_type,
    k.secret_hash IS NOT NULL AS has_secret,
    CASE
        WHEN k.deactivated_at IS NOT NULL THEN 'deactivated'
        WHEN k.expires_at <= now() THEN 'expired'
        ELSE 'active'
    END AS status,
    k.expires_at,
    k.created_at,
    k.created_by,
    greatest(
        (SELECT a.last_used_at FROM sluice.key_activity AS a
            WHERE a.organization_id = k.organization_id AND a.key_id = k.id),
        (SELECT max(u.used_at) FROM sluice.key_use AS u
            WHERE u.organization_id = k.organization_id AND u.key_id = k.id)) AS last_used_at,
    k.deactivated_at,
    k.deactivated_by,
    k.payload_template,
    k.organization_id,
    r.last_at AS last_refused_at,
    r.reason::text AS last_refusal,
    k.delivery_id_member,
    k.networks,
    k.successor_of,
    (SELECT max(s.id) FROM sluice.api_key AS s WHERE s.successor_of = k.id) AS successor,
    CASE WHEN k.secret_hash IS NOT NULL THEN coalesce(k.secret_changed_at, k.created_at) END
        AS secret_made_at,
    CASE WHEN k.previous_secret_until > now() AND k.previous_secret_hash IS NOT NULL
        THEN k.previous_secret_until END AS old_secret_until,
    CASE WHEN k.previous_secret_until > now() AND k.previous_secret_hash IS NULL
        THEN k.previous_secret_until END AS secret_needed_from
FROM sluice.api_key AS k
JOIN sluice.organization AS o ON o.id = k.organization_id
LEFT JOIN LATERAL (
    SELECT q.last_at, q.reason
    FROM (
        SELECT f.last_at, f.reason FROM sluice.refused_request AS f
        WHERE f.organization_id = k.organization_id AND f.key_id = k.id
        UNION ALL
        SELECT d.counted_at, d.reason FROM sluice.refusal_delta AS d
        WHERE d.organization_id = k.organization_id AND d.key_id = k.id) AS q
    ORDER BY q.last_at DESC
    LIMIT 1) AS r ON true;
COMMENT ON VIEW sluice.key_overview IS
    'API keys with their status and last use, without hashes. The functions for keys return its '
    'rows.';
COMMENT ON COLUMN sluice.key_overview.id IS 'the key''s id';
COMMENT ON COLUMN sluice.key_overview.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.key_overview.name IS 'the key''s name';
COMMENT ON COLUMN sluice.key_overview.display IS 'the part of the key that may be shown';
COMMENT ON COLUMN sluice.key_overview.endpoint_type IS 'signal_staging or product_orgs';
COMMENT ON COLUMN sluice.key_overview.has_secret IS
    'true: requests must carry X-Api-Secret, from secret_needed_from on';
COMMENT ON COLUMN sluice.key_overview.status IS 'active, expired or deactivated now';
COMMENT ON COLUMN sluice.key_overview.expires_at IS 'when it expires; null: never';
COMMENT ON COLUMN sluice.key_overview.created_at IS 'when it was created';
COMMENT ON COLUMN sluice.key_overview.created_by IS 'who created it';
COMMENT ON COLUMN sluice.key_overview.last_used_at IS
    'when a request was last accepted, up to a minute late; null: never';
COMMENT ON COLUMN sluice.key_overview.deactivated_at IS 'when it was deactivated; null: it is not';
COMMENT ON COLUMN sluice.key_overview.deactivated_by IS 'who deactivated it';
COMMENT ON COLUMN sluice.key_overview.payload_template IS
    'the payload template of a product_orgs key';
COMMENT ON COLUMN sluice.key_overview.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.key_overview.last_refused_at IS
    'when a request with the key was last refused, up to ten seconds late; null: not within '
    'retention';
COMMENT ON COLUMN sluice.key_overview.last_refusal IS 'the reason, an intake_outcome';
COMMENT ON COLUMN sluice.key_overview.delivery_id_member IS
    'the member of a payload that is its delivery''s id; null: those that all senders share';
COMMENT ON COLUMN sluice.key_overview.networks IS
    'the networks that requests are accepted from; null: from everywhere';
COMMENT ON COLUMN sluice.key_overview.successor_of IS
    'the key that this one replaces by rotation; null: none';
COMMENT ON COLUMN sluice.key_overview.successor IS
    'the key that replaces this one, the latest if there are several; null: none';
COMMENT ON COLUMN sluice.key_overview.secret_made_at IS
    'when the present secret was made; null: no secret';
COMMENT ON COLUMN sluice.key_overview.old_secret_until IS
    'until then the previous secret is valid, too; null: there is none';
COMMENT ON COLUMN sluice.key_overview.secret_needed_from IS
    'until then requests are accepted without the secret, too; null: they must carry it, or there is none';

CREATE OR REPLACE VIEW sluice.key_health AS
SELECT
    v.organization,
    v.id AS key_id,
    v.name AS key_name,
    v.display,
    v.status,
    v.last_used_at,
    v.last_refused_at,
    v.last_refusal,
    coalesce((SELECT sum(q.requests) FROM sluice.refusal AS q
        WHERE q.organization_id = v.organization_id AND q.key_id = v.id
            AND q.day = (now() AT TIME ZONE 'UTC')::date), 0)::bigint AS refused_today,
    coalesce((SELECT sum(q.requests) FROM sluice.refusal AS q
        WHERE q.organization_id = v.organization_id AND q.key_id = v.id
            AND q.day > (now() AT TIME ZONE 'UTC')::date - 7), 0)::bigint AS refused_7_days
FROM sluice.key_overview AS v;
COMMENT ON VIEW sluice.key_health IS
    'Answers "why does my webhook not work?": each key with its status, its last use and its last '
    'refusal. For counts per day and reason read refusal. If a key is missing here, or has neither '
    'use nor refusal, no request has presented it in full.';
COMMENT ON COLUMN sluice.key_health.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.key_health.key_id IS 'api_key.id';
COMMENT ON COLUMN sluice.key_health.key_name IS 'the key''s name';
COMMENT ON COLUMN sluice.key_health.display IS 'the part of the key that may be shown';
COMMENT ON COLUMN sluice.key_health.status IS 'active, expired or deactivated now';
COMMENT ON COLUMN sluice.key_health.last_used_at IS
    'when a request was last accepted, up to a minute late; null: never';
COMMENT ON COLUMN sluice.key_health.last_refused_at IS
    'when a request was last refused, up to ten seconds late; null: not within retention';
COMMENT ON COLUMN sluice.key_health.last_refusal IS 'the reason, an intake_outcome';
COMMENT ON COLUMN sluice.key_health.refused_today IS 'requests refused today (UTC)';
COMMENT ON COLUMN sluice.key_health.refused_7_days IS
    'requests refused today and on the six days before (UTC)';

RESET ROLE;

-- Tokens of the settings API. Functions return rows of this view.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE VIEW sluice.token_overview WITH (security_invoker = true) AS
SELECT
    t.id,
    o.name AS organization,
    t.name,
    t.display,
    t.user_name,
    t.scopes::text[] AS scopes,
    CASE
        WHEN t.revoked_at IS NOT NULL THEN 'revoked'
        WHEN t.expires_at <= now() THEN 'expired'
        ELSE 'active'
    END AS status,
    t.expires_at,
    t.last_used_at,
    t.created_at,
    t.created_by,
    t.revoked_at,
    t.revoked_by,
    t.organization_id
FROM sluice.api_token AS t
JOIN sluice.organization AS o ON o.id = t.organization_id;
COMMENT ON VIEW sluice.token_overview IS
    'Tokens of the settings API with their status and last use, without hashes. The functions for '
    'tokens return its rows.';
COMMENT ON COLUMN sluice.token_overview.id IS 'the token''s id';
COMMENT ON COLUMN sluice.token_overview.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.token_overview.name IS 'the token''s name';
COMMENT ON COLUMN sluice.token_overview.display IS 'the part of the token that may be shown';
COMMENT ON COLUMN sluice.token_overview.user_name IS
    'the member for whom it acts, with the role that the member has at that time';
COMMENT ON COLUMN sluice.token_overview.scopes IS 'read, keys, rejects, organization';
COMMENT ON COLUMN sluice.token_overview.status IS 'active, expired or revoked now';
COMMENT ON COLUMN sluice.token_overview.expires_at IS 'when it expires';
COMMENT ON COLUMN sluice.token_overview.last_used_at IS
    'when a request with it was last authenticated, up to a minute late; null: never';
COMMENT ON COLUMN sluice.token_overview.created_at IS 'when it was created';
COMMENT ON COLUMN sluice.token_overview.created_by IS 'who created it';
COMMENT ON COLUMN sluice.token_overview.revoked_at IS 'when it was revoked; null: it is not';
COMMENT ON COLUMN sluice.token_overview.revoked_by IS 'who revoked it';
COMMENT ON COLUMN sluice.token_overview.organization_id IS 'organization.id';

RESET ROLE;

-- Why requests with a key were refused, in words for those who manage the key.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.refusal_words(reason sluice.intake_outcome, OUT http_status integer,
    OUT code text, OUT why text, OUT advice text)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT w.http_status, w.code, w.why, w.advice INTO http_status, code, why, advice
    FROM (VALUES
        ('deactivated', 401, 'unauthenticated', 'The key is deactivated.',
            'A deactivated key stays so. Create another one for the sender.'),
        ('expired', 401, 'unauthenticated', 'The key has expired.',
            'Edit its expiration, which helps at once, or create another key for the sender.'),
        ('secret_missing', 401, 'unauthenticated',
            'The request had no secret, and the key requires one.',
            'Have the sender put the secret into the header X-Api-Secret. If it cannot set '
            'headers, remove the secret from the key.'),
        ('secret_wrong', 401, 'unauthenticated', 'The secret of the request was another one.',
            'Copy the whole secret into the sender, without blanks or quotes around it. If it is '
            'lost, rotate the secret.'),
        ('wrong_endpoint', 403, 'wrong_endpoint', 'The request was sent to the other endpoint.',
            'Signals go to /api/signal-staging/…, product-org updates to /api/product-orgs/…. '
            'Correct the address in the sender, or create a key of the other endpoint type.'),
        ('wrong_network', 403, 'wrong_network',
            'The request came from an address outside the networks of the key.',
            'The answer that the sender got names the address. Add it to the networks, unless it '
            'is one of a proxy of yours: then the setting trusted_proxies must name that.'),
        ('limit_reached', 429, 'limit_reached',
            'The organization had used up its signals of the month.',
            'Have the limit raised or overages allowed. The count starts anew with each month '
            '(UTC). Most senders repeat such a request by themselves.'))
        AS w (reason, http_status, code, why, advice)
    WHERE w.reason = refusal_words.reason::text;
END
$$;
COMMENT ON FUNCTION sluice.refusal_words(sluice.intake_outcome) IS
    'What a sender was answered for this reason (HTTP status and code of the problem), why, and '
    'what to do about it; nulls for an outcome that refuses no known key. Internal: called by '
    'key_refusals.';

CREATE OR REPLACE FUNCTION sluice.key_refusals(id bigint) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its constant sluice.key_overview := sluice.key_show(key_refusals.id);
    today constant date := (now() AT TIME ZONE 'UTC')::date;
    refusals json;
BEGIN
    SELECT json_agg(json_build_object(
        'reason', r.reason,
        'http_status', w.http_status,
        'code', w.code,
        'why', w.why,
        'advice', w.advice,
        'requests', r.requests,
        'requests_today', r.requests_today,
        'first_day', r.first_day,
        'last_at', sluice.timestamp_text(r.last_at)) ORDER BY r.last_at DESC, r.reason)
    INTO refusals
    FROM (SELECT d.reason, sum(d.requests)::bigint AS requests,
            coalesce(sum(d.requests) FILTER (WHERE d.day = today), 0)::bigint AS requests_today,
            min(d.day) AS first_day, max(d.last_at) AS last_at
        FROM sluice.refusal AS d
        WHERE d.organization_id = its.organization_id AND d.key_id = its.id
        GROUP BY d.reason) AS r
    CROSS JOIN LATERAL sluice.refusal_words(r.reason) AS w;
    RETURN json_build_object(
        'refusals', coalesce(refusals, '[]'),
        'last_used_at', sluice.timestamp_text(its.last_used_at),
        'advice', CASE
            WHEN its.status = 'deactivated'
                THEN 'The key is deactivated: every request with it is refused.'
            WHEN its.status = 'expired'
                THEN 'The key has expired: every request with it is refused until its expiration '
                    'is edited.'
            WHEN refusals IS NULL AND its.last_used_at IS NULL
                THEN 'No request with the whole key has arrived. Check that the sender posts to '
                    'this host, and that the address in it ends with all 41 characters of the '
                    'key: with a part of it, or a mistyped one, the answer is 401 too, but nobody '
                    'can tell for which key it was meant.'
        END);
END
$$;
COMMENT ON FUNCTION sluice.key_refusals(bigint) IS
    'Why requests with a key were refused: a JSON object of the refusals by reason, the latest '
    'first, over the retention of refused_request and up to ten seconds late, with what the sender '
    'was answered and what to do; and advice for a key with which nothing can arrive, or nothing '
    'has. Raises P0002 if there is no such key.';

CREATE OR REPLACE FUNCTION sluice.settings_key_refusals(user_name text, organization_id bigint,
    id bigint) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.settings_key(user_name, organization_id, settings_key_refusals.id);
    RETURN sluice.key_refusals(settings_key_refusals.id);
END
$$;
COMMENT ON FUNCTION sluice.settings_key_refusals(text, bigint, bigint) IS
    'Like key_refusals. For editors, admins and owners. Raises as settings_key does.';

GRANT EXECUTE ON FUNCTION sluice.key_refusals(bigint) TO sluice_admin;
GRANT EXECUTE ON FUNCTION sluice.settings_key_refusals(text, bigint, bigint) TO sluice_settings;

RESET ROLE;

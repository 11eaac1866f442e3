-- A test event of a key: stored as a sender's is, and marked.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.path_steps(path text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(SELECT replace(s, E'\x01', '.')
        FROM unnest(string_to_array(replace(path, '\.', E'\x01'), '.')) AS s);
END
$$;
COMMENT ON FUNCTION sluice.path_steps(text) IS
    'The steps of a template''s path, in which "\." is a dot of a name. Internal: called by key_test.';

CREATE OR REPLACE FUNCTION sluice.put_at(root jsonb, steps text[], value jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    step constant text := steps[1];
    is_item constant boolean := step ~ '^\d{1,3}$' AND coalesce(jsonb_typeof(root), 'array') = 'array';
    child jsonb;
BEGIN
    root := coalesce(root, CASE WHEN is_item THEN jsonb '[]' ELSE jsonb '{}' END);
    IF jsonb_typeof(root) NOT IN ('object', 'array') OR jsonb_typeof(root) = 'array' AND NOT is_item THEN
        RETURN root;
    END IF;
    child := nullif(CASE WHEN is_item THEN root -> step::integer ELSE root -> step END, 'null');
    child := CASE WHEN cardinality(steps) = 1 THEN coalesce(child, value)
        ELSE sluice.put_at(child, steps[2:], value) END;
    IF NOT is_item THEN
        RETURN root || jsonb_build_object(step, child);
    END IF;
    WHILE jsonb_array_length(root) < step::integer LOOP
        root := root || jsonb '[null]';
    END LOOP;
    RETURN jsonb_set(root, ARRAY[step], child);
END
$$;
COMMENT ON FUNCTION sluice.put_at(jsonb, text[], jsonb) IS
    'The document with a value where a path leads, and with all that is missing on the way; what is '
    'there already stays. Internal: called by test_payload.';

CREATE OR REPLACE FUNCTION sluice.test_payload(payload_template jsonb, id text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its record;
    result jsonb := jsonb '{}';
BEGIN
    FOR its IN
        SELECT sluice.path_steps(f.path) AS steps, CASE f.field
            WHEN 'product_org_id' THEN to_jsonb(id)
            WHEN 'name' THEN '"Test org"'
            WHEN 'user_count' THEN '1'
            WHEN 'mrr' THEN '0'
            WHEN 'last_active_at' THEN to_jsonb(sluice.timestamp_text(now()))
            WHEN 'feature_flags' THEN '{"test": true}'
            ELSE '"test"' END AS value
        FROM (
            SELECT t.key AS field, t.value AS path
            FROM jsonb_each_text(payload_template - 'custom') AS t
            UNION ALL
            SELECT 'custom', t.value FROM jsonb_each_text(payload_template -> 'custom') AS t
        ) AS f
        ORDER BY f.field = 'product_org_id' DESC, f.field = 'custom'
    LOOP
        result := sluice.put_at(result, its.steps, its.value);
    END LOOP;
    RETURN result || jsonb '{"test": true, "sent_by": "sluicectl"}';
END
$$;
COMMENT ON FUNCTION sluice.test_payload(jsonb, text) IS
    'A payload that a template maps to a whole row, of a product org with this id. Internal: called '
    'by key_test.';

CREATE OR REPLACE FUNCTION sluice.key_test(actor text, id bigint) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its constant sluice.key_overview := sluice.key_show(key_test.id);
    test_id constant text := 'test-' || replace(gen_random_uuid()::text, '-', '');
    template constant jsonb := its.payload_template;
    payload jsonb;
    signals sluice.intake_signal[];
    product_orgs sluice.intake_product_org[];
    stored sluice.stored_items;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    IF its.status <> 'active' THEN
        RAISE EXCEPTION 'key % is %', key_test.id, its.status USING ERRCODE = 'SL004';
    END IF;
    IF template IS NULL THEN
        payload := jsonb_build_object('event', 'test', 'email', 'lead@example.com', 'messageId',
            test_id, 'test', true, 'sent_by', 'sluicectl');
        signals := ARRAY[jsonb_populate_record(NULL::sluice.intake_signal, jsonb_build_object(
            'sender', 1, 'request_id', test_id, 'source', 'generic', 'event_name', 'test',
            'email', 'lead@example.com', 'message_id', test_id, 'fingerprint',
            sluice.event_fingerprint(test_id, NULL, 'test'), 'occurred_at', now(),
            'payload', payload::text, 'cold', false))];
    ELSE
        payload := sluice.test_payload(template, test_id);
        product_orgs := ARRAY[jsonb_populate_record(NULL::sluice.intake_product_org,
            jsonb_build_object('sender', 1, 'request_id', test_id, 'product_org_id', test_id,
                'name', CASE WHEN template ? 'name' THEN 'Test org' END,
                'plan_id', CASE WHEN template ? 'plan_id' THEN 'test' END,
                'plan_name', CASE WHEN template ? 'plan_name' THEN 'test' END,
                'user_count', CASE WHEN template ? 'user_count' THEN 1 END,
                'mrr', CASE WHEN template ? 'mrr' THEN 0 END,
                'trial_status', CASE WHEN template ? 'trial_status' THEN 'test' END,
                'last_active_at', CASE WHEN template ? 'last_active_at' THEN now() END,
                'feature_flags', CASE WHEN template ? 'feature_flags' THEN '{"test": true}' END,
                'custom', (SELECT jsonb_object_agg(c.key, payload #> sluice.path_steps(c.value))::text
                    FROM jsonb_each_text(template -> 'custom') AS c),
                'payload', payload::text))];
    END IF;
    SELECT s.* INTO stored
    FROM sluice.api_key AS k
    CROSS JOIN LATERAL sluice.store_items('{accepted}', ARRAY[k.organization_id], ARRAY[k.id],
        ARRAY[coalesce(k.delivery_scope, k.id)], signals, product_orgs, NULL, false) AS s
    WHERE k.id = its.id;
    RETURN json_build_object('id', stored.ids[1], 'endpoint_type', its.endpoint_type,
        'message_id', CASE WHEN template IS NULL THEN test_id END,
        'product_org_id', CASE WHEN template IS NOT NULL THEN test_id END,
        'payload', payload);
END
$$;
COMMENT ON FUNCTION sluice.key_test(text, bigint) IS
    'Stores an event as if a sender had sent it with the key: a signal, or an update of a product '
    'org of its own that fits the template, marked as a test in the payload; returns its id and what '
    'was stored as a JSON object. It counts as a signal does, but not as a use of the key. Nothing '
    'is asked of key, secret, networks or limit: no sender was there. Raises P0002 if there is no '
    'such key, SL004 if it is not active.';

GRANT EXECUTE ON FUNCTION sluice.key_test(text, bigint) TO sluice_admin;

RESET ROLE;

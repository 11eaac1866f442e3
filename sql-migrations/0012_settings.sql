-- What the settings service asks for. One transaction.
--
-- It logs in as sluice_settings, which may call the functions below and nothing else. Each takes the
-- user, as the web server names him, and an organization, and looks up for itself what that user may
-- do there: whoever takes the service over still needs the name of a member, and learns no hash.
--
-- Errors of its own, all of class SL: SL001 no member of the organization, SL002 the role is too low,
-- SL003 a member of several organizations who names none.

-- As in 0001: for those who log in under this name. Its statements are short; what has not ended by
-- then is waited for by nobody.
DO $do$
DECLARE
    setting text;
BEGIN
    FOREACH setting IN ARRAY ARRAY['statement_timeout = ''15s''',
        'idle_in_transaction_session_timeout = ''15s''', 'jit = off']
    LOOP
        EXECUTE pg_catalog.format('ALTER ROLE sluice_settings IN DATABASE %I SET %s',
            pg_catalog.current_database(), setting);
    END LOOP;
END
$do$;

SET LOCAL ROLE sluice_owner;

-- ---- who is asking ----

CREATE TABLE sluice.settings_secret (
    only_row boolean PRIMARY KEY DEFAULT true
        CONSTRAINT settings_secret_only_row_check CHECK (only_row),
    csrf_key bytea NOT NULL
        CONSTRAINT settings_secret_csrf_key_check CHECK (octet_length(csrf_key) = 32),
    made_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sluice.settings_secret IS
    'The key under which the settings service signs the tokens of its page, of this installation '
    'alone; one row. Readable by the service only. Another key ends the tokens that are out, so that '
    'pages have to be loaded again.';
COMMENT ON COLUMN sluice.settings_secret.only_row IS 'always true';
COMMENT ON COLUMN sluice.settings_secret.csrf_key IS
    '32 random bytes: sha256 of two gen_random_uuid(), which take theirs from the system''s strong '
    'source';
COMMENT ON COLUMN sluice.settings_secret.made_at IS 'when it was made';
COMMENT ON CONSTRAINT settings_secret_only_row_check ON sluice.settings_secret IS 'one row';
COMMENT ON CONSTRAINT settings_secret_csrf_key_check ON sluice.settings_secret IS
    'a key of HMAC-SHA256';
GRANT SELECT (only_row, made_at) ON sluice.settings_secret TO sluice_reader;
INSERT INTO sluice.settings_secret (csrf_key)
VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

CREATE FUNCTION sluice.settings_csrf_key() RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT s.csrf_key FROM sluice.settings_secret AS s);
END
$$;
COMMENT ON FUNCTION sluice.settings_csrf_key() IS
    'The key of the settings page''s tokens. For the settings service.';

CREATE FUNCTION sluice.membership(user_name text, organization_id bigint,
    needed sluice.member_role) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found record;
BEGIN
    SELECT count(*) AS n, min(m.organization_id) AS id, min(m.role) AS role INTO found
    FROM sluice.member AS m
    WHERE m.user_name = membership.user_name
        AND (membership.organization_id IS NULL OR m.organization_id = membership.organization_id);
    IF found.n = 0 THEN
        RAISE EXCEPTION 'not a member' USING ERRCODE = 'SL001';
    ELSIF found.n > 1 THEN
        RAISE EXCEPTION 'member of several organizations' USING ERRCODE = 'SL003';
    ELSIF found.role < needed THEN
        RAISE EXCEPTION 'role is too low' USING ERRCODE = 'SL002';
    END IF;
    RETURN found.id;
END
$$;
COMMENT ON FUNCTION sluice.membership(text, bigint, sluice.member_role) IS
    'The id of an organization if the user is a member of it and has at least this role; with null '
    'the only one that he is a member of. Raises SL001 for no member (also of an organization that '
    'does not exist), SL002 for a lower role, SL003 for null and several. For the functions of this '
    'schema.';

CREATE FUNCTION sluice.settings_me(user_name text)
RETURNS TABLE (id bigint, name text, role text, may_manage_keys boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT o.id, o.name, m.role::text, m.role >= 'editor'
    FROM sluice.member AS m
    JOIN sluice.organization AS o ON o.id = m.organization_id
    WHERE m.user_name = settings_me.user_name
    ORDER BY o.name;
END
$$;
COMMENT ON FUNCTION sluice.settings_me(text) IS
    'The organizations that a user is a member of, and what he may do there.';

-- ---- keys ----

-- Two more columns: why a key that was presented was not accepted.
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
    (SELECT max(a.last_used_at) FROM sluice.key_activity AS a
        WHERE a.organization_id = k.organization_id AND a.key_id = k.id) AS last_used_at,
    k.deactivated_at,
    k.deactivated_by,
    k.payload_template,
    k.organization_id,
    r.last_at AS last_refused_at,
    r.reason::text AS last_refusal
FROM sluice.api_key AS k
JOIN sluice.organization AS o ON o.id = k.organization_id
LEFT JOIN LATERAL (
    SELECT q.last_at, q.reason FROM sluice.refused_request AS q
    WHERE q.organization_id = k.organization_id AND q.key_id = k.id
    ORDER BY q.last_at DESC
    LIMIT 1) AS r ON true;
COMMENT ON COLUMN sluice.key_overview.organization_id IS 'the organization; organization.id';
COMMENT ON COLUMN sluice.key_overview.last_refused_at IS
    'when a request with the key was last refused, up to ten seconds late; null: not in the time kept';
COMMENT ON COLUMN sluice.key_overview.last_refusal IS 'why: see type refusal';

-- From here on by the organization's id; the function with its name is below.
CREATE FUNCTION sluice.key_add(actor text, organization_id bigint, name text, endpoint_type text,
    key_hash bytea, display text, secret_hash bytea, expires_at timestamptz,
    payload_template jsonb) RETURNS sluice.key_overview
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_type text := coalesce(key_add.endpoint_type, 'signal_staging');
    new_id bigint;
    refusal text[]; -- the parameter, and what is wrong with it
BEGIN
    PERFORM sluice.check_name('actor', actor);
    BEGIN
        PERFORM sluice.check_name('key name', key_add.name);
    EXCEPTION WHEN invalid_parameter_value THEN
        refusal := ARRAY['name', SQLERRM];
    END;
    refusal := coalesce(refusal, CASE
        WHEN its_type <> ALL (enum_range(NULL::sluice.endpoint_type)::text[])
            THEN ARRAY['endpoint_type', 'endpoint type must be signal_staging or product_orgs']
        WHEN key_add.key_hash IS NULL OR octet_length(key_add.key_hash) <> 32
            THEN ARRAY['', 'key hash must be a SHA-256']
        WHEN octet_length(key_add.secret_hash) <> 32
            THEN ARRAY['', 'secret hash must be a SHA-256']
        WHEN key_add.display IS NULL
            OR key_add.display !~ '^sk_[0-9A-Za-z]{4}\u2026[0-9A-Za-z]{4}$'
            THEN ARRAY['', 'display must be sk_, 4 characters, an ellipsis and 4 characters']
        WHEN NOT isfinite(key_add.expires_at)
            THEN ARRAY['expires_at', 'expiration must be an instant']
        WHEN its_type = 'signal_staging' AND key_add.payload_template IS NOT NULL
            THEN ARRAY['payload_template', 'a signal_staging key takes no payload template']
        WHEN its_type = 'product_orgs' AND key_add.payload_template IS NULL
            THEN ARRAY['payload_template', 'a product_orgs key needs a payload template']
        WHEN jsonb_typeof(key_add.payload_template) <> 'object'
            THEN ARRAY['payload_template', 'payload template must be a JSON object']
        WHEN its_type = 'product_orgs' AND jsonb_typeof(key_add.payload_template
            -> 'product_org_id') IS DISTINCT FROM 'string'
            THEN ARRAY['payload_template', 'payload template must map product_org_id']
    END);
    IF refusal IS NOT NULL THEN
        RAISE EXCEPTION '%', refusal[2]
            USING ERRCODE = 'invalid_parameter_value', COLUMN = refusal[1];
    END IF;
    INSERT INTO sluice.api_key AS k (organization_id, name, endpoint_type, key_hash, display,
        secret_hash, expires_at, payload_template, created_by)
    VALUES (key_add.organization_id, key_add.name, its_type::sluice.endpoint_type,
        key_add.key_hash, key_add.display, key_add.secret_hash, key_add.expires_at,
        key_add.payload_template, actor)
    ON CONFLICT DO NOTHING
    RETURNING k.id INTO new_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this key already exists' USING ERRCODE = 'unique_violation';
    END IF;
    PERFORM sluice.audit(actor, key_add.organization_id, 'key_create', 'api_key', new_id::text,
        jsonb_build_object('name', key_add.name, 'display', key_add.display,
            'endpoint_type', its_type, 'has_secret', key_add.secret_hash IS NOT NULL,
            'expires_at', key_add.expires_at));
    RETURN sluice.key_show(new_id);
END
$$;
COMMENT ON FUNCTION
    sluice.key_add(text, bigint, text, text, bytea, text, bytea, timestamptz, jsonb) IS
    'What key_create and settings_key_create do. Raises 23505 for a key that exists, 22023 for a '
    'refused value, with the parameter as the error''s column. For the functions of this schema.';

CREATE OR REPLACE FUNCTION sluice.key_create(actor text, organization_name text, name text,
    endpoint_type text, key_hash bytea, display text, secret_hash bytea, expires_at timestamptz,
    payload_template jsonb) RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.key_add(actor, sluice.organization_id_of(organization_name), key_create.name,
        key_create.endpoint_type, key_create.key_hash, key_create.display, key_create.secret_hash,
        key_create.expires_at, key_create.payload_template);
END
$$;

CREATE FUNCTION sluice.settings_keys(user_name text, organization_id bigint)
RETURNS SETOF sluice.key_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint := sluice.membership(user_name, organization_id, 'editor');
BEGIN
    RETURN QUERY
    SELECT * FROM sluice.key_overview AS v WHERE v.organization_id = its_id ORDER BY v.id DESC;
END
$$;
COMMENT ON FUNCTION sluice.settings_keys(text, bigint) IS
    'The keys of an organization as key_overview shows them, newest first, for an editor, admin or '
    'owner of it. Raises as membership does.';

CREATE FUNCTION sluice.settings_key(user_name text, organization_id bigint, id bigint)
RETURNS sluice.key_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint := sluice.membership(user_name, organization_id, 'editor');
    result sluice.key_overview;
BEGIN
    SELECT * INTO result FROM sluice.key_overview AS v
    WHERE v.organization_id = its_id AND v.id = settings_key.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'key % does not exist', settings_key.id USING ERRCODE = 'no_data_found';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.settings_key(text, bigint, bigint) IS
    'One key of an organization, for an editor, admin or owner of it. Raises P0002 when it has no '
    'such key, and as membership does.';

CREATE FUNCTION sluice.settings_key_create(user_name text, organization_id bigint, name text,
    endpoint_type text, key_hash bytea, display text, secret_hash bytea, expires_at timestamptz,
    payload_template jsonb) RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.key_add(user_name, sluice.membership(user_name, organization_id, 'editor'),
        settings_key_create.name, settings_key_create.endpoint_type,
        settings_key_create.key_hash, settings_key_create.display,
        settings_key_create.secret_hash, settings_key_create.expires_at,
        settings_key_create.payload_template);
END
$$;
COMMENT ON FUNCTION sluice.settings_key_create(text, bigint, text, text, bytea, text, bytea,
    timestamptz, jsonb) IS
    'As key_create, for an editor, admin or owner of the organization. Raises as key_add and '
    'membership do.';

CREATE FUNCTION sluice.settings_key_deactivate(user_name text, organization_id bigint, id bigint)
RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.settings_key(user_name, organization_id, settings_key_deactivate.id);
    RETURN sluice.key_deactivate(user_name, settings_key_deactivate.id);
END
$$;
COMMENT ON FUNCTION sluice.settings_key_deactivate(text, bigint, bigint) IS
    'As key_deactivate, for an editor, admin or owner of the organization whose key it is. Raises as '
    'settings_key does.';

-- ---- counts of what is staged ----
--
-- Counting ten million rows takes seconds, so sluicectl maintain counts partitions that have changed
-- and keeps the result; what came in since is counted when it is asked for, as far as it is little.
-- Intake pays nothing for it.

CREATE TABLE sluice.counted_partition (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition_name text NOT NULL UNIQUE,
    changes bigint NOT NULL,
    last_id bigint NOT NULL,
    counted_at timestamptz NOT NULL,
    took interval NOT NULL
);
COMMENT ON TABLE sluice.counted_partition IS
    'The partitions whose rows were counted, and when. Written by sluicectl maintain.';
COMMENT ON COLUMN sluice.counted_partition.id IS 'the partition_id of hourly_count';
COMMENT ON COLUMN sluice.counted_partition.partition_name IS 'the partition, in schema sluice';
COMMENT ON COLUMN sluice.counted_partition.changes IS
    'rows inserted, updated and deleted, as the server''s statistics had it before; when they say '
    'something else now, it is counted again';
COMMENT ON COLUMN sluice.counted_partition.last_id IS
    'the last id that was given out before; rows with later ids are not counted';
COMMENT ON COLUMN sluice.counted_partition.counted_at IS
    'when counting began; a later change of a row''s status is not known';
COMMENT ON COLUMN sluice.counted_partition.took IS
    'how long counting took; for twenty times as long it is not done again';
COMMENT ON CONSTRAINT counted_partition_partition_name_key ON sluice.counted_partition IS
    'each once';

CREATE TABLE sluice.hourly_count (
    organization_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    partition_id integer NOT NULL,
    table_name text NOT NULL,
    source text NOT NULL,
    status text NOT NULL,
    entries bigint NOT NULL,
    PRIMARY KEY (organization_id, hour, partition_id, source, status)
);
CREATE INDEX hourly_count_partition_id_idx ON sluice.hourly_count (partition_id);
COMMENT ON TABLE sluice.hourly_count IS
    'How many rows each counted partition has, by organization, hour, source and status: what '
    'statistics are made of.';
COMMENT ON COLUMN sluice.hourly_count.organization_id IS 'whose rows; organization.id';
COMMENT ON COLUMN sluice.hourly_count.hour IS 'the hour of their receipt (UTC)';
COMMENT ON COLUMN sluice.hourly_count.partition_id IS 'counted_partition.id';
COMMENT ON COLUMN sluice.hourly_count.table_name IS
    'the table: signal_staging, signal_cold_storage or rejected_payload';
COMMENT ON COLUMN sluice.hourly_count.source IS
    'their source; "(other)" for those beyond the 30 most frequent of an organization and '
    'partition; "" for rejected payloads';
COMMENT ON COLUMN sluice.hourly_count.status IS 'their status; "" where there is none';
COMMENT ON COLUMN sluice.hourly_count.entries IS 'how many';
COMMENT ON INDEX sluice.hourly_count_pkey IS 'begins with the organization, as all primary keys do';
COMMENT ON INDEX sluice.hourly_count_partition_id_idx IS 'to replace what was counted before';
GRANT SELECT ON sluice.counted_partition, sluice.hourly_count TO sluice_reader;

CREATE VIEW sluice.countable_partition AS
SELECT b.partition_name, b.lower_bound, b.upper_bound, v.table_name, v.sequence_name, v.source,
    v.status, n.changes, c.id AS partition_id, c.changes AS counted_changes,
    coalesce(c.last_id, 0) AS last_id, c.counted_at,
    coalesce(c.counted_at + greatest(c.took * 20, '30 seconds'), '-infinity') AS due_at
FROM (VALUES
    ('signal_staging', 'signal_id', 'source', 'status::text'),
    ('signal_cold_storage', 'signal_id', 'source', quote_literal('')),
    ('rejected_payload', 'rejected_payload_id', quote_literal(''), quote_literal('')))
    AS v (table_name, sequence_name, source, status)
JOIN sluice.partition_bounds() AS b ON b.table_name = v.table_name
CROSS JOIN LATERAL (SELECT pg_stat_get_tuples_inserted(b.partition)
    + pg_stat_get_tuples_updated(b.partition) + pg_stat_get_tuples_deleted(b.partition))
    AS n (changes)
LEFT JOIN sluice.counted_partition AS c ON c.partition_name = b.partition_name;
COMMENT ON VIEW sluice.countable_partition IS
    'The partitions whose rows are counted, how that is done, and when it was. For count_rows and '
    'statistics_of.';
COMMENT ON COLUMN sluice.countable_partition.partition_name IS 'the partition, in schema sluice';
COMMENT ON COLUMN sluice.countable_partition.lower_bound IS 'as in partition_overview';
COMMENT ON COLUMN sluice.countable_partition.upper_bound IS 'as in partition_overview';
COMMENT ON COLUMN sluice.countable_partition.table_name IS 'the table it is a partition of';
COMMENT ON COLUMN sluice.countable_partition.sequence_name IS 'where the ids of its rows come from';
COMMENT ON COLUMN sluice.countable_partition.source IS 'SQL for the source of a row';
COMMENT ON COLUMN sluice.countable_partition.status IS 'SQL for the status of a row';
COMMENT ON COLUMN sluice.countable_partition.changes IS 'as in counted_partition, but now';
COMMENT ON COLUMN sluice.countable_partition.partition_id IS 'counted_partition.id; null: never yet';
COMMENT ON COLUMN sluice.countable_partition.counted_changes IS 'as in counted_partition';
COMMENT ON COLUMN sluice.countable_partition.last_id IS 'as in counted_partition; 0: never yet';
COMMENT ON COLUMN sluice.countable_partition.counted_at IS 'as in counted_partition';
COMMENT ON COLUMN sluice.countable_partition.due_at IS 'from when on it may be counted again';

GRANT SELECT ON sluice.countable_partition TO sluice_reader;

CREATE FUNCTION sluice.count_rows(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
    its_id integer;
    ids_until bigint;
    started timestamptz := clock_timestamp();
    counted bigint;
BEGIN
    DELETE FROM sluice.hourly_count AS h
    USING sluice.counted_partition AS c
    WHERE h.partition_id = c.id AND to_regclass(format('sluice.%I', c.partition_name)) IS NULL;
    DELETE FROM sluice.counted_partition AS c
    WHERE to_regclass(format('sluice.%I', c.partition_name)) IS NULL;

    SELECT * INTO part FROM sluice.countable_partition AS p
    WHERE p.changes <> coalesce(p.counted_changes, 0) AND p.due_at <= now()
    ORDER BY p.upper_bound DESC NULLS LAST, p.partition_name
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    EXECUTE format('SELECT last_value FROM sluice.%I', part.sequence_name) INTO ids_until;
    INSERT INTO sluice.counted_partition AS c
        (partition_name, changes, last_id, counted_at, took)
    VALUES (part.partition_name, part.changes, ids_until, started, '0')
    ON CONFLICT ON CONSTRAINT counted_partition_partition_name_key DO UPDATE
    SET changes = excluded.changes, last_id = excluded.last_id, counted_at = excluded.counted_at
    RETURNING c.id INTO its_id;
    DELETE FROM sluice.hourly_count AS h WHERE h.partition_id = its_id;
    EXECUTE format($q$
        INSERT INTO sluice.hourly_count
            (organization_id, hour, partition_id, table_name, source, status, entries)
        SELECT r.organization_id, r.hour, $1, $3,
            CASE WHEN r.place <= 30 THEN r.source ELSE '(other)' END, r.status, sum(r.n)
        FROM (
            SELECT w.*, dense_rank() OVER (PARTITION BY w.organization_id
                ORDER BY w.n_of_source DESC, w.source) AS place
            FROM (
                SELECT g.*, sum(g.n) OVER (PARTITION BY g.organization_id, g.source) AS n_of_source
                FROM (
                    SELECT p.organization_id, date_trunc('hour', p.received_at) AS hour,
                        %1$s AS source, %2$s AS status, count(*) AS n
                    FROM sluice.%3$I AS p
                    WHERE p.id <= $2
                    GROUP BY 1, 2, 3, 4
                ) AS g
            ) AS w
        ) AS r
        GROUP BY 1, 2, 5, 6
        $q$, part.source, part.status, part.partition_name)
    USING its_id, ids_until, part.table_name;
    SELECT coalesce(sum(h.entries), 0) INTO counted FROM sluice.hourly_count AS h
    WHERE h.partition_id = its_id;
    UPDATE sluice.counted_partition AS c SET took = clock_timestamp() - started WHERE c.id = its_id;
    RETURN greatest(counted, 1);
END
$$;
COMMENT ON FUNCTION sluice.count_rows(integer) IS
    'A maintenance step: counts the rows of one partition that has changed, the latest first, in one '
    'scan however many they are, and returns how many there were. What takes long is done less '
    'often: at most a twentieth of the time goes into it.';

INSERT INTO sluice.maintenance_step (name, position, unit, description) VALUES
    ('count_rows', 1100, 'rows', 'rows of changed partitions, counted for the statistics');

-- ---- statistics ----

CREATE FUNCTION sluice.count_live(organization_id bigint, since timestamptz, everything boolean,
    max_rows integer, OUT hours timestamptz[], OUT tables text[], OUT sources text[],
    OUT statuses text[], OUT counts bigint[], OUT as_of timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
    found record;
    room bigint := max_rows;
BEGIN
    as_of := now();
    FOR part IN
        SELECT * FROM sluice.countable_partition AS p
        WHERE coalesce(p.upper_bound > since AND p.lower_bound <= now(), true)
        ORDER BY p.lower_bound DESC NULLS LAST, p.partition_name
    LOOP
        -- In the order of the primary key, so that it is read from there.
        EXECUTE format($q$
            SELECT array_agg(g.hour) AS hours, array_agg(g.source) AS sources,
                array_agg(g.status) AS statuses, array_agg(g.n) AS counts,
                coalesce(sum(g.n), 0) AS n
            FROM (
                SELECT date_trunc('hour', r.received_at) AS hour, r.source, r.status, count(*) AS n
                FROM (
                    SELECT p.received_at, %1$s AS source, %2$s AS status
                    FROM sluice.%3$I AS p
                    WHERE p.organization_id = $1 AND p.id > $2
                    ORDER BY p.organization_id, p.id
                    LIMIT $3
                ) AS r
                GROUP BY 1, 2, 3
            ) AS g
            $q$, part.source, part.status, part.partition_name)
        INTO found
        USING organization_id, CASE WHEN everything THEN 0 ELSE part.last_id END, room + 1;
        IF found.n > room AND everything THEN
            as_of := NULL;
            RETURN;
        ELSIF found.n > room THEN
            as_of := least(as_of, coalesce(part.counted_at, part.lower_bound, since));
        ELSIF found.n > 0 THEN
            room := room - found.n;
            hours := hours || found.hours;
            sources := sources || found.sources;
            statuses := statuses || found.statuses;
            counts := counts || found.counts;
            tables := tables || array_fill(part.table_name, ARRAY[cardinality(found.hours)]);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.count_live(bigint, timestamptz, boolean, integer) IS
    'Counts an organization''s rows that are in hourly_count (everything) or not yet, at most so '
    'many. as_of is the instant up to which the counts of both are complete: now, or when a '
    'partition with more new rows than that was counted; null when everything is more than that. For '
    'statistics_of.';

CREATE FUNCTION sluice.instant_text(instant timestamptz) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN to_json(instant AT TIME ZONE 'UTC') #>> '{}' || 'Z';
END
$$;
COMMENT ON FUNCTION sluice.instant_text(timestamptz) IS
    'An instant in ISO 8601, in UTC, whatever the session''s settings. For the functions of this '
    'schema.';

CREATE FUNCTION sluice.statistics_of(organization_id bigint, span text) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
#variable_conflict use_variable
DECLARE
    -- What is counted when it is asked for takes some 20 ms.
    max_live constant integer := 10000;
    bucket text := CASE span WHEN '30d' THEN 'day' ELSE 'hour' END;
    since timestamptz := CASE span
        WHEN '24h' THEN date_trunc('hour', now()) - interval '23 hours'
        WHEN '7d' THEN date_trunc('hour', now()) - interval '167 hours'
        WHEN '30d' THEN date_trunc('day', now()) - interval '29 days'
    END;
    everything boolean;
    live record;
    result json;
BEGIN
    IF since IS NULL THEN
        RAISE EXCEPTION 'window must be 24h, 7d or 30d'
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'window';
    END IF;
    SELECT coalesce(sum(h.entries), 0) <= max_live INTO everything FROM sluice.hourly_count AS h
    WHERE h.organization_id = organization_id AND h.hour >= since;
    IF everything THEN
        live := sluice.count_live(organization_id, since, true, max_live);
        everything := live.as_of IS NOT NULL;
    END IF;
    IF NOT everything THEN
        live := sluice.count_live(organization_id, since, false, max_live);
    END IF;

    WITH counted AS MATERIALIZED (
        SELECT u.table_name, u.hour, u.source, u.status, u.entries
        FROM (
            SELECT h.table_name, h.hour, h.source, h.status, h.entries
            FROM sluice.hourly_count AS h
            WHERE h.organization_id = organization_id AND h.hour >= since AND NOT everything
            UNION ALL
            SELECT l.table_name, l.hour, l.source, l.status, l.entries
            FROM unnest(live.tables, live.hours, live.sources, live.statuses, live.counts)
                AS l (table_name, hour, source, status, entries)
            WHERE l.hour >= since
        ) AS u
    ), place AS (
        SELECT c.source, row_number() OVER (ORDER BY c.source = '(other)', sum(c.entries) DESC,
            c.source) AS place
        FROM counted AS c
        WHERE c.table_name <> 'rejected_payload'
        GROUP BY c.source
    ), series AS (
        SELECT date_trunc(bucket, c.hour) AS at,
            CASE WHEN p.place <= 12 THEN c.source ELSE '(other)' END AS source,
            sum(c.entries) AS signals
        FROM counted AS c
        JOIN place AS p ON p.source = c.source
        WHERE c.table_name <> 'rejected_payload'
        GROUP BY 1, 2
    ), totals AS (
        SELECT s.status::text AS status, coalesce(sum(c.entries), 0) AS entries
        FROM unnest(enum_range(NULL::sluice.staging_status)) AS s (status)
        LEFT JOIN counted AS c ON c.table_name = 'signal_staging' AND c.status = s.status::text
        GROUP BY s.status
    )
    SELECT json_build_object(
        'window', span,
        'from', sluice.instant_text(since),
        'to', sluice.instant_text(now()),
        'as_of', sluice.instant_text(live.as_of),
        'bucket_seconds', CASE bucket WHEN 'day' THEN 86400 ELSE 3600 END,
        'totals', (SELECT json_object_agg(t.status, t.entries) FROM totals AS t),
        'cold_storage', (SELECT coalesce(sum(c.entries), 0) FROM counted AS c
            WHERE c.table_name = 'signal_cold_storage'),
        'rejected', (SELECT coalesce(sum(c.entries), 0) FROM counted AS c
            WHERE c.table_name = 'rejected_payload'),
        'duplicates', (SELECT coalesce(sum(u.duplicates), 0) FROM (
            SELECT h.duplicates FROM sluice.usage_hour AS h
            WHERE h.organization_id = organization_id AND h.hour >= since
            UNION ALL
            SELECT m.duplicates FROM sluice.usage_minute AS m
            WHERE m.organization_id = organization_id AND m.minute >= since) AS u),
        'series', (SELECT coalesce(json_agg(json_build_object(
                'at', sluice.instant_text(s.at), 'source', s.source, 'signals', s.signals)
            ORDER BY s.at, s.source), '[]') FROM series AS s))
    INTO result;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.statistics_of(bigint, text) IS
    'What came in for an organization in the last 24h, 7d or 30d, as a JSON object: rows by status, '
    'and by hour or day and source, cold ones among them; beyond the 12 most frequent sources as '
    '"(other)". as_of says up to when it is complete. Raises 22023 for another window. For the '
    'functions of this schema.';

-- ---- the latest ----

CREATE FUNCTION sluice.signals_of(organization_id bigint, before bigint, max_rows integer,
    source text, status text) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    before_id bigint := coalesce(before, 9223372036854775807);
    -- Who looks for what is rare is shown what is found among so many, and where to go on.
    scan integer := CASE WHEN source IS NULL AND status IS NULL THEN max_rows + 1 ELSE 5000 END;
    result json;
BEGIN
    WITH looked_at AS MATERIALIZED (
        SELECT s.id, s.received_at, s.source, s.status::text AS status, false AS cold
        FROM sluice.signal_staging AS s
        WHERE s.organization_id = organization_id AND s.id < before_id
        ORDER BY s.id DESC
        LIMIT scan
    ), looked_at_cold AS MATERIALIZED (
        SELECT c.id, c.received_at, c.source, 'cold_storage' AS status, true AS cold
        FROM sluice.signal_cold_storage AS c
        WHERE c.organization_id = organization_id AND c.id < before_id
        ORDER BY c.id DESC
        LIMIT scan
    ), looked AS MATERIALIZED (
        SELECT * FROM looked_at UNION ALL SELECT * FROM looked_at_cold
        ORDER BY id DESC
        LIMIT scan
    ), hit AS MATERIALIZED (
        SELECT * FROM looked AS l
        WHERE (source IS NULL OR l.source = source) AND (status IS NULL OR l.status = status)
        ORDER BY l.id DESC
        LIMIT max_rows
    ), full_row AS (
        SELECT h.status AS shown_status, f.*
        FROM hit AS h
        CROSS JOIN LATERAL (
            SELECT s.id, s.received_at, s.occurred_at, s.source, s.event_type, s.event_name,
                s.email, s.user_id, s.anonymous_id, s.error, s.key_id, s.request_id, s.payload
            FROM sluice.signal_staging AS s
            WHERE NOT h.cold AND s.organization_id = organization_id AND s.id = h.id
                AND s.received_at = h.received_at
            UNION ALL
            SELECT c.id, c.received_at, c.occurred_at, c.source, c.event_type, c.event_name,
                c.email, c.user_id, c.anonymous_id, c.error, c.key_id, c.request_id, c.payload
            FROM sluice.signal_cold_storage AS c
            WHERE h.cold AND c.organization_id = organization_id AND c.id = h.id
                AND c.received_at = h.received_at
        ) AS f
    )
    SELECT json_build_object(
        'signals', (SELECT coalesce(json_agg(json_build_object(
                'id', f.id,
                'received_at', sluice.instant_text(f.received_at),
                'occurred_at', sluice.instant_text(f.occurred_at),
                'source', f.source,
                'event_type', f.event_type,
                'event_name', f.event_name,
                'email', f.email,
                'user_id', f.user_id,
                'anonymous_id', f.anonymous_id,
                'status', f.shown_status,
                'error', f.error,
                'key_id', f.key_id,
                'key_name', k.name,
                'request_id', f.request_id,
                'payload_bytes', octet_length(f.payload::text),
                'payload', sluice.shown(f.payload))
            ORDER BY f.id DESC), '[]')
            FROM full_row AS f
            LEFT JOIN sluice.api_key AS k ON k.id = f.key_id),
        'next', CASE
            WHEN (SELECT count(*) FROM hit) = max_rows
                AND (SELECT min(h.id) FROM hit AS h) > (SELECT min(l.id) FROM looked AS l)
                THEN (SELECT min(h.id) FROM hit AS h)
            WHEN (SELECT count(*) FROM looked) = scan THEN (SELECT min(l.id) FROM looked AS l)
        END)
    INTO result;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.signals_of(bigint, bigint, integer, text, text) IS
    'An organization''s latest signals, staged and cold, as a JSON object (ids before this one or '
    'null, at most so many, of a source or null, of a status, among them cold_storage, or null). With a '
    'source or status 5,000 signals are looked at; next says where to go on. A payload over 64 KiB is '
    'left out. For the functions of this schema.';

CREATE FUNCTION sluice.shown(value jsonb) RETURNS json
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written text := value::text;
BEGIN
    RETURN CASE WHEN octet_length(written) <= 65536 THEN written::json END;
END
$$;
COMMENT ON FUNCTION sluice.shown(jsonb) IS
    'A value for a list that people look at: as it is, or null when it is over 64 KiB. For the '
    'functions of this schema.';

CREATE FUNCTION sluice.preview(bytes bytea, was_cut boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The last character may have been cut, too.
    FOR missing IN 0..CASE WHEN was_cut THEN 3 ELSE 0 END LOOP
        BEGIN
            RETURN convert_from(substring(bytes FOR octet_length(bytes) - missing), 'UTF8');
        EXCEPTION WHEN character_not_in_repertoire THEN
            NULL;
        END;
    END LOOP;
    RETURN encode(bytes, 'escape');
END
$$;
COMMENT ON FUNCTION sluice.preview(bytea, boolean) IS
    'Bytes as text to be shown: as they are when they are UTF-8, without half a character at their end '
    'when they were cut; else with \nnn for what is not ASCII. For the functions of this schema.';

CREATE FUNCTION sluice.rejects_of(organization_id bigint, before bigint, max_rows integer)
RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    before_id bigint := coalesce(before, 9223372036854775807);
    result json;
BEGIN
    WITH looked AS MATERIALIZED (
        SELECT r.id, r.received_at, r.key_id, r.source, r.kind, r.code, r.detail, r.position,
            r.payload_bytes, r.request_id, r.truncated, r.replayed_at,
            substring(r.payload FOR 4096) AS beginning, octet_length(r.payload) > 4096 AS longer
        FROM sluice.rejected_payload AS r
        WHERE r.organization_id = organization_id AND r.id < before_id
        ORDER BY r.id DESC
        LIMIT max_rows + 1
    ), hit AS (
        SELECT * FROM looked AS l ORDER BY l.id DESC LIMIT max_rows
    )
    SELECT json_build_object(
        'rejects', (SELECT coalesce(json_agg(json_build_object(
                'id', h.id,
                'received_at', sluice.instant_text(h.received_at),
                'key_id', h.key_id,
                'key_name', k.name,
                'source', h.source,
                'kind', h.kind,
                'code', h.code,
                'detail', h.detail,
                'position', h.position,
                'payload_bytes', h.payload_bytes,
                'request_id', h.request_id,
                'preview', sluice.preview(h.beginning, h.longer),
                'truncated', h.truncated OR h.longer,
                'replayed_at', sluice.instant_text(h.replayed_at))
            ORDER BY h.id DESC), '[]')
            FROM hit AS h LEFT JOIN sluice.api_key AS k ON k.id = h.key_id),
        'next', CASE WHEN (SELECT count(*) FROM looked) > max_rows
            THEN (SELECT min(h.id) FROM hit AS h) END)
    INTO result;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.rejects_of(bigint, bigint, integer) IS
    'An organization''s latest rejected payloads, with the beginnings of their bytes, as a JSON object '
    '(ids before this one or null, at most so many). For the functions of this schema.';

CREATE FUNCTION sluice.product_orgs_of(organization_id bigint, before bigint, max_rows integer)
RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    before_id bigint := coalesce(before, 9223372036854775807);
    result json;
BEGIN
    WITH looked AS MATERIALIZED (
        SELECT p.* FROM sluice.product_org_staging AS p
        WHERE p.organization_id = organization_id AND p.id < before_id
        ORDER BY p.id DESC
        LIMIT max_rows + 1
    ), hit AS (
        SELECT * FROM looked AS l ORDER BY l.id DESC LIMIT max_rows
    )
    SELECT json_build_object(
        'product_orgs', (SELECT coalesce(json_agg(json_build_object(
                'id', h.id,
                'product_org_id', h.product_org_id,
                'name', h.name,
                'plan_id', h.plan_id,
                'plan_name', h.plan_name,
                'user_count', h.user_count,
                'mrr', h.mrr,
                'trial_status', h.trial_status,
                'last_active_at', sluice.instant_text(h.last_active_at),
                'feature_flags', sluice.shown(h.feature_flags),
                'custom', sluice.shown(h.custom),
                'warnings', coalesce(h.warnings, '[]'),
                'received_at', sluice.instant_text(h.received_at),
                'status', h.status,
                'error', h.error,
                'key_id', h.key_id,
                'key_name', k.name,
                'request_id', h.request_id,
                'payload', sluice.shown(h.payload))
            ORDER BY h.id DESC), '[]')
            FROM hit AS h LEFT JOIN sluice.api_key AS k ON k.id = h.key_id),
        'next', CASE WHEN (SELECT count(*) FROM looked) > max_rows
            THEN (SELECT min(h.id) FROM hit AS h) END)
    INTO result;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.product_orgs_of(bigint, bigint, integer) IS
    'An organization''s latest product-org updates as a JSON object (ids before this one or null, at '
    'most so many); what is over 64 KiB of a row is left out. For the functions of this schema.';

CREATE FUNCTION sluice.usage_of(organization_id bigint) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    this_month date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    result json;
BEGIN
    WITH used AS (
        SELECT m.month::date AS month, coalesce(u.signals, 0) AS signals,
            coalesce(u.duplicates, 0) AS duplicates
        FROM generate_series(this_month - interval '11 months', this_month, '1 month') AS m (month)
        LEFT JOIN sluice.usage_overview AS u ON u.month = m.month::date
            AND u.organization = (SELECT o.name FROM sluice.organization AS o
                WHERE o.id = organization_id)
    )
    SELECT json_build_object(
        'month', to_char(u.month, 'YYYY-MM'),
        'signals', u.signals,
        'duplicates', u.duplicates,
        'signal_limit', o.signal_limit,
        'overages', o.overages,
        'months', (SELECT json_agg(json_build_object('month', to_char(m.month, 'YYYY-MM'),
                'signals', m.signals, 'duplicates', m.duplicates) ORDER BY m.month DESC)
            FROM used AS m))
    INTO result
    FROM used AS u
    JOIN sluice.organization AS o ON o.id = organization_id
    WHERE u.month = this_month;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.usage_of(bigint) IS
    'What an organization used in this month and the eleven before, as a JSON object, beside the limit '
    'that is in force now. For the functions of this schema.';

CREATE FUNCTION sluice.audit_of(organization_id bigint, before bigint, max_rows integer)
RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    before_id bigint := coalesce(before, 9223372036854775807);
    result json;
BEGIN
    WITH looked AS MATERIALIZED (
        SELECT * FROM sluice.audit_log AS a
        WHERE a.organization_id = organization_id AND a.id < before_id
        ORDER BY a.id DESC
        LIMIT max_rows + 1
    ), hit AS (
        SELECT * FROM looked AS l ORDER BY l.id DESC LIMIT max_rows
    )
    SELECT json_build_object(
        'entries', (SELECT coalesce(json_agg(json_build_object(
                'id', h.id,
                'occurred_at', sluice.instant_text(h.occurred_at),
                'actor', h.actor,
                'action', h.action,
                'object_kind', h.object_kind,
                'object_id', h.object_id,
                'details', h.details)
            ORDER BY h.id DESC), '[]') FROM hit AS h),
        'next', CASE WHEN (SELECT count(*) FROM looked) > max_rows
            THEN (SELECT min(h.id) FROM hit AS h) END)
    INTO result;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.audit_of(bigint, bigint, integer) IS
    'The latest entries of an organization''s audit log as a JSON object (ids before this one or null, '
    'at most so many). For the functions of this schema.';

-- ---- the same for members ----

CREATE FUNCTION sluice.settings_statistics(user_name text, organization_id bigint, span text)
RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.statistics_of(sluice.membership(user_name, organization_id, 'viewer'), span);
END
$$;
COMMENT ON FUNCTION sluice.settings_statistics(text, bigint, text) IS
    'As statistics_of, for every member. Raises as membership does.';

CREATE FUNCTION sluice.settings_signals(user_name text, organization_id bigint, before bigint,
    max_rows integer, source text, status text) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.signals_of(sluice.membership(user_name, organization_id, 'viewer'), before,
        least(max_rows, 100), source, status);
END
$$;
COMMENT ON FUNCTION sluice.settings_signals(text, bigint, bigint, integer, text, text) IS
    'As signals_of, for every member, at most 100. Raises as membership does.';

CREATE FUNCTION sluice.settings_rejects(user_name text, organization_id bigint, before bigint,
    max_rows integer) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.rejects_of(sluice.membership(user_name, organization_id, 'viewer'), before,
        least(max_rows, 100));
END
$$;
COMMENT ON FUNCTION sluice.settings_rejects(text, bigint, bigint, integer) IS
    'As rejects_of, for every member, at most 100. Raises as membership does.';

CREATE FUNCTION sluice.settings_product_orgs(user_name text, organization_id bigint,
    before bigint, max_rows integer) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.product_orgs_of(sluice.membership(user_name, organization_id, 'viewer'), before,
        least(max_rows, 100));
END
$$;
COMMENT ON FUNCTION sluice.settings_product_orgs(text, bigint, bigint, integer) IS
    'As product_orgs_of, for every member, at most 100. Raises as membership does.';

CREATE FUNCTION sluice.settings_usage(user_name text, organization_id bigint) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.usage_of(sluice.membership(user_name, organization_id, 'editor'));
END
$$;
COMMENT ON FUNCTION sluice.settings_usage(text, bigint) IS
    'As usage_of, for an editor, admin or owner. Raises as membership does.';

CREATE FUNCTION sluice.settings_audit(user_name text, organization_id bigint, before bigint,
    max_rows integer) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.audit_of(sluice.membership(user_name, organization_id, 'editor'), before,
        least(max_rows, 100));
END
$$;
COMMENT ON FUNCTION sluice.settings_audit(text, bigint, bigint, integer) IS
    'As audit_of, for an editor, admin or owner, at most 100. Raises as membership does.';

CREATE FUNCTION sluice.settings_may_manage_keys(user_name text, organization_id bigint)
RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.membership(user_name, organization_id, 'editor');
END
$$;
COMMENT ON FUNCTION sluice.settings_may_manage_keys(text, bigint) IS
    'The organization''s id if the user is editor, admin or owner: for what asks nothing else of the '
    'database, the dry run of a template. Raises as membership does.';

-- ---- the same for the tool ----

CREATE FUNCTION sluice.statistics(organization_name text, span text) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.statistics_of(sluice.organization_id_of(organization_name), span);
END
$$;
COMMENT ON FUNCTION sluice.statistics(text, text) IS
    'As statistics_of, of the organization of this name. Raises P0002 when there is none.';

CREATE FUNCTION sluice.signals_latest(organization_name text, before bigint, max_rows integer,
    source text, status text) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.signals_of(sluice.organization_id_of(organization_name), before, max_rows,
        source, status);
END
$$;
COMMENT ON FUNCTION sluice.signals_latest(text, bigint, integer, text, text) IS
    'As signals_of, of the organization of this name. Raises P0002 when there is none.';

CREATE FUNCTION sluice.product_orgs_latest(organization_name text, before bigint,
    max_rows integer) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.product_orgs_of(sluice.organization_id_of(organization_name), before, max_rows);
END
$$;
COMMENT ON FUNCTION sluice.product_orgs_latest(text, bigint, integer) IS
    'As product_orgs_of, of the organization of this name. Raises P0002 when there is none.';

CREATE FUNCTION sluice.audit_entries(organization_name text, before bigint, max_rows integer)
RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.audit_of(sluice.organization_id_of(organization_name), before, max_rows);
END
$$;
COMMENT ON FUNCTION sluice.audit_entries(text, bigint, integer) IS
    'As audit_of, of the organization of this name. Raises P0002 when there is none.';

-- ---- grants ----

GRANT EXECUTE ON FUNCTION
    sluice.settings_csrf_key(),
    sluice.settings_me(text),
    sluice.settings_keys(text, bigint),
    sluice.settings_key(text, bigint, bigint),
    sluice.settings_key_create(text, bigint, text, text, bytea, text, bytea, timestamptz, jsonb),
    sluice.settings_key_deactivate(text, bigint, bigint),
    sluice.settings_statistics(text, bigint, text),
    sluice.settings_signals(text, bigint, bigint, integer, text, text),
    sluice.settings_rejects(text, bigint, bigint, integer),
    sluice.settings_product_orgs(text, bigint, bigint, integer),
    sluice.settings_usage(text, bigint),
    sluice.settings_audit(text, bigint, bigint, integer),
    sluice.settings_may_manage_keys(text, bigint)
TO sluice_settings;
GRANT EXECUTE ON FUNCTION
    sluice.statistics(text, text),
    sluice.signals_latest(text, bigint, integer, text, text),
    sluice.product_orgs_latest(text, bigint, integer),
    sluice.audit_entries(text, bigint, integer)
TO sluice_admin;

RESET ROLE;

-- Finding and deleting everything about a person, for data-protection requests.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.person_signals(organization_name text, identity text)
RETURNS SETOF sluice.signal
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- One index scan per column, where a day has the indexes.
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    its_id constant bigint := sluice.organization_id_of(organization_name);
    also text[]; -- anonymous ids of the same person
BEGIN
    IF coalesce(identity, '') = '' THEN
        RAISE EXCEPTION 'an identity is missing' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    also := ARRAY(SELECT DISTINCT i.anonymous_id FROM sluice.identity AS i
        WHERE i.organization_id = its_id AND (i.email = lower(identity) OR i.user_id = identity));
    RETURN QUERY
    SELECT s.* FROM sluice.signal AS s
    WHERE s.organization_id = its_id AND (s.email = lower(identity) OR s.user_id = identity
        OR s.anonymous_id = ANY (also || identity) OR s.product_user_id = identity
        OR s.crm_id = identity OR s.marketing_automation_id = identity OR s.phone = identity)
    UNION ALL
    SELECT p.* FROM sluice.signal_cold_storage AS c
    -- Columns by name, because a DBA may have added some to one of the tables.
    CROSS JOIN LATERAL jsonb_populate_record(NULL::sluice.signal, to_jsonb(c)) AS p
    WHERE c.organization_id = its_id AND c.anonymous_id = ANY (also || identity);
END
$$;
COMMENT ON FUNCTION sluice.person_signals(text, text) IS
    'The signals of an organization that name a person, staged and cold. identity: an email, a '
    'phone number or one of a signal''s ids. If it is an email or user id, the signals with '
    'anonymous ids seen together with it are included. Does not search rejected_payload. Raises '
    'P0002 for an unknown organization.';

CREATE OR REPLACE FUNCTION sluice.person_delete(actor text, organization_name text, identity text)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- Each row in the partition of its day, by the primary key.
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    its_id constant bigint := sluice.organization_id_of(organization_name);
    ids bigint[];
    times timestamptz[];
    visitors text[];
    staged_ids bigint[]; -- the others are cold
    staged_times timestamptz[];
BEGIN
    PERFORM sluice.check_name('actor', actor);
    SELECT array_agg(s.id), array_agg(s.received_at), array_agg(DISTINCT s.anonymous_id)
    INTO ids, times, visitors
    FROM sluice.person_signals(organization_name, identity) AS s;
    IF ids IS NULL THEN
        RETURN 0;
    END IF;
    WITH gone AS (
        DELETE FROM sluice.signal AS s USING unnest(ids, times) AS u (id, at)
        WHERE s.id = u.id AND s.organization_id = its_id AND s.received_at = u.at
        RETURNING s.id, s.received_at)
    SELECT coalesce(array_agg(g.id), '{}'), array_agg(g.received_at) INTO staged_ids, staged_times
    FROM gone AS g;
    DELETE FROM sluice.signal_cold_storage AS s USING unnest(ids, times) AS u (id, at)
    WHERE s.id = u.id AND s.organization_id = its_id AND s.received_at = u.at
        AND u.id <> ALL (staged_ids);
    DELETE FROM sluice.signal_result AS r USING unnest(staged_ids, staged_times) AS u (id, at)
    WHERE r.id = u.id AND r.organization_id = its_id AND r.received_at = u.at;
    DELETE FROM sluice.signal_queue AS q WHERE q.id = ANY (ids) AND q.organization_id = its_id;
    DELETE FROM sluice.identity AS i
    WHERE i.organization_id = its_id AND (i.email = lower(identity) OR i.user_id = identity
        OR i.anonymous_id = ANY (visitors || identity)
            AND (i.anonymous_id = identity OR i.signal_id = ANY (ids)));
    PERFORM sluice.audit(actor, its_id, 'person_delete', 'person', '', -- without the identity
        jsonb_build_object('signals', cardinality(ids)));
    RETURN cardinality(ids);
END
$$;
COMMENT ON FUNCTION sluice.person_delete(text, text, text) IS
    'Deletes what person_signals returns, together with its queue entries, results and identities, '
    'and returns how many signals. Message ids stay in delivery until they are pruned. The audit '
    'log records the deletion, but not the person.';

GRANT EXECUTE ON FUNCTION sluice.person_signals(text, text), sluice.person_delete(text, text, text)
TO sluice_admin;

RESET ROLE;

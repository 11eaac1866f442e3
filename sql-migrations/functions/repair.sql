-- What a restore can leave behind and what sluicectl migrate --repair mends of it, beside what the
-- re-appliable files set anyway. Re-appliable.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.sequences_behind()
RETURNS TABLE (sequence_name text, last_value bigint, used_value bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its record;
BEGIN
    FOR its IN
        -- Of identity columns, and those of several tables.
        SELECT d.objid AS sequence, d.refobjid AS relation, a.attname AS column_name
        FROM pg_depend AS d
        JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
        JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
            AND d.deptype = 'i' AND s.relnamespace = 'sluice'::regnamespace
        UNION ALL
        SELECT 'sluice.signal_id'::regclass, t.relation, 'id'
        FROM unnest(ARRAY['sluice.signal', 'sluice.signal_cold_storage',
            'sluice.product_org_update']::regclass[]) AS t (relation)
        UNION ALL VALUES
            ('sluice.rejected_payload_id'::regclass, 'sluice.rejected_payload'::regclass, 'id'),
            ('sluice.claim_id'::regclass, 'sluice.claim'::regclass, 'id')
    LOOP
        sequence_name := its.sequence::regclass::text;
        last_value := pg_sequence_last_value(its.sequence::regclass);
        EXECUTE format('SELECT max(%I) FROM %s', its.column_name, its.relation::regclass)
        INTO used_value;
        -- Of a block of ids the sequence gives the first.
        IF used_value >= coalesce(last_value, 0) + (SELECT q.seqincrement FROM pg_sequence AS q
            WHERE q.seqrelid = its.sequence)
        THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.sequences_behind() IS
    'The sequences that would give out what a table has already, as after a restore of data alone: the '
    'sequence, its last value, and the highest that is in use. For sluicectl check.';

CREATE OR REPLACE FUNCTION sluice.repair() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM setval(b.sequence_name::regclass, max(b.used_value))
    FROM sluice.sequences_behind() AS b GROUP BY b.sequence_name;
    IF EXISTS (SELECT FROM sluice.feed AS f, pg_control_system() AS c
        WHERE f.cluster <> c.system_identifier)
    THEN
        PERFORM sluice.adopt_cluster();
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.repair() IS
    'Advances sequences that are behind their tables, and takes the database over into the cluster it '
    'was restored into. For sluicectl migrate --repair.';

GRANT EXECUTE ON FUNCTION sluice.sequences_behind() TO sluice_reader;

RESET ROLE;

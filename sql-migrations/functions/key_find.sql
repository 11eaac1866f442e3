-- Finding a key by the key itself: by its hash, which is all that is sent and stored.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.key_find(key_hash bytea) RETURNS sluice.key_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_id bigint;
BEGIN
    SELECT k.id INTO found_id FROM sluice.api_key AS k WHERE k.key_hash = key_find.key_hash;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this key does not exist' USING ERRCODE = 'no_data_found';
    END IF;
    RETURN sluice.key_show(found_id);
END
$$;
COMMENT ON FUNCTION sluice.key_find(bytea) IS
    'The key with this SHA-256, as key_show returns it. Raises P0002 if there is none.';

CREATE OR REPLACE FUNCTION sluice.settings_key_find(user_name text, organization_id bigint,
    key_hash bytea) RETURNS sluice.key_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'editor');
    result constant sluice.key_overview := sluice.key_find(settings_key_find.key_hash);
BEGIN
    IF result.organization_id <> its_id THEN
        RAISE EXCEPTION 'this key does not exist' USING ERRCODE = 'no_data_found';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.settings_key_find(text, bigint, bytea) IS
    'Like key_find, of one organization''s keys. For editors, admins and owners. Raises P0002 if it '
    'has no such key, and as membership does.';

GRANT EXECUTE ON FUNCTION sluice.key_find(bytea) TO sluice_admin;
GRANT EXECUTE ON FUNCTION sluice.settings_key_find(text, bigint, bytea) TO sluice_settings;

RESET ROLE;

-- The networks from which a key may be used.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.read_network(network text) RETURNS cidr
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    address inet;
BEGIN
    BEGIN
        -- cidr itself would read 10.1 as 10.0.0.0/8.
        address := network::inet;
    EXCEPTION WHEN invalid_text_representation THEN
        NULL;
    END;
    IF address IS NULL THEN
        RAISE EXCEPTION '"%" is not a network, such as 192.0.2.0/24 or 2001:db8::/32',
            coalesce(left(network, 60), 'null')
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'networks';
    ELSIF address <> address::cidr THEN
        RAISE EXCEPTION '"%" has bits to the right of its mask; its network is %', network, address::cidr
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'networks';
    END IF;
    -- Workers pass an IPv4 address as one, however the web server writes it.
    IF address <<= '::ffff:0.0.0.0/96'::inet THEN
        address := set_masklen('0.0.0.0'::inet + (host(address)::inet - '::ffff:0.0.0.0'::inet),
            masklen(address) - 96);
    END IF;
    RETURN address;
END
$$;
COMMENT ON FUNCTION sluice.read_network(text) IS
    'A network, or an address, as a network of IPv4 or IPv6; an IPv4-mapped one is of IPv4. Raises '
    '22023 for anything else, with networks as the error''s column. Internal.';

CREATE OR REPLACE FUNCTION sluice.read_networks(networks text[]) RETURNS cidr[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF cardinality(networks) NOT BETWEEN 1 AND 200 THEN
        RAISE EXCEPTION 'networks must be 1 to 200 networks, or null for everywhere'
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'networks';
    END IF;
    RETURN (SELECT array_agg(DISTINCT sluice.read_network(n) ORDER BY sluice.read_network(n))
        FROM unnest(networks) AS n);
END
$$;
COMMENT ON FUNCTION sluice.read_networks(text[]) IS
    'A list of networks for api_key.networks, sorted, each once; null of null. Raises as '
    'read_network does, also for an empty list. Internal.';

CREATE OR REPLACE FUNCTION sluice.key_networks(actor text, id bigint, networks text[])
RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    new_networks constant cidr[] := sluice.read_networks(key_networks.networks);
    old record;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    SELECT k.organization_id, k.display, k.networks INTO old FROM sluice.api_key AS k
    WHERE k.id = key_networks.id FOR NO KEY UPDATE;
    IF FOUND AND old.networks IS DISTINCT FROM new_networks THEN
        UPDATE sluice.api_key AS k SET networks = new_networks WHERE k.id = key_networks.id;
        PERFORM sluice.audit(actor, old.organization_id, 'key_networks', 'api_key',
            key_networks.id::text, jsonb_build_object('display', old.display,
                'old_networks', old.networks, 'networks', new_networks));
    END IF;
    RETURN sluice.key_show(key_networks.id);
END
$$;
COMMENT ON FUNCTION sluice.key_networks(text, bigint, text[]) IS
    'Sets the networks from which a key may be used, 1 to 200 of IPv4 and IPv6 (null: from '
    'everywhere), also of a deactivated key, and returns the key as key_show does. Takes effect for '
    'requests that authenticate after the commit. Setting the same again changes nothing. Raises '
    'P0002 if there is no such key, 22023 for an invalid network.';

CREATE OR REPLACE FUNCTION sluice.is_allowed(key_id bigint, address inet) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT k.networks IS NULL OR coalesce(address <<= ANY (k.networks), false)
        FROM sluice.api_key AS k WHERE k.id = key_id);
END
$$;
COMMENT ON FUNCTION sluice.is_allowed(bigint, inet) IS
    'Whether a key works for a client with this address (null: not known), as far as its networks '
    'decide. Internal: called by intake.';

GRANT EXECUTE ON FUNCTION sluice.key_networks(text, bigint, text[]) TO sluice_admin;

RESET ROLE;

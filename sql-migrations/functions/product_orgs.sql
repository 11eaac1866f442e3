-- Product orgs: the current state of each, and its history, as JSON for the settings page and
-- sluicectl; and the currency that their money is in.

SET LOCAL ROLE sluice_owner;

-- ---- money ----

CREATE OR REPLACE FUNCTION sluice.currency_digits(currency text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE
        WHEN currency = ANY (string_to_array('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV '
            'XAF XOF XPF', ' ')) THEN 0
        WHEN currency = ANY (string_to_array('BHD IQD JOD KWD LYD OMR TND', ' ')) THEN 3
        WHEN currency = ANY (string_to_array('CLF UYW', ' ')) THEN 4
        WHEN currency = ANY (string_to_array('AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD '
            'BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB '
            'EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD '
            'KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU '
            'MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR '
            'RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB '
            'TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG', ' ')) THEN 2
    END;
END
$$;
COMMENT ON FUNCTION sluice.currency_digits(text) IS
    'How many digits an amount in a currency (a code of ISO 4217) has behind the point; null for '
    'what is no currency. Internal.';

CREATE OR REPLACE FUNCTION sluice.amount_text(amount bigint, currency text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN round(amount / (10::numeric ^ sluice.currency_digits(currency)),
        sluice.currency_digits(currency))::text;
END
$$;
COMMENT ON FUNCTION sluice.amount_text(bigint, text) IS
    'An amount in the smallest unit of a currency, written in the currency: 129900 in USD is '
    '1299.00, in JPY 129900. Internal.';

CREATE OR REPLACE FUNCTION sluice.currency_set(actor text, organization_id bigint, currency text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := currency_set.organization_id;
    its_currency constant text := upper(currency_set.currency);
    old text;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    IF sluice.currency_digits(its_currency) IS NULL THEN
        RAISE EXCEPTION '"%" is not a currency', coalesce(currency_set.currency, '')
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'currency',
                HINT = 'write its code of ISO 4217, such as EUR';
    END IF;
    SELECT o.currency INTO old FROM sluice.organization AS o WHERE o.id = its_id FOR NO KEY UPDATE;
    IF old <> its_currency THEN
        UPDATE sluice.organization AS o SET currency = its_currency WHERE o.id = its_id;
        PERFORM sluice.audit(actor, its_id, 'organization_currency', 'organization', its_id::text,
            jsonb_build_object('old_currency', old, 'currency', its_currency));
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.currency_set(text, bigint, text) IS
    'What organization_currency and settings_currency do. Internal.';

CREATE OR REPLACE FUNCTION sluice.organization_currency(actor text, organization_name text,
    currency text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.organization_id_of(organization_name);
BEGIN
    PERFORM sluice.currency_set(actor, its_id, organization_currency.currency);
    RETURN its_id;
END
$$;
COMMENT ON FUNCTION sluice.organization_currency(text, text, text) IS
    'Says which currency an organization''s money is in, and returns the organization''s id. Amounts '
    'stay as they were sent. Raises P0002 for an unknown organization, 22023 for what is no '
    'currency of ISO 4217.';

CREATE OR REPLACE FUNCTION sluice.settings_currency(user_name text, organization_id bigint,
    currency text) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'owner');
BEGIN
    PERFORM sluice.currency_set(user_name, its_id, settings_currency.currency);
    RETURN sluice.usage_of(its_id);
END
$$;
COMMENT ON FUNCTION sluice.settings_currency(text, bigint, text) IS
    'Like organization_currency; returns what usage_of does. For the owner. Raises as '
    'organization_currency and membership do.';

-- ---- updates (search_by_id.sql) ----
--
-- A filter is a JSON object whose members are texts:
--
--   identity        the id of the update, of its request or of its product org
--   product_org_id, request_id, trial_status
--   key             the id of a key
--   plan            the id or name of a plan
--   status          as in product_org_staging
--   from, until     when it was received: from then on; before then
--   text            is in the payload, in whatever case; needs from

CREATE OR REPLACE FUNCTION sluice.updates_condition(filter jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.condition_of_columns(filter, ARRAY['product_org_id', 'request_id', 'trial_status'])
        || sluice.condition_of_identity(filter, ARRAY['product_org_id', 'request_id'])
        || CASE WHEN filter ? 'plan' THEN ' AND $5 ->> ''plan'' IN (s.plan_id, s.plan_name)' ELSE '' END
        || sluice.condition_of_payload(filter)
        || sluice.condition_of_status(filter ->> 'status', 'product_org');
END
$$;
COMMENT ON FUNCTION sluice.updates_condition(jsonb) IS
    'What a filter asks of a row s of product_org_update, as SQL that holds nothing of its values but a '
    'status. Internal.';

CREATE OR REPLACE FUNCTION sluice.updates_shown(organization_id bigint, ids bigint[], times timestamptz[],
    whole boolean) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    currency constant text := (SELECT o.currency FROM sluice.organization AS o
        WHERE o.id = organization_id);
    result json;
BEGIN
    SELECT coalesce(json_agg(json_build_object(
            'id', p.id,
            'product_org_id', p.product_org_id,
            'name', p.name,
            'plan_id', p.plan_id,
            'plan_name', p.plan_name,
            'user_count', p.user_count,
            'mrr', p.mrr,
            'mrr_amount', sluice.amount_text(p.mrr, currency),
            'currency', currency,
            'trial_status', p.trial_status,
            'last_active_at', sluice.timestamp_text(p.last_active_at),
            'feature_flags', CASE WHEN whole THEN p.feature_flags::json ELSE sluice.shown(p.feature_flags) END,
            'custom', CASE WHEN whole THEN p.custom::json ELSE sluice.shown(p.custom) END,
            'warnings', coalesce(p.warnings, '[]'),
            'received_at', sluice.timestamp_text(p.received_at),
            'status', p.status,
            'error', p.error,
            'key_id', p.key_id,
            'key_name', k.name,
            'request_id', p.request_id,
            'payload', CASE WHEN whole THEN p.payload::json ELSE sluice.shown(p.payload) END)
        ORDER BY p.id DESC), '[]')
    INTO result
    FROM unnest(ids, times) AS h (id, received_at)
    CROSS JOIN LATERAL (SELECT * FROM sluice.product_org_staging AS t WHERE t.organization_id = organization_id
        AND t.id = h.id AND t.received_at = h.received_at LIMIT 1) AS p
    LEFT JOIN sluice.api_key AS k ON k.id = p.key_id;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.updates_shown(bigint, bigint[], timestamptz[], boolean) IS
    'An organization''s product-org updates, by their ids and times, as a JSON array, latest first. mrr is in '
    'the smallest unit of the currency, mrr_amount in the currency. Unless whole, values over 64 KiB are '
    'null. Internal.';

CREATE OR REPLACE FUNCTION sluice.product_orgs_of(organization_id bigint, filter jsonb, before bigint,
    max_rows integer, whole boolean DEFAULT false, budget interval DEFAULT '400 milliseconds') RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hits record;
BEGIN
    PERFORM sluice.check_search(filter, ARRAY['identity', 'product_org_id', 'request_id', 'trial_status', 'key',
        'plan', 'status', 'from', 'until', 'text']);
    hits := sluice.found_by_id('product_org_update', sluice.updates_condition(filter),
        CASE WHEN filter ? 'text' THEN 'pg_column_size(s.payload)' END, organization_id, filter, before, max_rows,
        budget);
    RETURN json_build_object(
        'product_orgs', sluice.updates_shown(organization_id, hits.ids, hits.times, whole),
        'next', hits.next,
        'searched_until', sluice.timestamp_text(hits.searched_until));
END
$$;
COMMENT ON FUNCTION sluice.product_orgs_of(bigint, jsonb, bigint, integer, boolean, interval) IS
    'An organization''s product-org updates that a filter lets through, as a JSON object: up to max_rows, '
    'latest first, as in updates_shown, with ids below before. With "next", there may be more: so far what '
    'was received since searched_until has been searched. Raises 22023 for a filter that cannot be used. '
    'Internal.';

CREATE OR REPLACE FUNCTION sluice.product_orgs_latest(organization_name text, filter jsonb, before bigint,
    max_rows integer, whole boolean DEFAULT false) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.product_orgs_of(sluice.organization_id_of(organization_name), coalesce(filter, '{}'), before,
        max_rows, coalesce(whole, false), interval '10 seconds');
END
$$;
COMMENT ON FUNCTION sluice.product_orgs_latest(text, jsonb, bigint, integer, boolean) IS
    'Like product_orgs_of, by the organization''s name, for up to ten seconds. Raises P0002 if there is none.';

CREATE OR REPLACE FUNCTION sluice.settings_product_orgs(user_name text, organization_id bigint, filter jsonb,
    before bigint, max_rows integer, whole boolean DEFAULT false) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.product_orgs_of(sluice.membership(user_name, organization_id, 'viewer'), filter, before,
        least(max_rows, 100), coalesce(whole, false));
END
$$;
COMMENT ON FUNCTION sluice.settings_product_orgs(text, bigint, jsonb, bigint, integer, boolean) IS
    'Like product_orgs_of, at most 100. For all members. Raises as product_orgs_of and membership do.';

-- ---- current states ----

-- It goes through headers and addresses, and an id may hold anything.
CREATE OR REPLACE FUNCTION sluice.read_next(next text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(convert_from(decode(next, 'hex'), 'UTF8'), '');
EXCEPTION WHEN data_exception THEN
    RAISE EXCEPTION 'is not the "next" of an answer'
        USING ERRCODE = 'invalid_parameter_value', COLUMN = 'before';
END
$$;
COMMENT ON FUNCTION sluice.read_next(text) IS
    'The id in a "next" of product_org_states_of; empty for null. Raises 22023 for any other text. '
    'Internal.';

CREATE OR REPLACE FUNCTION sluice.product_org_states_of(organization_id bigint, before text, max_rows integer,
    product_org_id text, match text, plan text, trial_status text) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    currency constant text := (SELECT o.currency FROM sluice.organization AS o
        WHERE o.id = organization_id);
    behind constant text := sluice.read_next(before);
    result json;
BEGIN
    WITH looked AS MATERIALIZED (
        SELECT c.* FROM sluice.product_org_current AS c
        WHERE c.organization_id = organization_id
            AND c.product_org_id > behind
            AND (product_org_id IS NULL OR c.product_org_id = product_org_id)
            AND (match IS NULL OR strpos(lower(concat_ws(E'\n', c.product_org_id, c.name, c.plan_id,
                c.plan_name)), lower(match)) > 0)
            AND (plan IS NULL OR plan IN (c.plan_id, c.plan_name))
            AND (trial_status IS NULL OR c.trial_status = trial_status)
        ORDER BY c.product_org_id
        LIMIT max_rows + 1
    ), hit AS (
        SELECT * FROM looked AS l ORDER BY l.product_org_id LIMIT max_rows
    )
    SELECT json_build_object(
        'product_orgs', (SELECT coalesce(json_agg(json_build_object(
                'product_org_id', h.product_org_id,
                'name', h.name,
                'plan_id', h.plan_id,
                'plan_name', h.plan_name,
                'user_count', h.user_count,
                'mrr', h.mrr,
                'mrr_amount', sluice.amount_text(h.mrr, currency),
                'currency', currency,
                'trial_status', h.trial_status,
                'last_active_at', sluice.timestamp_text(h.last_active_at),
                'feature_flags', sluice.shown(h.feature_flags),
                'custom', sluice.shown(h.custom),
                'received_at', sluice.timestamp_text(h.received_at),
                'id', h.id,
                'key_id', h.key_id,
                'key_name', k.name)
            ORDER BY h.product_org_id), '[]')
            FROM hit AS h LEFT JOIN sluice.api_key AS k ON k.id = h.key_id),
        'next', CASE WHEN (SELECT count(*) FROM looked) > max_rows
            THEN encode(convert_to((SELECT max(h.product_org_id) FROM hit AS h), 'UTF8'), 'hex') END)
    INTO result;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.product_org_states_of(bigint, text, integer, text, text, text, text) IS
    'The current state of an organization''s product orgs, as in product_org_current, by their ids, '
    'as a JSON object: up to max_rows behind the "next" of an earlier answer. Of one product org; with match in its '
    'id, name or plan, in whatever case; with this plan (its id or name) and trial status; what is '
    'null leaves all. mrr is in the smallest unit of the currency, mrr_amount in the currency. '
    'Raises 22023 for a before that is no "next". Internal.';

CREATE OR REPLACE FUNCTION sluice.product_org_states(organization_name text, before text, max_rows integer,
    product_org_id text, match text, plan text, trial_status text) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.product_org_states_of(sluice.organization_id_of(organization_name), before, max_rows,
        product_org_id, match, plan, trial_status);
END
$$;
COMMENT ON FUNCTION sluice.product_org_states(text, text, integer, text, text, text, text) IS
    'Like product_org_states_of, by the organization''s name. Raises P0002 if there is none.';

CREATE OR REPLACE FUNCTION sluice.product_org_show(organization_name text, product_org_id text,
    before bigint, max_rows integer) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.organization_id_of(organization_name);
    state constant json := sluice.product_org_states_of(its_id, NULL, 1,
        product_org_show.product_org_id, NULL, NULL, NULL) -> 'product_orgs' -> 0;
    updates constant json := sluice.product_orgs_of(its_id, jsonb_build_object('product_org_id',
        product_org_show.product_org_id), before, max_rows, budget => '10 seconds');
BEGIN
    IF state IS NULL THEN
        RAISE EXCEPTION 'organization "%" has no product org "%"', organization_name,
            product_org_show.product_org_id USING ERRCODE = 'no_data_found';
    END IF;
    RETURN json_build_object('product_org', state, 'updates', updates -> 'product_orgs',
        'next', updates -> 'next');
END
$$;
COMMENT ON FUNCTION sluice.product_org_show(text, text, bigint, integer) IS
    'The current state of a product org and its updates, as in product_org_states_of and '
    'product_orgs_of, as a JSON object. Raises P0002 without the organization or the product org.';

CREATE OR REPLACE FUNCTION sluice.settings_product_org_states(user_name text, organization_id bigint,
    before text, max_rows integer, product_org_id text, match text, plan text, trial_status text)
RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.product_org_states_of(sluice.membership(user_name, organization_id, 'viewer'),
        before, least(max_rows, 100), product_org_id, match, plan, trial_status);
END
$$;
COMMENT ON FUNCTION sluice.settings_product_org_states(text, bigint, text, integer, text, text, text,
    text) IS
    'Like product_org_states_of, at most 100. For all members. Raises as membership does.';

GRANT EXECUTE ON FUNCTION
    sluice.organization_currency(text, text, text),
    sluice.product_orgs_latest(text, jsonb, bigint, integer, boolean),
    sluice.product_org_states(text, text, integer, text, text, text, text),
    sluice.product_org_show(text, text, bigint, integer)
TO sluice_admin;
GRANT EXECUTE ON FUNCTION
    sluice.settings_currency(text, bigint, text),
    sluice.settings_product_orgs(text, bigint, jsonb, bigint, integer, boolean),
    sluice.settings_product_org_states(text, bigint, text, integer, text, text, text, text)
TO sluice_settings;

RESET ROLE;

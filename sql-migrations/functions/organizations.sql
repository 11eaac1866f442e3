-- Organizations, their limits and members; the audit log.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.organization_id_of(organization_name text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_id bigint;
BEGIN
    SELECT o.id INTO found_id FROM sluice.organization AS o
    WHERE o.name = organization_id_of.organization_name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'organization "%" does not exist', organization_name
            USING ERRCODE = 'no_data_found';
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION sluice.organization_id_of(text) IS
    'The id of the organization with this name. Raises P0002 if there is none. Internal.';

CREATE OR REPLACE FUNCTION sluice.check_name(what text, value text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF value IS NULL OR value = '' THEN
        RAISE EXCEPTION '% is missing', what USING ERRCODE = 'invalid_parameter_value';
    ELSIF char_length(value) > 200 THEN
        RAISE EXCEPTION '% is longer than 200 characters', what
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF value ~ '[[:cntrl:]]' THEN
        RAISE EXCEPTION '% contains a control character', what
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.check_name(text, text) IS
    'Raises 22023 unless the value has 1 to 200 characters and no control character. what: what '
    'the message calls it. Internal.';

CREATE OR REPLACE FUNCTION sluice.audit(actor text, organization_id bigint, action text, object_kind text,
    object_id text, details jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_name('actor', actor);
    INSERT INTO sluice.audit_log (organization_id, actor, action, object_kind, object_id, details)
    VALUES (audit.organization_id, audit.actor, audit.action, audit.object_kind, audit.object_id,
        coalesce(audit.details, '{}'));
END
$$;
COMMENT ON FUNCTION sluice.audit(text, bigint, text, text, text, jsonb) IS
    'Adds a row to audit_log, in the transaction of the change. Raises 22023 if the actor is '
    'missing. Internal.';

CREATE OR REPLACE FUNCTION sluice.organization_create(actor text, name text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    new_id bigint;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    PERFORM sluice.check_name('organization name', organization_create.name);
    INSERT INTO sluice.organization AS o (name, created_by)
    VALUES (organization_create.name, actor)
    ON CONFLICT ON CONSTRAINT organization_name_key DO NOTHING
    RETURNING o.id INTO new_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'organization "%" already exists', organization_create.name
            USING ERRCODE = 'unique_violation';
    END IF;
    PERFORM sluice.audit(actor, new_id, 'organization_create', 'organization', new_id::text,
        jsonb_build_object('name', organization_create.name));
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION sluice.organization_create(text, text) IS
    'Creates an organization and returns its id. Raises 23505 if the name is taken, 22023 for an '
    'invalid name or actor.';

CREATE OR REPLACE FUNCTION sluice.organization_rename(actor text, organization_name text, name text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.organization_id_of(organization_name);
BEGIN
    PERFORM sluice.check_name('actor', actor);
    PERFORM sluice.check_name('organization name', organization_rename.name);
    IF organization_rename.name = organization_name THEN
        RETURN its_id;
    END IF;
    BEGIN
        UPDATE sluice.organization AS o SET name = organization_rename.name WHERE o.id = its_id;
    EXCEPTION WHEN unique_violation THEN
        RAISE EXCEPTION 'organization "%" already exists', organization_rename.name
            USING ERRCODE = 'unique_violation';
    END;
    PERFORM sluice.audit(actor, its_id, 'organization_rename', 'organization', its_id::text,
        jsonb_build_object('old_name', organization_name, 'name', organization_rename.name));
    RETURN its_id;
END
$$;
COMMENT ON FUNCTION sluice.organization_rename(text, text, text) IS
    'Gives an organization another name and returns its id. Raises P0002 for an unknown '
    'organization, 23505 if the name is taken, 22023 for an invalid name or actor.';

CREATE OR REPLACE FUNCTION sluice.organization_list()
RETURNS TABLE (id bigint, name text, created_at timestamptz, created_by text, members bigint,
    keys bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT o.id, o.name, o.created_at, o.created_by,
        (SELECT count(*) FROM sluice.member AS m WHERE m.organization_id = o.id),
        (SELECT count(*) FROM sluice.api_key AS k
            WHERE k.organization_id = o.id AND k.deactivated_at IS NULL)
    FROM sluice.organization AS o
    ORDER BY o.name;
END;
COMMENT ON FUNCTION sluice.organization_list() IS
    'All organizations by name, with the number of their members and of their keys that are not '
    'deactivated.';

CREATE OR REPLACE FUNCTION sluice.organization_limit(actor text, name text, signal_limit bigint,
    overages boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint := sluice.organization_id_of(organization_limit.name);
    old record;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    IF organization_limit.signal_limit < 0 THEN
        RAISE EXCEPTION 'a limit is not negative' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT o.signal_limit, o.overages INTO old FROM sluice.organization AS o
    WHERE o.id = its_id FOR NO KEY UPDATE;
    UPDATE sluice.organization AS o
    SET signal_limit = coalesce(organization_limit.signal_limit, o.signal_limit),
        overages = coalesce(organization_limit.overages, o.overages)
    WHERE o.id = its_id;
    UPDATE sluice.api_key AS k
    SET limited = o.signal_limit > 0 AND NOT o.overages
    FROM sluice.organization AS o
    WHERE o.id = its_id AND k.organization_id = its_id
        AND k.limited <> (o.signal_limit > 0 AND NOT o.overages);
    PERFORM sluice.audit(actor, its_id, 'organization_limit', 'organization', its_id::text,
        jsonb_build_object('old_signal_limit', old.signal_limit, 'old_overages', old.overages,
            'signal_limit', coalesce(organization_limit.signal_limit, old.signal_limit),
            'overages', coalesce(organization_limit.overages, old.overages)));
END
$$;
COMMENT ON FUNCTION sluice.organization_limit(text, text, bigint, boolean) IS
    'Sets how many signals an organization may use each month (0: no limit) and whether it may go '
    'over. Null leaves a value as it is. Takes effect for requests that authenticate after the '
    'commit. Raises P0002 for an unknown organization, 22023 for a negative limit.';

CREATE OR REPLACE FUNCTION sluice.member_add(actor text, organization_name text, user_name text, role text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint;
    owner_name text;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    PERFORM sluice.check_name('user name', member_add.user_name);
    IF member_add.role IS NULL
        OR member_add.role <> ALL (enum_range(NULL::sluice.member_role)::text[])
    THEN
        RAISE EXCEPTION 'role must be owner, admin, editor or viewer'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    its_id := sluice.organization_id_of(organization_name);
    -- No arbiter: the conflict may be with either unique index.
    INSERT INTO sluice.member (organization_id, user_name, role, added_by)
    VALUES (its_id, member_add.user_name, member_add.role::sluice.member_role, actor)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT m.user_name INTO owner_name FROM sluice.member AS m
        WHERE m.organization_id = its_id AND m.role = 'owner'
            AND m.user_name <> member_add.user_name AND member_add.role = 'owner';
        IF FOUND THEN
            RAISE EXCEPTION 'organization "%" already has the owner "%"', organization_name,
                owner_name USING ERRCODE = 'unique_violation';
        END IF;
        RAISE EXCEPTION 'user "%" is already a member of organization "%"', member_add.user_name,
            organization_name USING ERRCODE = 'unique_violation';
    END IF;
    PERFORM sluice.audit(actor, its_id, 'member_add', 'member', member_add.user_name,
        jsonb_build_object('role', member_add.role));
END
$$;
COMMENT ON FUNCTION sluice.member_add(text, text, text, text) IS
    'Makes a user a member of an organization. Raises 23505 if the user is a member or the '
    'organization has an owner already, P0002 for an unknown organization, 22023 for an invalid '
    'value. To change a role, remove the member and add it again.';

CREATE OR REPLACE FUNCTION sluice.member_list(organization_name text)
RETURNS TABLE (user_name text, role text, added_at timestamptz, added_by text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint := sluice.organization_id_of(organization_name);
BEGIN
    RETURN QUERY
    SELECT m.user_name, m.role::text, m.added_at, m.added_by
    FROM sluice.member AS m
    WHERE m.organization_id = its_id
    ORDER BY m.role DESC, m.user_name;
END
$$;
COMMENT ON FUNCTION sluice.member_list(text) IS
    'The members of an organization, the owner first. Raises P0002 for an unknown organization.';

CREATE OR REPLACE FUNCTION sluice.member_remove(actor text, organization_name text, user_name text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint;
    old_role text;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    its_id := sluice.organization_id_of(organization_name);
    DELETE FROM sluice.member AS m
    WHERE m.organization_id = its_id AND m.user_name = member_remove.user_name
    RETURNING m.role::text INTO old_role;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'user "%" is not a member of organization "%"', member_remove.user_name,
            organization_name USING ERRCODE = 'no_data_found';
    END IF;
    PERFORM sluice.audit(actor, its_id, 'member_remove', 'member', member_remove.user_name,
        jsonb_build_object('role', old_role));
END
$$;
COMMENT ON FUNCTION sluice.member_remove(text, text, text) IS
    'Removes a member from an organization. Raises P0002 if there is no such member.';

GRANT EXECUTE ON FUNCTION
    sluice.organization_create(text, text),
    sluice.organization_rename(text, text, text),
    sluice.organization_list(),
    sluice.organization_limit(text, text, bigint, boolean),
    sluice.member_add(text, text, text, text),
    sluice.member_list(text),
    sluice.member_remove(text, text, text)
TO sluice_admin;

RESET ROLE;

-- Organizations, their limits and members; the audit log.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.tidy_name(value text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN btrim(value, E' \t\n\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009'
    '\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff');
COMMENT ON FUNCTION sluice.tidy_name(text) IS
    'A name without white space at its ends, which nobody sees and which comes with copying. '
    'Internal.';

CREATE OR REPLACE FUNCTION sluice.organization_id_of(organization_name text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_id bigint;
BEGIN
    SELECT o.id INTO found_id FROM sluice.organization AS o
    WHERE o.name = organization_id_of.organization_name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'organization "%" does not exist', organization_name
            USING ERRCODE = 'no_data_found', HINT = coalesce((
                SELECT format('did you mean "%s"?', o.name) FROM sluice.organization AS o
                WHERE lower(o.name) = lower(sluice.tidy_name(organization_name))), '');
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

-- What the settings service gives as the user name of a request with a token: so the database checks
-- the token in the transaction of the change, and the audit log names it.
CREATE OR REPLACE FUNCTION sluice.token_id_of(user_name text) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CAST(substring(user_name FROM '^token:([0-9]{1,18}):') AS bigint);
END;
COMMENT ON FUNCTION sluice.token_id_of(text) IS
    'The id in "token:ID:USER"; null of any other user name. Internal.';

CREATE OR REPLACE FUNCTION sluice.audit(actor text, organization_id bigint, action text, object_kind text,
    object_id text, details jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_name('actor', actor);
    INSERT INTO sluice.audit_log (organization_id, actor, action, object_kind, object_id, details)
    VALUES (audit.organization_id, audit.actor, audit.action, audit.object_kind, audit.object_id,
        coalesce(audit.details, '{}') || coalesce((SELECT jsonb_build_object('token', t.name)
            FROM sluice.api_token AS t WHERE t.id = sluice.token_id_of(audit.actor)), '{}'));
END
$$;
COMMENT ON FUNCTION sluice.audit(text, bigint, text, text, text, jsonb) IS
    'Adds a row to audit_log, in the transaction of the change, with the name of the token if the '
    'actor is one. Raises 22023 if the actor is missing. Internal.';

CREATE OR REPLACE FUNCTION sluice.refuse_taken_name(name text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- As it is written there: it may differ in case.
    RAISE EXCEPTION 'organization "%" already exists', coalesce((
        SELECT o.name FROM sluice.organization AS o
        WHERE lower(o.name) = lower(refuse_taken_name.name)), refuse_taken_name.name)
        USING ERRCODE = 'unique_violation';
END
$$;
COMMENT ON FUNCTION sluice.refuse_taken_name(text) IS
    'Raises 23505 and names the organization that has this name. Internal.';

CREATE OR REPLACE FUNCTION sluice.organization_create(actor text, name text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_name constant text := sluice.tidy_name(organization_create.name);
    new_id bigint;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    PERFORM sluice.check_name('organization name', its_name);
    INSERT INTO sluice.organization AS o (name, created_by)
    VALUES (its_name, actor)
    ON CONFLICT DO NOTHING
    RETURNING o.id INTO new_id;
    IF NOT FOUND THEN
        PERFORM sluice.refuse_taken_name(its_name);
    END IF;
    PERFORM sluice.audit(actor, new_id, 'organization_create', 'organization', new_id::text,
        jsonb_build_object('name', its_name));
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION sluice.organization_create(text, text) IS
    'Creates an organization and returns its id. The name is stored without white space at its '
    'ends. Raises 23505 if it is taken, in whatever case, 22023 for an invalid name or actor.';

CREATE OR REPLACE FUNCTION sluice.organization_rename(actor text, organization_name text, name text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.organization_id_of(organization_name);
    its_name constant text := sluice.tidy_name(organization_rename.name);
BEGIN
    PERFORM sluice.check_name('actor', actor);
    PERFORM sluice.check_name('organization name', its_name);
    IF its_name = organization_name THEN
        RETURN its_id;
    END IF;
    BEGIN
        UPDATE sluice.organization AS o SET name = its_name WHERE o.id = its_id;
    EXCEPTION WHEN unique_violation THEN
        PERFORM sluice.refuse_taken_name(its_name);
    END;
    PERFORM sluice.audit(actor, its_id, 'organization_rename', 'organization', its_id::text,
        jsonb_build_object('old_name', organization_name, 'name', its_name));
    RETURN its_id;
END
$$;
COMMENT ON FUNCTION sluice.organization_rename(text, text, text) IS
    'Gives an organization another name, by the rules of organization_create, and returns its id. '
    'Raises P0002 for an unknown organization, 23505 if the name is taken, 22023 for an invalid '
    'name or actor.';

CREATE OR REPLACE FUNCTION sluice.organization_list()
RETURNS TABLE (id bigint, name text, currency text, created_at timestamptz, created_by text,
    members bigint, keys bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT o.id, o.name, o.currency, o.created_at, o.created_by,
        (SELECT count(*) FROM sluice.member AS m WHERE m.organization_id = o.id),
        (SELECT count(*) FROM sluice.api_key AS k
            WHERE k.organization_id = o.id AND k.deactivated_at IS NULL)
    FROM sluice.organization AS o
    ORDER BY o.name;
END;
COMMENT ON FUNCTION sluice.organization_list() IS
    'All organizations by name, with the number of their members and of their keys that are not '
    'deactivated.';

-- The settings service passes the organization's id, sluicectl its name.
CREATE OR REPLACE FUNCTION sluice.limit_set(actor text, organization_id bigint, signal_limit bigint,
    overages boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := limit_set.organization_id;
    old record;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    IF limit_set.signal_limit < 0 THEN
        RAISE EXCEPTION 'a limit is not negative'
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'signal_limit';
    END IF;
    SELECT o.signal_limit, o.overages INTO old FROM sluice.organization AS o
    WHERE o.id = its_id FOR NO KEY UPDATE;
    UPDATE sluice.organization AS o
    SET signal_limit = coalesce(limit_set.signal_limit, o.signal_limit),
        overages = coalesce(limit_set.overages, o.overages)
    WHERE o.id = its_id;
    UPDATE sluice.api_key AS k
    SET limited = o.signal_limit > 0 AND NOT o.overages
    FROM sluice.organization AS o
    WHERE o.id = its_id AND k.organization_id = its_id
        AND k.limited <> (o.signal_limit > 0 AND NOT o.overages);
    PERFORM sluice.audit(actor, its_id, 'organization_limit', 'organization', its_id::text,
        jsonb_build_object('old_signal_limit', old.signal_limit, 'old_overages', old.overages,
            'signal_limit', coalesce(limit_set.signal_limit, old.signal_limit),
            'overages', coalesce(limit_set.overages, old.overages)));
END
$$;
COMMENT ON FUNCTION sluice.limit_set(text, bigint, bigint, boolean) IS
    'What organization_limit and settings_limit do. Internal.';

CREATE OR REPLACE FUNCTION sluice.organization_limit(actor text, name text, signal_limit bigint,
    overages boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.limit_set(actor, sluice.organization_id_of(organization_limit.name),
        organization_limit.signal_limit, organization_limit.overages);
END
$$;
COMMENT ON FUNCTION sluice.organization_limit(text, text, bigint, boolean) IS
    'Sets how many signals an organization may use each month (0: no limit) and whether it may go '
    'over. Null leaves a value as it is. Takes effect for requests that authenticate after the '
    'commit. Raises P0002 for an unknown organization, 22023 for a negative limit.';

CREATE OR REPLACE FUNCTION sluice.check_role(role text) RETURNS sluice.member_role
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF role IS NULL OR role <> ALL (enum_range(NULL::sluice.member_role)::text[]) THEN
        RAISE EXCEPTION 'role must be owner, admin, editor or viewer'
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'role';
    END IF;
    RETURN role::sluice.member_role;
END
$$;
COMMENT ON FUNCTION sluice.check_role(text) IS
    'A role by its name. Raises 22023 for another text. Internal.';

CREATE OR REPLACE FUNCTION sluice.member_insert(actor text, organization_id bigint, user_name text,
    role text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_name constant text := (SELECT o.name FROM sluice.organization AS o
        WHERE o.id = member_insert.organization_id);
    owner_name text;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    BEGIN
        PERFORM sluice.check_name('user name', member_insert.user_name);
    EXCEPTION WHEN invalid_parameter_value THEN
        RAISE EXCEPTION '%', SQLERRM USING ERRCODE = 'invalid_parameter_value', COLUMN = 'user';
    END;
    IF sluice.token_id_of(member_insert.user_name) IS NOT NULL THEN
        RAISE EXCEPTION 'user name looks like a token of the settings API'
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'user';
    END IF;
    -- No arbiter: the conflict may be with either unique index.
    INSERT INTO sluice.member (organization_id, user_name, role, added_by)
    VALUES (member_insert.organization_id, member_insert.user_name,
        sluice.check_role(member_insert.role), actor)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT m.user_name INTO owner_name FROM sluice.member AS m
        WHERE m.organization_id = member_insert.organization_id AND m.role = 'owner'
            AND m.user_name <> member_insert.user_name AND member_insert.role = 'owner';
        IF FOUND THEN
            RAISE EXCEPTION 'organization "%" already has the owner "%"', its_name, owner_name
                USING ERRCODE = 'unique_violation';
        END IF;
        RAISE EXCEPTION 'user "%" is already a member of organization "%"',
            member_insert.user_name, its_name USING ERRCODE = 'unique_violation';
    END IF;
    PERFORM sluice.audit(actor, member_insert.organization_id, 'member_add', 'member',
        member_insert.user_name, jsonb_build_object('role', member_insert.role));
END
$$;
COMMENT ON FUNCTION sluice.member_insert(text, bigint, text, text) IS
    'What member_add and settings_member_add do. Internal.';

CREATE OR REPLACE FUNCTION sluice.member_add(actor text, organization_name text, user_name text, role text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_role(member_add.role);
    PERFORM sluice.member_insert(actor, sluice.organization_id_of(organization_name),
        member_add.user_name, member_add.role);
END
$$;
COMMENT ON FUNCTION sluice.member_add(text, text, text, text) IS
    'Makes a user a member of an organization. Raises 23505 if the user is a member or the '
    'organization has an owner already, P0002 for an unknown organization, 22023 for an invalid '
    'value. member_role_set changes a role.';

CREATE OR REPLACE FUNCTION sluice.member_list(organization_name text, before text DEFAULT NULL,
    max_rows integer DEFAULT NULL, match text DEFAULT NULL, only_role text DEFAULT NULL)
RETURNS TABLE (user_name text, role text, added_at timestamptz, added_by text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT m.user_name, m.role::text, m.added_at, m.added_by
    FROM sluice.members_of(sluice.organization_id_of(organization_name), member_list.before,
        member_list.max_rows, member_list.match, only_role) AS m;
END
$$;
COMMENT ON FUNCTION sluice.member_list(text, text, integer, text, text) IS
    'Like members_of, by the organization''s name. Raises P0002 for an unknown organization.';

-- All changes of an organization's members but additions lock its row, so that each sees the one
-- before.
CREATE OR REPLACE FUNCTION sluice.member_to_change(organization_id bigint, user_name text)
RETURNS sluice.member_role
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_name text;
    its_role sluice.member_role;
BEGIN
    SELECT o.name INTO its_name FROM sluice.organization AS o
    WHERE o.id = member_to_change.organization_id FOR NO KEY UPDATE;
    SELECT m.role INTO its_role FROM sluice.member AS m
    WHERE m.organization_id = member_to_change.organization_id
        AND m.user_name = member_to_change.user_name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'user "%" is not a member of organization "%"',
            member_to_change.user_name, its_name USING ERRCODE = 'no_data_found';
    END IF;
    RETURN its_role;
END
$$;
COMMENT ON FUNCTION sluice.member_to_change(bigint, text) IS
    'The role of a member, whose organization is locked until the end of the transaction. Raises '
    'P0002 if there is no such member. Internal.';

CREATE OR REPLACE FUNCTION sluice.member_delete(actor text, organization_id bigint, user_name text)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_role constant sluice.member_role := sluice.member_to_change(member_delete.organization_id,
        member_delete.user_name);
    ended_at constant timestamptz := clock_timestamp();
    revoked integer;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    IF its_role = 'owner' THEN
        RAISE EXCEPTION 'the owner cannot be removed' USING ERRCODE = 'SL004',
            HINT = 'make another member the owner first';
    END IF;
    DELETE FROM sluice.member AS m
    WHERE m.organization_id = member_delete.organization_id
        AND m.user_name = member_delete.user_name;
    -- For good, even if the user becomes a member again.
    WITH ended AS (
        UPDATE sluice.api_token AS t SET revoked_at = ended_at, revoked_by = actor
        WHERE t.organization_id = member_delete.organization_id
            AND t.user_name = member_delete.user_name AND t.revoked_at IS NULL
        RETURNING t.id)
    SELECT count(*) INTO revoked FROM ended;
    PERFORM sluice.audit(actor, member_delete.organization_id, 'member_remove', 'member',
        member_delete.user_name, jsonb_strip_nulls(jsonb_build_object('role', its_role,
            'revoked_tokens', nullif(revoked, 0))));
END
$$;
COMMENT ON FUNCTION sluice.member_delete(text, bigint, text) IS
    'What member_remove and settings_member_remove do. Internal.';

CREATE OR REPLACE FUNCTION sluice.member_remove(actor text, organization_name text, user_name text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.member_delete(actor, sluice.organization_id_of(organization_name),
        member_remove.user_name);
END
$$;
COMMENT ON FUNCTION sluice.member_remove(text, text, text) IS
    'Removes a member from an organization, and revokes its tokens there. Raises P0002 if there is no such member, SL004 for the '
    'owner: another member becomes it first (member_role_set).';

GRANT EXECUTE ON FUNCTION
    sluice.organization_create(text, text),
    sluice.organization_rename(text, text, text),
    sluice.organization_list(),
    sluice.organization_limit(text, text, bigint, boolean),
    sluice.member_add(text, text, text, text),
    sluice.member_list(text, text, integer, text, text),
    sluice.member_remove(text, text, text)
TO sluice_admin;

RESET ROLE;

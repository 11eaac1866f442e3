-- Members, as the settings service changes them: who may do what is decided here.
--
-- The owner manages all members, an admin those below admin. Every member may leave, but the owner:
-- an organization has one at any time, and ownership passes on in one step.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.member_role_set(actor text, organization_name text, user_name text,
    role text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.organization_id_of(organization_name);
BEGIN
    PERFORM sluice.member_change(actor, its_id, member_role_set.user_name, member_role_set.role);
END
$$;
COMMENT ON FUNCTION sluice.member_role_set(text, text, text, text) IS
    'Gives a member another role. Role owner passes the ownership on: the owner until then becomes '
    'an admin. Raises P0002 if there is no such member or organization, SL004 for another role of '
    'the owner, 22023 for an invalid value.';

CREATE OR REPLACE FUNCTION sluice.member_change(actor text, organization_id bigint, user_name text,
    role text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    new_role constant sluice.member_role := sluice.check_role(member_change.role);
    old_role constant sluice.member_role := sluice.member_to_change(member_change.organization_id,
        member_change.user_name);
    former text;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    IF old_role = new_role THEN
        RETURN;
    ELSIF old_role = 'owner' THEN
        RAISE EXCEPTION 'an organization needs an owner' USING ERRCODE = 'SL004',
            HINT = 'make another member the owner: the present one becomes an admin';
    ELSIF new_role = 'owner' THEN
        UPDATE sluice.member AS m SET role = 'admin'
        WHERE m.organization_id = member_change.organization_id AND m.role = 'owner'
        RETURNING m.user_name INTO former;
    END IF;
    UPDATE sluice.member AS m SET role = new_role
    WHERE m.organization_id = member_change.organization_id
        AND m.user_name = member_change.user_name;
    PERFORM sluice.audit(actor, member_change.organization_id, 'member_role', 'member',
        member_change.user_name, jsonb_strip_nulls(jsonb_build_object('old_role', old_role,
            'role', new_role, 'former_owner', former)));
END
$$;
COMMENT ON FUNCTION sluice.member_change(text, bigint, text, text) IS
    'What member_role_set and settings_member_role do. Internal.';

-- ---- the list ----

-- It goes through addresses, and a name may hold anything.
CREATE OR REPLACE FUNCTION sluice.next_member(its sluice.member) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN encode(convert_to(its.role || ' ' || its.user_name, 'UTF8'), 'hex');
END
$$;
COMMENT ON FUNCTION sluice.next_member(sluice.member) IS
    'The place of a member in members_of, as its before. Internal.';

CREATE OR REPLACE FUNCTION sluice.members_of(organization_id bigint, before text, max_rows integer,
    match text, role text) RETURNS SETOF sluice.member
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    place constant text := sluice.read_next(before);
    last_role sluice.member_role;
    last_name constant text := substr(place, strpos(place, ' ') + 1);
BEGIN
    BEGIN
        last_role := nullif(split_part(place, ' ', 1), '')::sluice.member_role;
    EXCEPTION WHEN data_exception THEN
        RAISE EXCEPTION 'is not the "next" of an answer'
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'before';
    END;
    RETURN QUERY
    SELECT * FROM sluice.member AS m
    WHERE m.organization_id = organization_id
        AND (last_role IS NULL OR m.role < last_role
            OR m.role = last_role AND m.user_name > last_name)
        AND (match IS NULL OR strpos(lower(m.user_name), lower(match)) > 0)
        AND (role IS NULL OR m.role::text = role)
    ORDER BY m.role DESC, m.user_name
    LIMIT max_rows;
END
$$;
COMMENT ON FUNCTION sluice.members_of(bigint, text, integer, text, text) IS
    'An organization''s members, the owner first: up to max_rows behind the next_member of another; '
    'with match in the name, in whatever case; in this role; what is null leaves all. Raises 22023 '
    'for a before that is none. Internal.';

-- ---- for the settings service ----

CREATE OR REPLACE FUNCTION sluice.member_json(its sluice.member) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN json_build_object(
        'user', its.user_name,
        'role', its.role,
        'added_at', sluice.timestamp_text(its.added_at),
        'added_by', its.added_by);
END
$$;
COMMENT ON FUNCTION sluice.member_json(sluice.member) IS
    'A member as the settings service answers it. Internal.';

CREATE OR REPLACE FUNCTION sluice.settings_members(user_name text, organization_id bigint,
    before text DEFAULT NULL, max_rows integer DEFAULT 100, match text DEFAULT NULL) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'editor');
    most constant integer := least(settings_members.max_rows, 100);
BEGIN
    RETURN (WITH looked AS MATERIALIZED (
        SELECT m AS its, row_number() OVER () AS place
        FROM sluice.members_of(its_id, settings_members.before, most + 1, settings_members.match,
            NULL) AS m
    )
    SELECT json_build_object('members', (SELECT coalesce(json_agg(sluice.member_json(l.its)
                ORDER BY l.place), '[]') FROM looked AS l WHERE l.place <= most),
        'next', CASE WHEN (SELECT count(*) FROM looked) > most
            THEN (SELECT sluice.next_member(l.its) FROM looked AS l WHERE l.place = most) END));
END
$$;
COMMENT ON FUNCTION sluice.settings_members(text, bigint, text, integer, text) IS
    'Like members_of, at most 100, as a JSON object; next is the before of the next part. For '
    'editors, admins and owners. Raises as members_of and membership do.';

CREATE OR REPLACE FUNCTION sluice.member_shown(organization_id bigint, member_name text)
RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT sluice.member_json(m) FROM sluice.member AS m
        WHERE m.organization_id = member_shown.organization_id
            AND m.user_name = member_shown.member_name);
END
$$;
COMMENT ON FUNCTION sluice.member_shown(bigint, text) IS
    'One member, as member_json has it; null if there is none. Internal.';

CREATE OR REPLACE FUNCTION sluice.check_may_manage(user_name text, organization_id bigint,
    roles sluice.member_role[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.membership(check_may_manage.user_name, check_may_manage.organization_id,
        CASE WHEN 'admin' <= ANY (roles) THEN 'owner' ELSE 'admin' END::sluice.member_role);
END
$$;
COMMENT ON FUNCTION sluice.check_may_manage(text, bigint, sluice.member_role[]) IS
    'Raises SL002 unless the user may give and take each of these roles: the owner may all, an '
    'admin editor and viewer; and as membership does. Internal.';

CREATE OR REPLACE FUNCTION sluice.settings_member_add(user_name text, organization_id bigint,
    new_user text, role text) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'admin');
BEGIN
    PERFORM sluice.check_may_manage(user_name, its_id, ARRAY[sluice.check_role(role)]);
    IF role = 'owner' THEN
        RAISE EXCEPTION 'an organization has one owner' USING ERRCODE = 'SL004',
            HINT = 'add a member first, and then make it the owner';
    END IF;
    PERFORM FROM sluice.member AS m WHERE m.organization_id = its_id
        AND m.user_name = settings_member_add.new_user AND m.role::text = settings_member_add.role;
    IF NOT FOUND THEN
        PERFORM sluice.member_insert(user_name, its_id, settings_member_add.new_user,
            settings_member_add.role);
    END IF;
    RETURN sluice.member_shown(its_id, settings_member_add.new_user);
END
$$;
COMMENT ON FUNCTION sluice.settings_member_add(text, bigint, text, text) IS
    'Makes a user a member, and returns it as member_json does. Owners may add '
    'admins, editors and viewers, admins editors and viewers. Adding a member with the role that it '
    'has changes nothing. Raises 23505 for a member with another role, 22023 for an invalid value, '
    'with the parameter as the error''s column, and as membership does.';

CREATE OR REPLACE FUNCTION sluice.settings_member_role(user_name text, organization_id bigint,
    member_name text, role text) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'admin');
BEGIN
    PERFORM sluice.check_may_manage(user_name, its_id, ARRAY[sluice.check_role(role),
        sluice.member_to_change(its_id, member_name)]);
    PERFORM sluice.member_change(user_name, its_id, member_name, settings_member_role.role);
    RETURN sluice.member_shown(its_id, member_name);
END
$$;
COMMENT ON FUNCTION sluice.settings_member_role(text, bigint, text, text) IS
    'Like member_role_set; returns the member as member_json does. Owners may give all roles '
    '(owner: theirs), admins may make viewers editors and the other way round. Raises as '
    'member_role_set and membership do.';

CREATE OR REPLACE FUNCTION sluice.settings_member_remove(user_name text, organization_id bigint,
    member_name text) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    leaves constant boolean := member_name = user_name;
    its_id constant bigint := sluice.membership(user_name, organization_id,
        CASE WHEN leaves THEN 'viewer' ELSE 'admin' END::sluice.member_role);
    is_member constant boolean := EXISTS (SELECT FROM sluice.member AS m
        WHERE m.organization_id = its_id AND m.user_name = settings_member_remove.member_name);
BEGIN
    IF is_member AND NOT leaves THEN
        PERFORM sluice.check_may_manage(user_name, its_id,
            ARRAY[sluice.member_to_change(its_id, member_name)]);
    END IF;
    IF is_member THEN
        PERFORM sluice.member_delete(user_name, its_id, member_name);
    END IF;
    RETURN json_build_object('user', member_name, 'removed', is_member);
END
$$;
COMMENT ON FUNCTION sluice.settings_member_remove(text, bigint, text) IS
    'Like member_remove; tells whether there was such a member. Owners may remove all others, '
    'admins editors and viewers, and everybody but the owner may leave. Raises SL004 for the owner, '
    'and as membership does.';

CREATE OR REPLACE FUNCTION sluice.settings_limit(user_name text, organization_id bigint,
    signal_limit bigint, overages boolean) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'owner');
BEGIN
    PERFORM sluice.limit_set(user_name, its_id, settings_limit.signal_limit,
        settings_limit.overages);
    RETURN sluice.usage_of(its_id);
END
$$;
COMMENT ON FUNCTION sluice.settings_limit(text, bigint, bigint, boolean) IS
    'Like organization_limit; returns what usage_of does. For the owner. Raises as '
    'organization_limit and membership do.';

GRANT EXECUTE ON FUNCTION sluice.member_role_set(text, text, text, text) TO sluice_admin;
GRANT EXECUTE ON FUNCTION
    sluice.settings_members(text, bigint, text, integer, text),
    sluice.settings_member_add(text, bigint, text, text),
    sluice.settings_member_role(text, bigint, text, text),
    sluice.settings_member_remove(text, bigint, text),
    sluice.settings_limit(text, bigint, bigint, boolean)
TO sluice_settings;

RESET ROLE;

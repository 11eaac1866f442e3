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

-- ---- for the settings service ----

CREATE OR REPLACE FUNCTION sluice.settings_members(user_name text, organization_id bigint)
RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'editor');
BEGIN
    RETURN (SELECT json_build_object('members', json_agg(json_build_object(
            'user', m.user_name,
            'role', m.role,
            'added_at', sluice.timestamp_text(m.added_at),
            'added_by', m.added_by) ORDER BY m.role DESC, m.user_name))
        FROM sluice.member AS m WHERE m.organization_id = its_id);
END
$$;
COMMENT ON FUNCTION sluice.settings_members(text, bigint) IS
    'An organization''s members, the owner first, as a JSON object. For editors, admins and owners. '
    'Raises as membership does.';

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
    RETURN sluice.settings_members(user_name, its_id);
END
$$;
COMMENT ON FUNCTION sluice.settings_member_add(text, bigint, text, text) IS
    'Makes a user a member, and returns the members as settings_members does. Owners may add '
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
    RETURN sluice.settings_members(user_name, its_id);
END
$$;
COMMENT ON FUNCTION sluice.settings_member_role(text, bigint, text, text) IS
    'Like member_role_set; returns the members as settings_members does. Owners may give all roles '
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
    sluice.settings_members(text, bigint),
    sluice.settings_member_add(text, bigint, text, text),
    sluice.settings_member_role(text, bigint, text, text),
    sluice.settings_member_remove(text, bigint, text),
    sluice.settings_limit(text, bigint, bigint, boolean)
TO sluice_settings;

RESET ROLE;

-- Ids of deliveries: the member that a key names, what is no id, the scope of a rotated key, and ids
-- that were used twice.
BEGIN;
SELECT plan(55);
\ir helper.psql

SELECT sluice.organization_create('op', 'Ids');
CREATE TEMPORARY TABLE keys AS
SELECT v.name, (sluice.key_create('op', 'Ids', v.name, v.endpoint, pg_temp.hash(v.name),
    U&'sk_aaaa\2026zzzz', NULL, NULL,
    CASE v.endpoint WHEN 'product_orgs' THEN jsonb '{"product_org_id": "id"}' END, v.member)).id
FROM (VALUES ('plain', NULL, NULL), ('own', NULL, 'event_id'), ('path', NULL, 'data.event.id'),
    ('dotted', NULL, 'a.b'), ('orgs', 'product_orgs', 'event_id')) AS v (name, endpoint, member);

-- ---- what is no id ----
SELECT is(sluice.names_somebody(v.value), v.expected, v.what)
FROM (VALUES ('', false, 'the empty text'), (' ', false, 'a blank'),
    (E'\t\r\n\u00a0\u200b\u3000\ufeff\ufffd\u0001', false, 'blanks of all kinds'),
    ('0', false, 'zero'), (' 0 ', false, 'zero between blanks'), ('null', false, 'null'),
    ('undefined', false, 'undefined'), ('00000000-0000-0000-0000-000000000000', false, 'a nil UUID'),
    (repeat('0', 32), false, 'one without dashes'), (repeat('x', 1025), false, 'a long one'),
    (repeat('x', 1024), true, 'the longest'), ('a', true, 'a letter'), ('00', true, 'two zeros'),
    ('Null', true, 'a name'), (' a ', true, 'one between blanks'),
    ('00000000-0000-0000-0000-000000000001', true, 'a UUID')) AS v (value, expected, what);
-- The first and last blank of each range in base/unicode.c, and what lies beside them.
SELECT is_empty($$ SELECT to_hex(c) FROM unnest('{1, 32, 127, 160, 173, 1564, 5760, 6158, 8192, 8207, 8232,
    8239, 8287, 8303, 12288, 12644, 65279, 65529, 65533}'::integer[]) AS c
    WHERE sluice.names_somebody(chr(c)) OR sluice.names_somebody(chr(c) || '0' || chr(c)) $$, 'each blank');
SELECT is_empty($$ SELECT to_hex(c) FROM unnest('{33, 126, 161, 172, 174, 1563, 1565, 5759, 5761, 6157, 6159,
    8191, 8208, 8231, 8240, 8286, 8304, 12287, 12289, 12643, 12645, 65278, 65280, 65528, 65534}'::integer[])
    AS c WHERE NOT sluice.names_somebody(chr(c)) $$, 'but nothing beside them');

-- ---- the id in a payload ----
SELECT is(sluice.own_id(v.member, v.payload::jsonb), v.expected, format('%s of %s', v.member, v.payload))
FROM (VALUES ('event_id', '{"event_id": "e-1"}', 'e-1'), ('event_id', '{"event_id": 7}', '7'),
    ('event_id', '{"event_id": 12345678901234567890}', '12345678901234567890'),
    ('event_id', '{"event_id": 0.0}', NULL), ('event_id', '{"event_id": " "}', NULL),
    ('event_id', '{"event_id": true}', NULL), ('event_id', '{"event_id": {}}', NULL),
    ('event_id', '{"event_id": null}', NULL), ('event_id', '{}', NULL), ('event_id', '[]', NULL),
    ('a.b', '{"a": {"b": "inside"}}', 'inside'), ('a.b', '{"a.b": "itself"}', 'itself'),
    ('a.b', '{"a": ["x"]}', NULL), ('a.0', '{"a": ["first"]}', 'first')) AS v (member, payload, expected);

-- ---- storing ----
CREATE FUNCTION pg_temp.send(key text, payload text, columns jsonb DEFAULT '{}', OUT id bigint,
    OUT repeated boolean) LANGUAGE sql AS $$
    SELECT i.ids[1], coalesce(i.repeated[1], false)
    FROM sluice.intake(ARRAY[pg_temp.sender(send.key)], ARRAY[pg_temp.signal(
        jsonb_build_object('payload', send.payload, 'email', 'a@b.co') || send.columns)]) AS i
$$;
SELECT is(sluice.intake_ordinary(ARRAY[pg_temp.sender('plain')], ARRAY[pg_temp.signal('{}')], false, false)
    IS NULL, false, 'an ordinary key');
SELECT is(sluice.intake_ordinary(ARRAY[pg_temp.sender(k)], ARRAY[pg_temp.signal('{}')], false, false), NULL,
    'a key with a member of its own is left to intake: ' || k) FROM (VALUES ('own'), ('path')) AS v (k);
SELECT is(sluice.intake_ordinary(ARRAY[pg_temp.sender('plain'), pg_temp.sender('own')],
    ARRAY[pg_temp.signal('{}')], false, false), NULL, 'also among others');

CREATE TEMPORARY TABLE sent (n integer GENERATED ALWAYS AS IDENTITY, id bigint, repeated boolean);
INSERT INTO sent (id, repeated) SELECT s.* FROM pg_temp.send('own', '{"event_id": "e-1"}',
    '{"message_id": "mail", "by_bytes": true, "event_name": "sent"}') AS s;
INSERT INTO sent (id, repeated) SELECT s.* FROM pg_temp.send('own', '{"event_id": "e-1", "try": 2}',
    '{"message_id": "mail", "by_bytes": true, "event_name": "sent"}') AS s;
INSERT INTO sent (id, repeated) SELECT s.* FROM pg_temp.send('own', '{"event_id": "e-2"}',
    '{"message_id": "mail", "by_bytes": true, "event_name": "sent"}') AS s;
INSERT INTO sent (id, repeated) SELECT s.* FROM pg_temp.send('own', '{"event_id": "e-1"}',
    '{"event_name": "opened"}') AS s;
INSERT INTO sent (id, repeated) SELECT s.* FROM pg_temp.send('own', '{"event_id": " "}',
    '{"message_id": "shared"}') AS s;
SELECT results_eq('SELECT n, repeated FROM sent ORDER BY n',
    'VALUES (1, false), (2, true), (3, false), (4, false), (5, false)',
    'a repeat has the same id of its own, whatever else changed, and the same name');
SELECT is(a.id, b.id, 'it is answered with the first id') FROM sent AS a, sent AS b WHERE a.n = 1 AND b.n = 2;
SELECT results_eq('SELECT s.n, g.message_id FROM sent AS s JOIN sluice.signal AS g USING (id) WHERE s.n <> 2
    ORDER BY s.n', $$ VALUES (1, 'e-1'), (3, 'e-2'), (4, 'e-1'), (5, 'shared') $$,
    'the column has it, or what all senders share');
SELECT is((pg_temp.send('path', '{"data": {"event": {"id": 7}}}')).repeated, false, 'by a path');
SELECT is((pg_temp.send('path', '{"data": {"event": {"id": 7}}, "x": 1}')).repeated, true, 'again');
SELECT is(ARRAY(SELECT u.r FROM unnest((SELECT repeated FROM sluice.intake(
    ARRAY[pg_temp.sender('orgs', NULL, true)], product_orgs => ARRAY[
        pg_temp.product_org('{"product_org_id": "o", "payload": "{\"event_id\": 1}"}'),
        pg_temp.product_org('{"product_org_id": "o", "payload": "{\"event_id\": 1, \"x\": 1}"}'),
        pg_temp.product_org('{"product_org_id": "p", "payload": "{\"event_id\": 1}"}')]))) AS u (r)),
    '{f,t,f}'::boolean[], 'of updates of product orgs, which say the same about the same one');

-- ---- the scope of a rotated key ----
INSERT INTO sluice.api_key (organization_id, name, key_hash, display, created_by, successor_of, delivery_scope,
    delivery_id_member)
SELECT k.organization_id, 'successor', pg_temp.hash('successor'), k.display, 'op', k.id, k.id,
    k.delivery_id_member FROM sluice.api_key AS k WHERE k.id = (SELECT id FROM keys WHERE name = 'own');
SELECT is((pg_temp.send('successor', '{"event_id": "e-2"}', '{"event_name": "sent"}')).repeated, true,
    'a successor knows what came with its predecessor');
SELECT is((pg_temp.send('successor', '{"event_id": "e-3"}')).repeated, false, 'and what did not');
SELECT is((pg_temp.send('own', '{"event_id": "e-3"}')).repeated, true, 'which holds in both directions');

-- ---- an id that was used twice ----
SELECT results_eq($$ SELECT r.message_id, r.deliveries, r.contents
    FROM sluice.reused_delivery_id AS r
    WHERE r.key_scope = (SELECT id FROM keys WHERE name = 'own') ORDER BY r.message_id $$,
    $$ VALUES ('e-1', 2::bigint, '{sent,opened}'::text[]) $$, 'is told, with what it said');
SELECT results_eq($$ SELECT r.ids FROM sluice.reused_delivery_id AS r WHERE r.message_id = 'e-1' $$,
    $$ SELECT array_agg(id ORDER BY id) FROM sent WHERE n IN (1, 4) $$, 'and what was stored');
SELECT pg_temp.send('plain', format('{"n": %s}', n),
    '{"message_id": "mail-2", "by_bytes": true, "event_type": "mail", "event_name": "open"}')
FROM generate_series(1, 3) AS n;
SELECT results_eq($$ SELECT r.deliveries, r.contents FROM sluice.reused_delivery_id AS r
    WHERE r.message_id = 'mail-2' $$, $$ VALUES (3::bigint, '{mail open,mail open,mail open}'::text[]) $$,
    'events of one mail');
SELECT results_eq($$ SELECT r.message_id, r.deliveries, r.contents FROM sluice.reused_delivery_id AS r
    WHERE r.key_scope = (SELECT id FROM keys WHERE name = 'orgs') $$,
    $$ VALUES ('1', 2::bigint, '{product org o,product org p}'::text[]) $$, 'updates of two product orgs');
DELETE FROM sluice.signal AS s WHERE s.message_id = 'e-1' AND s.event_name = 'sent';
SELECT results_eq($$ SELECT r.message_id, r.deliveries, r.contents FROM sluice.reused_delivery_id AS r
    WHERE r.key_scope = (SELECT id FROM keys WHERE name = 'own') $$,
    $$ VALUES ('e-1', 2::bigint, '{NULL,opened}'::text[]) $$, 'a deleted row leaves a gap');

-- ---- fingerprints ----
-- As tests/unit/key/test_fingerprint.c has them.
SELECT is(v.fingerprint, v.expected::uuid, v.what)
FROM (VALUES (sluice.event_fingerprint('e-1', 'track', 'open'), 'b94f523196aaacd823a36cb289a0b728', 'of type and name'),
    (sluice.event_fingerprint('e-1', NULL, NULL), 'b94f523196aaacd85f7ea8c9eedf798c', 'of neither'),
    (sluice.event_fingerprint('e-1', '', ''), 'b94f523196aaacd85f7ea8c9eedf798c', 'which is the same as empty ones'),
    (sluice.product_org_fingerprint('e-1', 'o'), 'b94f523196aaacd8e73db7e42aaf39a4', 'of a product org'),
    (sluice.fingerprint('e-1', 'bytes', '{"a":\0001}'), 'b94f523196aaacd8c369c04a3bd5122f', 'of bytes'))
    AS v (fingerprint, expected, what);

SELECT * FROM finish();
ROLLBACK;

// @ts-check
// audit.js - the Audit log view: who changed what, newest first.

import { bdi, el } from './dom.js';
import { view as jsonView } from './json.js';
import { empty } from './state.js';
import { pages } from './table.js';
import { second } from './time.js';

/** @import { AuditEntry, Column, ViewContext } from './types.js' */

const PAGE = 50;

/** @type {Record<string, string>} */
export const ACTIONS = {
	organization_create: 'Organization created',
	organization_rename: 'Organization renamed',
	organization_limit: 'Limit changed',
	organization_currency: 'Currency changed',
	member_add: 'Member added',
	member_role: 'Role changed',
	member_remove: 'Member removed',
	key_create: 'Key created',
	key_edit: 'Key edited',
	key_rotate: 'Key rotated',
	secret_enable: 'Secret enabled',
	secret_rotate: 'Secret rotated',
	secret_retire: 'Old secret retired',
	secret_remove: 'Secret removed',
	key_deactivate: 'Key deactivated',
	key_networks: 'Networks of a key changed',
	rejected_replay: 'Reject replayed',
	rejected_discard: 'Reject discarded',
	token_create: 'Token created',
	token_revoke: 'Token revoked',
	person_delete: 'Person deleted',
};
/** @type {Record<string, string>} */
const KINDS = { api_key: 'key', api_token: 'token', rejected_payload: 'reject' };

/** @type {Column<AuditEntry>[]} */
const COLUMNS = [
	{ label: 'When', class: 'nowrap', cell: entry => second(entry.occurred_at) },
	{ label: 'Who', class: 'cell-name', cell: entry =>
		el('span', { class: 'clamp' }, bdi(entry.actor)) },
	{ label: 'Action', class: 'nowrap', cell: entry => ACTIONS[entry.action] ?? entry.action },
	{ label: 'Object', cell: ({ object_kind: kind, object_id: id, details }) => [
		el('span', null, KINDS[kind] ?? kind, ' ', el('code', null, bdi(id))),
		details?.name ? el('span', { class: 'sub clip' }, bdi(String(details.name))) : null] },
];

/** @param {ViewContext} context */
export function render({ api, root, signal }) {
	const place = el('div');
	root.append(
		el('div', { class: 'head' },
			el('div', null, el('h1', { tabindex: -1 }, 'Audit log'),
				el('p', { class: 'lead' }, 'Every change to keys, members and limits, recorded in'
					+ ' the same transaction as the change.'))),
		el('section', { class: 'card', 'aria-label': 'Entries' }, place));
	pages(place, { caption: 'Audit log', columns: COLUMNS, signal,
		about: entry => `entry ${entry.id}`,
		detail: entry => jsonView(entry.details, 'Details'),
		nothing: () => empty('No changes yet',
			'The first key that is created makes the first entry.'),
		load: async before => {
			const { entries, next } = await api.get('audit', { limit: PAGE, before }, signal);
			return { rows: entries, next };
		} });
}

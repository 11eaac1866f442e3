// audit.js - who changed what, newest first.

import { bdi, el } from './dom.js';
import { view as jsonView } from './json.js';
import { empty } from './state.js';
import { pages } from './table.js';
import { second } from './time.js';

const PAGE = 50;

const ACTIONS = {
	organization_create: 'Organization created', organization_limit: 'Limit changed',
	member_add: 'Member added', member_remove: 'Member removed', key_create: 'Key created',
	key_deactivate: 'Key deactivated', rejected_replay: 'Reject replayed' };
const KINDS = { api_key: 'key', rejected_payload: 'reject' };

const COLUMNS = [
	{ label: 'When', class: 'nowrap', cell: entry => second(entry.occurred_at) },
	{ label: 'Who', class: 'cell-name', cell: entry => el('span', { class: 'clamp' }, bdi(entry.actor)) },
	{ label: 'What', class: 'nowrap', cell: entry => ACTIONS[entry.action] ?? entry.action },
	{ label: 'Object', cell: ({ object_kind: kind, object_id: id, details }) => [
		el('span', null, KINDS[kind] ?? kind, ' ', el('code', null, bdi(id))),
		details?.name ? el('span', { class: 'sub clip' }, bdi(details.name)) : null] },
];

export function render({ api, root, signal }) {
	const place = el('div');
	root.append(el('div', { class: 'head' }, el('div', null, el('h1', { tabindex: -1 }, 'Audit log'),
		el('p', { class: 'lead' }, 'Every change of keys, members and limits, written in the same transaction as the change.'))),
	el('section', { class: 'card', 'aria-label': 'Entries' }, place));
	pages(place, { caption: 'Audit log', columns: COLUMNS, signal, about: entry => `entry ${entry.id}`,
		detail: entry => jsonView(entry.details, 'Details'),
		nothing: empty('Nothing has been changed yet', 'Creating a key is the first entry.'),
		load: async before => {
			const { entries, next } = await api.get('audit', { limit: PAGE, before }, signal);
			return { rows: entries, next };
		} });
}

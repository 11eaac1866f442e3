// incoming.js - the latest signals, product-org rows and rejects, each row with all there is to
// know about it.

import { bdi, el } from './dom.js';
import { view as jsonView } from './json.js';
import { empty, supersede } from './state.js';
import { STATUSES, statusBadge } from './status.js';
import { facts, pages } from './table.js';
import { minute, number, second } from './time.js';

const PAGE = 50;

const code = text => text === null || text === undefined ? null : el('code', { class: 'breaks' }, bdi(String(text)));
const text = value => value === null || value === undefined ? null : bdi(String(value));
const dash = () => el('span', { class: 'muted' }, '–');
const cut = name => value => value === null || value === undefined || value === '' ? dash()
	: el('span', { class: name }, bdi(String(value)));
const clamp = cut('clamp'); // two lines at most
const clip = cut('clip'); // one

const received = { label: 'Received', class: 'nowrap', cell: row => second(row.received_at) };
const status = { label: 'Status', class: 'nowrap', cell: row => statusBadge(row.status) };

function payloadOf({ payload, payload_bytes: bytes }) {
	return payload === null ? el('p', { class: 'muted' }, bytes === undefined
		? 'The payload is too large to be shown here.'
		: `The payload of ${number(bytes)} bytes is too large to be shown here.`)
		: jsonView(payload, 'Payload');
}

function warningText({ field, reason }) {
	return `${field} ${reason}`;
}

const signals = {
	label: 'Signals', path: 'signals', member: 'signals', caption: 'Latest signals',
	about: row => `signal ${row.id}`,
	columns: [received,
		{ label: 'Source', cell: row => clip(row.source) },
		{ label: 'Event', class: 'cell-name', cell: row => [clamp(row.event_name ?? row.event_type),
			row.event_name && row.event_type ? el('span', { class: 'sub clip' }, bdi(row.event_type)) : null] },
		{ label: 'Who', cell: row => clip(row.email ?? row.user_id ?? row.anonymous_id) },
		{ label: 'Key', cell: row => clip(row.key_name) },
		status],
	detail: row => [facts([
		['Signal', code(row.id)], ['Occurred', row.occurred_at && second(row.occurred_at)],
		['Event', row.event_name && text(row.event_name)], ['Key', text(row.key_name)],
		['Email', text(row.email)], ['User id', code(row.user_id)],
		['Anonymous id', code(row.anonymous_id)], ['Request', code(row.request_id)],
		['Error', row.error && el('span', { class: 'warn-text' }, bdi(row.error))],
	]), payloadOf(row)],
	nothing: () => empty('No signals here', 'None has arrived, or none matches the filters.'),
};

const productOrgs = {
	label: 'Product orgs', path: 'product-orgs', member: 'product_orgs', caption: 'Latest product-org rows',
	about: row => `row ${row.id}`,
	columns: [received,
		{ label: 'Product org', class: 'cell-name', cell: row => [clamp(row.name ?? row.product_org_id),
			row.name ? el('span', { class: 'sub clip' }, bdi(row.product_org_id)) : null] },
		{ label: 'Plan', cell: row => clip(row.plan_name ?? row.plan_id) },
		{ label: 'Users', class: 'number', cell: row => row.user_count === null ? dash() : number(row.user_count) },
		{ label: 'MRR (cents)', class: 'number', cell: row => row.mrr === null ? dash() : number(row.mrr) },
		{ label: 'Trial', cell: row => clip(row.trial_status) },
		status],
	detail: row => [facts([
		['Row', code(row.id)], ['Plan id', code(row.plan_id)],
		['Last active', row.last_active_at && second(row.last_active_at)], ['Key', text(row.key_name)],
		['Request', code(row.request_id)],
		['Error', row.error && el('span', { class: 'warn-text' }, bdi(row.error))],
	]), row.warnings?.length ? [el('h3', null, 'Warnings'), el('ul', { class: 'warnings' },
		row.warnings.map(warning => el('li', null, bdi(warningText(warning)))))] : null,
	row.feature_flags ? [el('h3', null, 'Feature flags'), jsonView(row.feature_flags, 'Feature flags')] : null,
	row.custom ? [el('h3', null, 'Custom fields'), jsonView(row.custom, 'Custom fields')] : null,
	el('h3', null, 'Payload'), payloadOf(row)],
	nothing: () => empty('No product-org rows yet', 'A key for product orgs puts accounts here, mapped by its template.'),
};

const rejects = {
	label: 'Rejects', path: 'rejects', member: 'rejects', caption: 'Latest rejects',
	about: row => `reject ${row.id}`,
	columns: [received,
		{ label: 'Reason', class: 'cell-name', cell: row => [clamp(row.detail), el('span', { class: 'sub clip' }, bdi(row.code))] },
		{ label: 'Key', cell: row => clip(row.key_name) },
		{ label: 'Source', cell: row => clip(row.source) },
		{ label: 'Bytes', class: 'number', cell: row => number(row.payload_bytes) },
		{ label: 'Replayed', class: 'nowrap', cell: row => row.replayed_at ? minute(row.replayed_at)
			: el('span', { class: 'muted' }, 'Not yet') }],
	detail: row => [facts([
		['Reject', code(row.id)], ['What', text(row.kind)], ['Reason', text(row.detail)],
		['Key', text(row.key_name)],
		['Position', row.position === null ? null : number(row.position)], ['Request', code(row.request_id)],
	]), el('pre', { class: 'json', tabindex: 0, role: 'region', 'aria-label': 'Received bytes' },
		el('bdi', null, row.preview), row.truncated ? el('span', { class: 'json-mark' }, '\n… cut here') : null)],
	nothing: () => empty('Nothing has been rejected', 'Bad items of batches and unreadable bodies are kept here, so that a sender loses nothing.'),
};

const LISTS = { signals, 'product-orgs': productOrgs, rejects };

function filters(chosen, changed) {
	return [el('label', { class: 'filter' }, el('span', { class: 'visually-hidden' }, 'Source'),
		el('input', { type: 'search', placeholder: 'Source', value: chosen.source ?? '', autocomplete: 'off',
			spellcheck: 'false', class: 'source', on: { change: event => changed('source', event.target.value.trim()) } })),
	el('label', { class: 'filter' }, el('span', { class: 'visually-hidden' }, 'Status'),
		el('select', { on: { change: event => changed('status', event.target.value) } },
			el('option', { value: '' }, 'All statuses'),
			Object.entries(STATUSES).map(([value, [label]]) => el('option', { value,
				selected: value === chosen.status }, label))))];
}

// chosen: { list, source, status }, followed as the reader changes it; changed() tells.
export function incoming({ place, api, signal, chosen, changed }) {
	const body = el('div');
	const name = chosen.list in LISTS ? chosen.list : 'signals';
	const kind = LISTS[name];
	const again = () => {
		changed();
		incoming({ place, api, signal, chosen, changed });
	};
	const choose = (member, value) => {
		chosen[member] = value || null;
		changed();
		load();
	};
	const tabs = el('div', { class: 'tabs', role: 'group', 'aria-label': 'Rows of' },
		Object.entries(LISTS).map(([value, { label }]) => el('button', { type: 'button', class: 'tab',
			'aria-pressed': String(value === name), on: { click() {
				chosen.list = value === 'signals' ? null : value;
				again();
				place.querySelector('[aria-pressed=true]').focus();
			} } }, label)));
	const next = supersede(signal);
	const load = () => {
		const current = next();
		const query = name === 'signals' ? { source: chosen.source, status: chosen.status } : {};
		return pages(body, { ...kind, signal: current, nothing: kind.nothing(), load: async before => {
			const answer = await api.get(kind.path, { ...query, limit: PAGE, before }, current);
			return { rows: answer[kind.member], next: answer.next };
		} });
	};
	place.replaceChildren(el('div', { class: 'toolbar' }, tabs,
		name === 'signals' ? filters(chosen, choose) : null), body);
	load();
}

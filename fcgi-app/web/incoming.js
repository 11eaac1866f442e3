// @ts-check
// incoming.js - the latest signals, product-org updates and rejects: three tables behind tabs,
// whose rows open to all there is to know about them.

import { bdi, el } from './dom.js';
import { view as jsonView } from './json.js';
import { empty, supersede } from './state.js';
import { STATUSES, statusBadge } from './status.js';
import { facts, pages } from './table.js';
import { minute, number, second } from './time.js';

/** @import { Api } from './api.js' */
/**
 * @import { Column, Id, Integer, Json, Page, ProductOrg, Query, Reject, Signal, TableOptions,
 *   Timestamp } from './types.js'
 */

const PAGE = 50;

/**
 * A tab and its table; load() gives the rows before that id.
 *
 * @template Row
 * @typedef {TableOptions<Row> & {
 *   label: string,
 *   nothing: () => Node,
 *   load: (api: Api, query: Query, signal: AbortSignal) => Promise<Page<Row>>,
 * }} List
 */

// ---- cells ----

const dash = () => el('span', { class: 'muted' }, '–');

/** @param {string | Integer | null} value */
const code = value => value === null ? null : el('code', { class: 'breaks' }, bdi(String(value)));

/** @param {string | null} value */
const text = value => value === null ? null : bdi(value);

/** @param {Timestamp | null} timestamp */
const time = timestamp => timestamp === null ? null : second(timestamp);

/** @param {Integer | null} value */
const count = value => value === null ? dash() : number(value);

/** @param {string | null} value on two lines at most */
const clamp = value => value ? el('span', { class: 'clamp' }, bdi(value)) : dash();

/** @param {string | null} value on one line */
const clip = value => value ? el('span', { class: 'clip' }, bdi(value)) : dash();

/** @param {string | null} value on one line below another value */
const sub = value => value ? el('span', { class: 'sub clip' }, bdi(value)) : null;

/** @param {string | null} value */
const warning = value => value ? el('span', { class: 'warn-text' }, bdi(value)) : null;

/** @type {Column<{ received_at: Timestamp }>} */
const received = { label: 'Received', class: 'nowrap', cell: row => second(row.received_at) };
/** @type {Column<{ status: string }>} */
const status = { label: 'Status', class: 'nowrap', cell: row => statusBadge(row.status) };
/** @type {Column<{ key_name: string | null }>} */
const key = { label: 'Key', cell: row => clip(row.key_name) };

/**
 * @param {Json} payload null when it was too large to be sent
 * @param {number} [bytes]
 */
function payloadOf(payload, bytes) {
	if (payload !== null)
		return jsonView(payload, 'Payload');
	const size = bytes === undefined ? '' : ` of ${number(bytes)} bytes`;
	return el('p', { class: 'muted' }, `The payload${size} is too large to show here.`);
}

/**
 * @param {string} title
 * @param {Json} value
 */
function section(title, value) {
	return value === null ? null : [el('h3', null, title), jsonView(value, title)];
}

// ---- the lists ----

/** @type {List<Signal>} */
const signals = {
	label: 'Signals',
	caption: 'Latest signals',
	about: row => `signal ${row.id}`,
	columns: [received,
		{ label: 'Source', cell: row => clip(row.source) },
		{ label: 'Event', class: 'cell-name', cell: row => [clamp(row.event_name ?? row.event_type),
			row.event_name ? sub(row.event_type) : null] },
		{ label: 'Who', cell: row => clip(row.email ?? row.user_id ?? row.anonymous_id) },
		key, status],
	detail: row => [facts([
		['Signal ID', code(row.id)], ['Occurred', time(row.occurred_at)],
		['Event', text(row.event_name)], ['Key', text(row.key_name)],
		['Email', text(row.email)], ['User ID', code(row.user_id)],
		['Anonymous ID', code(row.anonymous_id)], ['Request ID', code(row.request_id)],
		['Error', warning(row.error)],
	]), payloadOf(row.payload, row.payload_bytes)],
	nothing: () => empty('No signals here', 'None has arrived, or none matches the filters.'),
	load: async (api, query, signal) => {
		const { signals: rows, next } = await api.get('signals', query, signal);
		return { rows, next };
	},
};

/** @param {ProductOrg} row */
function warningsOf({ warnings }) {
	return warnings.length === 0 ? null : [el('h3', null, 'Warnings'),
		el('ul', { class: 'warnings' }, warnings.map(({ field, reason }) =>
			el('li', null, bdi(`${field} ${reason}`))))];
}

/** @type {List<ProductOrg>} */
const productOrgs = {
	label: 'Product orgs',
	caption: 'Latest product-org updates',
	about: row => `update ${row.id}`,
	columns: [received,
		{ label: 'Product org', class: 'cell-name', cell: row => [
			clamp(row.name ?? row.product_org_id), row.name ? sub(row.product_org_id) : null] },
		{ label: 'Plan', cell: row => clip(row.plan_name ?? row.plan_id) },
		{ label: 'Users', class: 'number', cell: row => count(row.user_count) },
		{ label: 'MRR (cents)', class: 'number', cell: row => count(row.mrr) },
		{ label: 'Trial', cell: row => clip(row.trial_status) },
		status],
	detail: row => [facts([
		['Update ID', code(row.id)], ['Plan ID', code(row.plan_id)],
		['Last active', time(row.last_active_at)], ['Key', text(row.key_name)],
		['Request ID', code(row.request_id)], ['Error', warning(row.error)],
	]), warningsOf(row), section('Feature flags', row.feature_flags),
	section('Custom fields', row.custom), el('h3', null, 'Payload'), payloadOf(row.payload)],
	nothing: () => empty('No product-org updates yet',
		'Accounts appear here once a sender posts them with a key for Product Org Updates.'),
	load: async (api, query, signal) => {
		const { product_orgs: rows, next } = await api.get('product-orgs', query, signal);
		return { rows, next };
	},
};

/** @type {List<Reject>} */
const rejects = {
	label: 'Rejects',
	caption: 'Latest rejects',
	about: row => `reject ${row.id}`,
	columns: [received,
		{ label: 'Reason', class: 'cell-name', cell: row => [clamp(row.detail), sub(row.code)] },
		key,
		{ label: 'Source', cell: row => clip(row.source) },
		{ label: 'Bytes', class: 'number', cell: row => number(row.payload_bytes) },
		{ label: 'Replayed', class: 'nowrap', cell: row => row.replayed_at ? minute(row.replayed_at)
			: el('span', { class: 'muted' }, 'Not yet') }],
	detail: row => [facts([
		['Reject ID', code(row.id)], ['Kind', text(row.kind)], ['Reason', text(row.detail)],
		['Key', text(row.key_name)],
		['Position', row.position === null ? null : number(row.position)],
		['Request ID', code(row.request_id)],
	]), el('pre', { class: 'json', tabindex: 0, role: 'region', 'aria-label': 'Received bytes' },
		el('bdi', null, row.preview),
		row.truncated ? el('span', { class: 'json-mark' }, '\n… truncated') : null)],
	nothing: () => empty('Nothing has been rejected', 'Bad items of batches and unreadable bodies'
		+ ' are kept here, so that nothing a sender posts is lost.'),
	load: async (api, query, signal) => {
		const { rejects: rows, next } = await api.get('rejects', query, signal);
		return { rows, next };
	},
};

/** @type {Record<string, List<any>>} by their names in the address */
const LISTS = { signals, 'product-orgs': productOrgs, rejects };

// ---- tabs and filters ----

/** @typedef {{ list: string | null, source: string | null, status: string | null }} Chosen */

/**
 * @param {Chosen} chosen
 * @param {(name: 'source' | 'status', value: string) => void} changed
 */
function filters(chosen, changed) {
	return [el('label', { class: 'filter' }, el('span', { class: 'visually-hidden' }, 'Source'),
		el('input', { type: 'search', placeholder: 'Source', value: chosen.source ?? '',
			autocomplete: 'off', spellcheck: 'false', class: 'source', on: {
				change: ({ currentTarget }) => changed('source', currentTarget.value.trim()) } })),
	el('label', { class: 'filter' }, el('span', { class: 'visually-hidden' }, 'Status'),
		el('select', { on: { change: ({ currentTarget }) =>
			changed('status', currentTarget.value) } },
		el('option', { value: '' }, 'All statuses'),
		Object.entries(STATUSES).map(([value, [label]]) =>
			el('option', { value, selected: value === chosen.status }, label))))];
}

/**
 * @param {string} current name of a list
 * @param {(name: string) => void} choose
 */
function tabs(current, choose) {
	return el('div', { class: 'tabs', role: 'group', 'aria-label': 'Show' },
		Object.entries(LISTS).map(([name, { label }]) => el('button', { type: 'button',
			class: 'tab', 'aria-pressed': String(name === current),
			on: { click: () => choose(name) } }, label)));
}

/**
 * Fills `place`. `chosen` follows what the reader chooses; changed() is called each time.
 *
 * @param {{ place: HTMLElement, api: Api, signal: AbortSignal, chosen: Chosen,
 *   changed: () => void }} context
 */
export function incoming(context) {
	const { place, api, signal, chosen, changed } = context;
	const name = chosen.list && Object.hasOwn(LISTS, chosen.list) ? chosen.list : 'signals';
	const { load, nothing, ...options } = LISTS[name] ?? signals;
	const isFiltered = name === 'signals';
	const body = el('div');
	const nextLoad = supersede(signal);
	const show = () => {
		const current = nextLoad();
		const query = isFiltered ? { source: chosen.source, status: chosen.status } : {};
		pages(body, { ...options, signal: current, nothing: nothing(),
			load: (/** @type {Id | null} */ before) =>
				load(api, { ...query, limit: PAGE, before }, current) });
	};
	place.replaceChildren(el('div', { class: 'toolbar' },
		tabs(name, chosenName => {
			chosen.list = chosenName === 'signals' ? null : chosenName;
			changed();
			incoming(context);
			/** @type {HTMLElement | null} */ (place.querySelector('[aria-pressed=true]'))?.focus();
		}),
		isFiltered ? filters(chosen, (filter, value) => {
			chosen[filter] = value || null;
			changed();
			show();
		}) : null), body);
	show();
}

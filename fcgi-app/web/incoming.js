// @ts-check
// incoming.js - signals, product orgs as they are now, their latest updates, and rejects: tables
// behind tabs, whose rows open to all there is to know about them.

import { bdi, el } from './dom.js';
import { amount, currentOrgs } from './current-orgs.js';
import { view as jsonView } from './json.js';
import { rejects } from './rejects.js';
import { empty, supersede } from './state.js';
import { signals } from './signals.js';
import { statusBadge } from './status.js';
import {
	clamp, clip, code, dash, facts, pages, payloadOf, sub, text, warning,
} from './table.js';
import { number, second } from './time.js';

/** @import { Api } from './api.js' */
/** @import { Chosen } from './search.js' */
/**
 * @import { Column, Id, Integer, Json, Page, ProductOrg, Query, TableOptions,
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

/** @param {Timestamp | null} timestamp */
const time = timestamp => timestamp === null ? null : second(timestamp);

/** @param {Integer | null} value */
const count = value => value === null ? dash() : number(value);

/** @type {Column<{ received_at: Timestamp }>} */
const received = { label: 'Received', class: 'nowrap', cell: row => second(row.received_at) };
/** @type {Column<{ status: string }>} */
const status = { label: 'Status', class: 'nowrap', cell: row => statusBadge(row.status) };

/**
 * @param {string} title
 * @param {Json} value
 */
function section(title, value) {
	return value === null ? null : [el('h3', null, title), jsonView(value, title)];
}

// ---- the lists ----

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
		{ label: 'MRR', class: 'number', cell: row => amount(row) },
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

/** @type {Record<string, List<any>>} by their names in the address; signals are searched */
const LISTS = { 'product-orgs': productOrgs };
/** @type {Record<string, string>} */
const LABELS = { signals: 'Signals', 'current-orgs': 'Current orgs',
	'product-orgs': productOrgs.label, rejects: 'Rejects' };

// ---- tabs ----

/**
 * @param {string} current name of a list
 * @param {(name: string) => void} choose
 */
function tabs(current, choose) {
	return el('div', { class: 'tabs', role: 'group', 'aria-label': 'Show' },
		Object.entries(LABELS).map(([name, label]) => el('button', { type: 'button',
			class: 'tab', 'aria-pressed': String(name === current),
			on: { click: () => choose(name) } }, label)));
}

/**
 * Fills `place`. `chosen` follows what the reader chooses; changed() is called each time.
 *
 * @param {{ place: HTMLElement, api: Api, signal: AbortSignal, chosen: Chosen,
 *   changed: () => void, manages: boolean, next?: () => AbortSignal }} context
 */
export function incoming(context) {
	const { place, api, signal, chosen, changed } = context;
	const name = Object.hasOwn(LABELS, chosen['list'] ?? '') ? chosen['list'] ?? '' : 'signals';
	const list = LISTS[name];
	const body = el('div');
	context.next ??= supersede(signal);
	const current = context.next();
	place.replaceChildren(el('div', { class: 'toolbar' },
		tabs(name, tab => {
			chosen['list'] = tab === 'signals' ? null : tab;
			changed();
			incoming(context);
			/** @type {HTMLElement | null} */ (place.querySelector('[aria-pressed=true]'))?.focus();
		})), body);
	if (name === 'current-orgs') {
		currentOrgs(body, { api, signal: current, chosen, changed });
		return;
	}
	if (name === 'rejects') {
		rejects(body, { api, signal: current, chosen, changed, manages: context.manages });
		return;
	}
	if (!list) {
		signals(body, { api, signal: current, chosen, changed });
		return;
	}
	const { load, nothing, ...options } = list;
	pages(body, { ...options, signal: current, nothing,
		load: (/** @type {Id | string | null} */ before) =>
			load(api, { limit: PAGE, before }, current) });
}

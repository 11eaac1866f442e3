// @ts-check
// current-orgs.js - product orgs as they are now: what a search finds among them, and the history
// of each.

import { bdi, el } from './dom.js';
import { view as jsonView } from './json.js';
import { Results } from './results.js';
import { SEARCHES } from './search.js';
import { empty, fillWith } from './state.js';
import { clip, code, clamp, dash, facts, sub, text } from './table.js';
import { money, number, relative, second } from './time.js';

/** @import { Api } from './api.js' */
/** @import { Context } from './results.js' */
/**
 * @import { Column, Integer, Json, ProductOrg, ProductOrgState, TableOptions } from './types.js'
 */

const HISTORY = 20;

/** @param {{ mrr_amount: string | null, currency: string }} row */
const amount = row => row.mrr_amount === null ? dash() : money(row.mrr_amount, row.currency);

/** @param {Integer | null} value */
const count = value => value === null ? dash() : number(value);

/**
 * @param {string} title
 * @param {Json} value
 */
function section(title, value) {
	return value === null ? null : [el('h3', null, title), jsonView(value, title)];
}

/** What a product org says of itself. @type {Column<ProductOrgState>[]} */
export const COLUMNS = [
	{ label: 'Product org', class: 'cell-name', cell: row => [
		clamp(row.name ?? row.product_org_id), row.name ? sub(row.product_org_id) : null] },
	{ label: 'Plan', cell: row => clip(row.plan_name ?? row.plan_id) },
	{ label: 'Users', class: 'number', cell: row => count(row.user_count) },
	{ label: 'MRR', class: 'number', cell: amount },
	{ label: 'Trial', cell: row => clip(row.trial_status) }];

/** @param {ProductOrgState} row those of its members that have members themselves */
export const membersOf = row => [section('Feature flags', row.feature_flags),
	section('Custom fields', row.custom)];

/** @param {ProductOrg[]} updates */
function historyOf(updates) {
	return el('ol', { class: 'changes', 'aria-label': 'Updates, newest first' }, updates.map(row =>
		el('li', null, second(row.received_at), ' ',
			bdi([row.name, row.plan_name ?? row.plan_id, row.trial_status]
				.filter(value => value !== null).join(', ')),
			row.mrr_amount === null ? null : [' ', money(row.mrr_amount, row.currency)],
			row.user_count === null ? null : [' ', number(row.user_count), ' users'])));
}

/**
 * @param {Api} api
 * @param {AbortSignal} signal
 * @returns {TableOptions<ProductOrgState>}
 */
function options(api, signal) {
	return {
		caption: 'Product orgs as they are now',
		about: row => `product org ${row.product_org_id}`,
		columns: [...COLUMNS,
			{ label: 'Active', class: 'nowrap', cell: row =>
				relative(row.last_active_at ?? row.received_at) }],
		detail: row => {
			const history = el('div');
			fillWith(history, 'updates', signal, () => api.get('product-orgs',
				{ product_org_id: row.product_org_id, limit: HISTORY }, signal),
			({ product_orgs: updates }) => [historyOf(updates)]);
			return [facts([
				['Product org ID', code(row.product_org_id)], ['Plan ID', code(row.plan_id)],
				['Last active', row.last_active_at === null ? null : second(row.last_active_at)],
				['Received', second(row.received_at)], ['Key', text(row.key_name)],
			]), membersOf(row), el('h3', null, 'History'), history];
		},
	};
}

/**
 * Fills `place`.
 *
 * @param {HTMLElement} place
 * @param {Context} context
 */
export function currentOrgs(place, context) {
	const { api, signal } = context;
	new Results(place, context, { search: SEARCHES['current-orgs'], one: 'product org',
		many: 'product orgs', path: 'product-org-states', file: 'product-orgs',
		options: options(api, signal),
		load: async (query, all) => {
			const { product_orgs: rows, next } = await api.get('product-org-states', query, all);
			return { rows, next };
		},
		nothing: () => empty('No product orgs yet', 'Accounts appear here once a sender posts them'
			+ ' with a key for Product Org Updates.') }).show();
}

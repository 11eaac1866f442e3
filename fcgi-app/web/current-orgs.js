// @ts-check
// current-orgs.js - product orgs as they are now: a search, files of what it finds, and the history
// of each.

import { bdi, button, el, newId } from './dom.js';
import { download } from './download.js';
import { view as jsonView } from './json.js';
import { empty, fillWith } from './state.js';
import { clip, code, clamp, dash, facts, pages, sub, text } from './table.js';
import { money, number, relative, second } from './time.js';

/** @import { Api } from './api.js' */
/** @import { Chosen } from './search.js' */
/** @import { Integer, Json, ProductOrg, ProductOrgState, TableOptions } from './types.js' */

const PAGE = 50;
const HISTORY = 20;

/** The fields of the search, by their names in the address. @type {Record<string, string>} */
const FILTERS = { q: 'ID, name or plan', plan: 'Plan', trial: 'Trial status' };

/** @param {{ mrr_amount: string | null, currency: string }} row */
export const amount = row => row.mrr_amount === null ? dash() : money(row.mrr_amount, row.currency);

/** @param {Integer | null} value */
const count = value => value === null ? dash() : number(value);

/**
 * @param {string} title
 * @param {Json} value
 */
function section(title, value) {
	return value === null ? null : [el('h3', null, title), jsonView(value, title)];
}

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
		columns: [
			{ label: 'Product org', class: 'cell-name', cell: row => [
				clamp(row.name ?? row.product_org_id), row.name ? sub(row.product_org_id) : null] },
			{ label: 'Plan', cell: row => clip(row.plan_name ?? row.plan_id) },
			{ label: 'Users', class: 'number', cell: row => count(row.user_count) },
			{ label: 'MRR', class: 'number', cell: amount },
			{ label: 'Trial', cell: row => clip(row.trial_status) },
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
			]), section('Feature flags', row.feature_flags), section('Custom fields', row.custom),
			el('h3', null, 'History'), history];
		},
	};
}

/**
 * @param {Chosen} chosen
 * @param {() => void} changed
 */
function form(chosen, changed) {
	const inputs = Object.entries(FILTERS).map(([name, label]) => ({ name, label,
		input: el('input', { id: newId('search'), name, type: 'search', autocomplete: 'off',
			value: chosen[name] ?? '', spellcheck: 'false', maxlength: 1000 }) }));
	return el('form', { class: 'search-form', role: 'search', 'aria-label': 'Product orgs', on: {
		submit(event) {
			event.preventDefault();
			inputs.forEach(({ name, input }) => { chosen[name] = input.value.trim() || null; });
			changed();
		},
	} }, inputs.map(({ name, label, input }) =>
		el('div', { class: `search-field${name === 'q' ? ' what' : ''}` },
			el('label', { for: input.id }, label), input)),
	el('div', { class: 'search-buttons' },
		el('button', { type: 'submit', class: 'button primary' }, 'Find')));
}

/**
 * Fills `place`. `chosen` follows what the reader chooses; changed() is called each time.
 *
 * @param {HTMLElement} place
 * @param {{ api: Api, signal: AbortSignal, chosen: Chosen, changed: () => void }} context
 */
export function currentOrgs(place, context) {
	const { api, signal, chosen, changed } = context;
	const query = { match: chosen['q'], plan: chosen['plan'], trial_status: chosen['trial'] };
	const body = el('div');
	place.replaceChildren(form(chosen, () => {
		const focused = document.activeElement?.getAttribute('name') ?? 'q';
		changed();
		currentOrgs(place, context);
		/** @type {HTMLElement | null} */ (place.querySelector(`[name="${focused}"]`))?.focus();
	}), el('div', { class: 'found-tools' },
		el('div', { class: 'files', role: 'group', 'aria-label': 'Save what is found' },
			el('span', { class: 'live-label' }, 'Save as'),
			['csv', 'ndjson'].map(format => button(format.toUpperCase(), () => download(api,
				query, format, signal, { path: 'product-org-states', name: 'product-orgs' }),
			{ class: 'button small' })))), body);
	pages(body, { ...options(api, signal), signal,
		nothing: () => chosen['q'] || chosen['plan'] || chosen['trial']
			? empty('Nothing matches', 'No product org is as you have asked. Plan and trial status'
				+ ' are compared as a whole.')
			: empty('No product orgs yet', 'Accounts appear here once a sender posts them'
				+ ' with a key for Product Org Updates.'),
		load: async before => {
			const { product_orgs: rows, next } = await api.get('product-org-states',
				{ ...query, limit: PAGE, before }, signal);
			return { rows, next };
		} });
}

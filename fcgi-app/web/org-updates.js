// @ts-check
// org-updates.js - the updates of product orgs: what a search finds among them, and all there is to
// know about each.

import { bdi, el } from './dom.js';
import { COLUMNS, membersOf } from './current-orgs.js';
import { Results } from './results.js';
import { SEARCHES } from './search.js';
import { empty } from './state.js';
import { statusBadge } from './status.js';
import { code, facts, payloadOf, text, warning } from './table.js';
import { second } from './time.js';

/** @import { Context } from './results.js' */
/** @import { ProductOrg, TableOptions } from './types.js' */

/** @param {ProductOrg} row */
function warningsOf({ warnings }) {
	return warnings.length === 0 ? null : [el('h3', null, 'Warnings'),
		el('ul', { class: 'warnings' }, warnings.map(({ field, reason }) =>
			el('li', null, bdi(`${field} ${reason}`))))];
}

/** @type {TableOptions<ProductOrg>} */
const OPTIONS = {
	caption: 'Product-org updates, newest first',
	about: row => `update ${row.id}`,
	columns: [{ label: 'Received', class: 'nowrap', cell: row => second(row.received_at) },
		...COLUMNS,
		{ label: 'Status', class: 'nowrap', cell: row => statusBadge(row.status) }],
	detail: row => [facts([
		['Update ID', code(row.id)], ['Plan ID', code(row.plan_id)],
		['Last active', row.last_active_at === null ? null : second(row.last_active_at)],
		['Key', text(row.key_name)], ['Key ID', code(row.key_id)],
		['Request ID', code(row.request_id)], ['Error', warning(row.error)],
	]), warningsOf(row), membersOf(row), el('h3', null, 'Payload'), payloadOf(row.payload)],
};

/**
 * Fills `place`.
 *
 * @param {HTMLElement} place
 * @param {Context} context
 */
export function orgUpdates(place, context) {
	const { api } = context;
	new Results(place, context, { search: SEARCHES['product-orgs'], one: 'update', many: 'updates',
		path: 'product-orgs', file: 'product-org-updates', options: OPTIONS,
		load: async (query, signal) => {
			const { product_orgs: rows, next, searched_until: until } = await api.get(
				'product-orgs', query, signal);
			return { rows, next, until };
		},
		nothing: () => empty('No product-org updates yet', 'Accounts appear here once a sender'
			+ ' posts them with a key for Product Org Updates.') }).show();
}

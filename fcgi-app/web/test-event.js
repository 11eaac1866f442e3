// @ts-check
// test-event.js - sends a marked event with a key that was just made, as a sender would, and shows
// what was answered and the row that was stored.

import { button, el } from './dom.js';
import { failed } from './state.js';
import { code, facts, text } from './table.js';
import { newTestId, productOrg, signal as signalWith } from './test-payload.js';
import { second } from './time.js';

/** @import { Api } from './api.js' */
/** @import { CreatedKey, ProductOrg, Signal } from './types.js' */
/** @typedef {{ api: Api, created: CreatedKey, signal: AbortSignal }} Context */

const NOT_FOUND = 'Its row was not found in time. Look for it under Staging.';

/** @param {Signal | undefined} row */
function signalOf(row) {
	return row ? facts([['Signal ID', code(row.id)], ['Received', second(row.received_at)],
		['Source', text(row.source)], ['Event', text(row.event_name)],
		['Email', text(row.email)], ['Message ID', code(row.message_id)],
		['Stored in', row.status === 'cold_storage' ? 'Cold storage' : 'Staging']])
		: el('p', null, NOT_FOUND);
}

/** @param {ProductOrg | undefined} row */
function productOrgOf(row) {
	return row ? facts([['Update ID', code(row.id)], ['Received', second(row.received_at)],
		['Product org', code(row.product_org_id)], ['Name', text(row.name)],
		['Stored in', 'Product orgs, under Staging']])
		: el('p', null, NOT_FOUND);
}

/**
 * Sends the event, whose id is new, and finds its row.
 *
 * @param {Context} context
 * @returns {Promise<Node>}
 */
async function sent({ api, created, signal }) {
	const id = newTestId();
	const template = created.endpoint_type === 'product_orgs' ? created.payload_template : null;
	const { message } = await api.webhook(created.webhook_path,
		template ? productOrg(template, id) : signalWith(id),
		created.secret ? { 'X-Api-Secret': created.secret } : {}, signal);
	const row = template
		? productOrgOf((await api.get('product-orgs', { product_org_id: id, limit: 1 }, signal))
			.product_orgs[0])
		: signalOf((await api.get('signals', { message_id: id, limit: 1 }, signal)).signals[0]);
	return el('div', null, el('p', null, el('strong', null, '202'), ' ', text(message)), row);
}

/**
 * The button, and below it what came of it.
 *
 * @param {Context} context
 */
export function testEvent(context) {
	const result = el('div', { class: 'tested', role: 'status' });
	const send = button('Send a test event', async () => {
		send.disabled = true;
		result.replaceChildren('Sending…');
		const node = await sent(context).catch(failed);
		if (context.signal.aborted)
			return;
		result.replaceChildren(node);
		send.disabled = false;
		send.textContent = 'Send another one';
		send.focus();
	});
	return el('div', { class: 'test-event' }, el('div', { class: 'actions' }, send,
		el('span', { class: 'hint' }, 'It is stored, marked as a test, and counts as a signal.')),
	result);
}

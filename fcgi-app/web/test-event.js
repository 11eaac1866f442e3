// @ts-check
// test-event.js - sends a marked event with a key that was just made, as a sender would, and shows
// what was answered and the row that was stored.

import { button, el } from './dom.js';
import { failed } from './state.js';
import { code, facts, text } from './table.js';
import { second } from './time.js';

/** @import { Api } from './api.js' */
/** @import { CreatedKey, Signal } from './types.js' */

function newMessageId() {
	return `test-${Array.from(crypto.getRandomValues(new Uint8Array(8)),
		byte => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** @param {Signal | undefined} row */
function rowOf(row) {
	return row ? facts([['Signal ID', code(row.id)], ['Received', second(row.received_at)],
		['Source', text(row.source)], ['Event', text(row.event_name)],
		['Email', text(row.email)], ['Message ID', code(row.message_id)],
		['Stored in', row.status === 'cold_storage' ? 'Cold storage' : 'Staging']])
		: el('p', null, 'Its row was not found in time. Look for it under Staging.');
}

/**
 * Sends the event and finds its row.
 *
 * @param {{ api: Api, created: CreatedKey, signal: AbortSignal }} context
 * @returns {Promise<Node>}
 */
async function sent({ api, created, signal }) {
	const id = newMessageId();
	const { message } = await api.webhook(created.webhook_path, { event: 'test',
		email: 'lead@example.com', messageId: id, test: true, sent_by: 'settings page' },
	created.secret ? { 'X-Api-Secret': created.secret } : {}, signal);
	const { signals } = await api.get('signals', { message_id: id, limit: 1 }, signal);
	return el('div', null, el('p', null, el('strong', null, '202'), ' ', text(message)),
		rowOf(signals[0]));
}

/**
 * The button, and below it what came of it.
 *
 * @param {{ api: Api, created: CreatedKey, signal: AbortSignal }} context
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

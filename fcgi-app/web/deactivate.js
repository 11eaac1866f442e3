// @ts-check
// deactivate.js - the question before a key is deactivated, with what is known of its use.

import { bdi, button, el } from './dom.js';
import { openDialog } from './dialog.js';
import { failed } from './state.js';
import { minute, relative } from './time.js';

/** @import { Api } from './api.js' */
/** @import { Key } from './types.js' */

/**
 * @param {Key} key
 * @returns {(Node | string)[]}
 */
function usageOf(key) {
	return key.last_used_at
		? ['It was last used ', el('strong', null, relative(key.last_used_at)), ' (',
			minute(key.last_used_at), ').']
		: [el('strong', null, 'It has never been used.')];
}

/**
 * The key is loaded again, because the list may be old; done() is called once it is deactivated.
 *
 * @param {{ api: Api, signal: AbortSignal, key: Key, done: () => void }} context
 */
export function openDeactivate({ api, signal, key, done }) {
	const usage = el('p', { class: 'last-used', role: 'status' }, usageOf(key));
	const trouble = el('div', { class: 'trouble' });
	const cancel = button('Cancel', () => dialog.close(), { autofocus: true });
	const confirm = button('Deactivate', async () => {
		confirm.disabled = true;
		try {
			await api.post(`keys/${key.id}/deactivate`, {}, signal);
			dialog.close();
			done();
		} catch (error) {
			confirm.disabled = false;
			trouble.replaceChildren(failed(error));
		}
	}, { class: 'button danger' });
	const dialog = openDialog({ title: 'Deactivate this key?', class: 'narrow', signal, body: [
		el('p', { class: 'subject' }, el('span', { class: 'clamp' }, bdi(key.name)),
			el('code', null, key.display)),
		usage,
		el('p', null, 'Requests with this key will be answered 401. This cannot be undone: a sender'
			+ ' that still uses the key will need a new one.'),
		trouble,
	], foot: [cancel, confirm] });
	api.get(`keys/${key.id}`, {}, signal)
		.then(now => usage.replaceChildren(...usageOf(now)), () => {});
}

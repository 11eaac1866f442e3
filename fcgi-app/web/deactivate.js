// deactivate.js - the question before a key is deactivated: who would notice?

import { bdi, button, el } from './dom.js';
import { openDialog } from './dialog.js';
import { failed } from './state.js';
import { minute, relative } from './time.js';

function usageOf(key) {
	return key.last_used_at
		? ['It was last used ', el('strong', null, relative(key.last_used_at)), ' (',
			minute(key.last_used_at), ').']
		: [el('strong', null, 'It has never been used.')];
}

// done() after it is deactivated. The list may be old, so the key is asked for again.
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
		el('p', { class: 'subject' }, el('span', { class: 'clamp' }, bdi(key.name)), el('code', null, key.display)),
		usage,
		el('p', null, 'From now on, requests with it are answered 401. This cannot be undone: a sender that still uses it needs a new key.'),
		trouble,
	], foot: [cancel, confirm] });
	api.get(`keys/${key.id}`, null, signal)
		.then(now => usage.replaceChildren(...usageOf(now).flat()), () => {});
}

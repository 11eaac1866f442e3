// reveal.js - the one time a key and its secret are shown in clear. They live in this dialog and
// nowhere else: closing it, or leaving the page, drops them.

import { bdi, button, el, newId } from './dom.js';
import { openDialog } from './dialog.js';
import { relative } from './time.js';

const LOOK = 2000;  // between two questions whether the key has been used
const LOOKS = 300;

// Over plain http to another host there is no clipboard interface, only the old command.
async function copy(text, element) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		getSelection().selectAllChildren(element);
		return document.execCommand('copy');
	}
}

function copyable(label, text, multiline) {
	const id = newId('reveal');
	const value = el(multiline ? 'pre' : 'code', { class: 'reveal-text', 'aria-labelledby': id,
		tabindex: 0, role: 'group' }, text);
	const copier = button('Copy', async () => {
		const copied = await copy(text, value);
		copier.textContent = copied ? 'Copied' : 'Press Ctrl+C';
		copier.classList.toggle('copied', copied);
	}, { class: 'button small copy', 'aria-describedby': id, 'aria-live': 'polite' });
	return el('div', { class: 'reveal' }, el('p', { class: 'reveal-label', id }, label),
		el('div', { class: 'reveal-row' }, value, copier));
}

// Tells when the first request with the key has arrived; stops with the dialog.
async function watch(place, api, id, signal) {
	for (let look = 0; look < LOOKS && !signal.aborted; look++) {
		await new Promise(resolve => setTimeout(resolve, LOOK));
		const key = await api.get(`keys/${id}`, null, signal).catch(() => null);
		if (signal.aborted)
			return;
		if (key?.last_used_at) {
			place.classList.add('seen');
			place.replaceChildren('The first request has arrived, ', relative(key.last_used_at), '.');
			return;
		}
	}
}

// The service cannot know a payload that fits the template: the line then names a file.
function ready(curl, payload) {
	return payload === null ? curl
		: curl.replace('@payload.json', () => `'${payload.replaceAll("'", "'\\''")}'`);
}

// made: the answer to the creation; payload: one that its template was tried on, or null. closed()
// when the clear text is gone.
export function openReveal({ api, made, payload, closed }) {
	const end = new AbortController();
	const seen = el('p', { class: 'watch', role: 'status' }, 'Waiting for the first request…');
	const { id } = made;
	const dialog = openDialog({ title: 'Your new key', class: 'wide', keep: true, body: [
		el('p', { class: 'notice' }, el('strong', null, 'Copy it now. '),
			'Only a hash is stored: after this dialog nobody can show it again.'),
		el('p', { class: 'subject' }, el('span', { class: 'clamp' }, bdi(made.name))),
		copyable('Key', made.key),
		made.secret ? copyable('Secret, for the header X-Api-Secret', made.secret) : null,
		copyable('Try it in a terminal', ready(made.curl, payload), true),
		seen,
	], foot: button('Done', () => dialog.close(), { class: 'button primary' }),
	close() {
		end.abort();
		removeEventListener('pagehide', dialog.close);
		dialog.element.replaceChildren();
		closed();
	} });
	// or the page would come back with it from the browser's cache
	addEventListener('pagehide', dialog.close);
	dialog.element.querySelector('.copy').focus();
	watch(seen, api, id, end.signal);
}

// @ts-check
// reveal.js - the one time a key and its secret are shown in clear. They live in this dialog and
// nowhere else: closing it, or leaving the page, drops them.

import { bdi, button, el, newId } from './dom.js';
import { openDialog } from './dialog.js';
import { relative } from './time.js';

/** @import { Api } from './api.js' */
/** @import { CreatedKey, Id } from './types.js' */

const POLL_MS = 2000; // between two looks whether the key has been used
const POLLS = 300;

/**
 * Over plain http to another host there is no clipboard interface, only the old command.
 *
 * @param {string} text
 * @param {Element} element that shows the text
 */
async function copy(text, element) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		getSelection()?.selectAllChildren(element);
		return document.execCommand('copy');
	}
}

/**
 * @param {string} label
 * @param {string} text
 * @param {'code' | 'pre'} [name] of the element
 */
function copyable(label, text, name = 'code') {
	const id = newId('reveal');
	const value = el(name, { class: 'reveal-text', 'aria-labelledby': id, tabindex: 0,
		role: 'group' }, text);
	const copier = button('Copy', async () => {
		const copied = await copy(text, value);
		copier.textContent = copied ? 'Copied' : 'Press Ctrl+C';
		copier.classList.toggle('copied', copied);
	}, { class: 'button small copy', 'aria-describedby': id, 'aria-live': 'polite' });
	return el('div', { class: 'reveal' }, el('p', { class: 'reveal-label', id }, label),
		el('div', { class: 'reveal-row' }, value, copier));
}

/**
 * Says in `place` when the first request with the key has arrived.
 *
 * @param {HTMLElement} place
 * @param {Api} api
 * @param {Id} id
 * @param {AbortSignal} signal
 */
async function waitForUse(place, api, id, signal) {
	for (let poll = 0; poll < POLLS && !signal.aborted; poll++) {
		await new Promise(resolve => setTimeout(resolve, POLL_MS));
		const key = await api.get(`keys/${id}`, {}, signal).catch(() => null);
		if (signal.aborted)
			return;
		if (key?.last_used_at) {
			place.classList.add('seen');
			place.replaceChildren('The first request arrived ', relative(key.last_used_at), '.');
			return;
		}
	}
}

/**
 * The command with a body in place of the file it names, quoted for a shell.
 *
 * @param {string} curl
 * @param {string | null} payload
 */
function withPayload(curl, payload) {
	return payload === null ? curl
		: curl.replace('@payload.json', () => `'${payload.replaceAll("'", "'\\''")}'`);
}

/**
 * `payload` is one that the key's template was tried on, or null. closed() is called when the clear
 * text is gone.
 *
 * @param {{ api: Api, created: CreatedKey, payload: string | null, closed: () => void }} context
 */
export function openReveal({ api, created, payload, closed }) {
	const end = new AbortController();
	const seen = el('p', { class: 'watch', role: 'status' }, 'Waiting for the first request…');
	const { id } = created;
	const dialog = openDialog({ title: 'Your new key', class: 'wide', keep: true, body: [
		el('p', { class: 'notice' }, el('strong', null, 'Copy it now. '),
			'Only a hash is stored, so it cannot be shown again once this dialog is closed.'),
		el('p', { class: 'subject' }, el('span', { class: 'clamp' }, bdi(created.name))),
		copyable('Key', created.key),
		created.secret ? copyable('Secret, for the X-Api-Secret header', created.secret) : null,
		copyable('Try it in a terminal', withPayload(created.curl, payload), 'pre'),
		seen,
	], foot: button('Done', () => dialog.close(), { class: 'button primary' }), closed() {
		end.abort();
		removeEventListener('pagehide', dialog.close);
		dialog.element.replaceChildren();
		closed();
	} });
	// or the page would come back with it from the browser's cache
	addEventListener('pagehide', dialog.close);
	dialog.element.querySelector('button')?.focus();
	waitForUse(seen, api, id, end.signal);
}

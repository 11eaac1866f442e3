// @ts-check
// reveal.js - the one time a key and its secret, or a token, are shown in clear. They live in this
// dialog and nowhere else: closing it, or leaving the page, drops them.

import { bdi, button, el, newId } from './dom.js';
import { openDialog } from './dialog.js';
import { guard } from './once.js';
import { refusalsOf } from './refusals.js';
import { testEvent } from './test-event.js';
import { relative } from './time.js';

/** @import { Api } from './api.js' */
/** @import { ChangedSecret, Child, CreatedKey, CreatedToken, Id } from './types.js' */
/** @typedef {CreatedKey | ChangedSecret | CreatedToken} Shown */

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
 * A text and the button that copies it.
 *
 * @param {Child} label
 * @param {string} text
 * @param {'code' | 'pre'} [name] of the element
 */
function copyable(label, text, name = 'code') {
	const id = newId('reveal');
	const value = el(name, { class: 'reveal-text', 'aria-labelledby': id, tabindex: 0,
		role: 'group' }, text);
	const copier = button('Copy', async () => {
		const copied = await copy(value.textContent, value);
		copier.textContent = copied ? 'Copied' : 'Press Ctrl+C';
		copier.classList.toggle('copied', copied);
	}, { class: 'button small copy', 'aria-describedby': id, 'aria-live': 'polite' });
	const show = (/** @type {string} */ other) => {
		value.textContent = other;
		copier.textContent = 'Copy';
		copier.classList.remove('copied');
	};
	return { show, element: el('div', { class: 'reveal' },
		el('div', { class: 'reveal-label', id }, label),
		el('div', { class: 'reveal-row' }, value, copier)) };
}

/**
 * What a sender needs, for the language or service that is chosen.
 *
 * @param {CreatedKey} created
 * @param {string | null} payload
 */
function snippetsOf({ snippets }, payload) {
	const text = (/** @type {number} */ index) => {
		const { name, text: whole } = snippets[index] ?? { name: '', text: '' };
		return name === 'curl' ? withPayload(whole, payload) : whole;
	};
	const shown = copyable(el('label', { class: 'reveal-choice' }, 'Try it from ',
		el('select', { on: { change: ({ currentTarget }) =>
			shown.show(text(currentTarget.selectedIndex)) } },
		snippets.map(({ name, title }) => el('option', { value: name }, title)))), text(0), 'pre');
	return shown.element;
}

/**
 * Says in `place` when the first request with the key has arrived, and until then in `refused` why
 * requests were refused.
 *
 * @param {{ place: HTMLElement, refused: HTMLElement, api: Api, id: Id,
 *   signal: AbortSignal }} context
 */
async function waitForUse({ place, refused, api, id, signal }) {
	let last = null;
	for (let poll = 0; poll < POLLS && !signal.aborted; poll++) {
		await new Promise(resolve => setTimeout(resolve, POLL_MS));
		const key = await api.get(`keys/${id}`, {}, signal).catch(() => null);
		if (signal.aborted)
			return;
		if (key?.last_refused_at && key.last_refused_at !== last) {
			last = key.last_refused_at;
			const all = await api.ofKey(id, 'refusals', signal).catch(() => null);
			if (all && !signal.aborted)
				refused.replaceChildren(...[refusalsOf(all)].flat().filter(node => node !== null));
		}
		if (key?.last_used_at) {
			place.classList.add('seen');
			place.replaceChildren(el('span', null, 'The first request arrived ',
				relative(key.last_used_at), '.'));
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
 * The question before what cannot be shown again is closed; asked() shows it.
 *
 * @param {() => void} close
 */
function question(close) {
	const place = el('div', { class: 'question', role: 'alert' });
	const asked = () => {
		const back = button('Keep it open', () => place.replaceChildren());
		place.replaceChildren(el('p', null, el('strong', null, 'Close it? '),
			'It cannot be shown again.'), el('div', { class: 'actions' }, back,
			button('Close', close, { class: 'button danger' })));
		back.focus();
	};
	return { place, asked };
}

/**
 * @param {Shown} shown
 * @param {string | null} payload
 */
function textsOf(shown, payload) {
	if ('token' in shown)
		return [copyable('Token', shown.token).element,
			copyable('Try it', shown.curl, 'pre').element];
	return ['key' in shown ? copyable('Key', shown.key).element : null,
		shown.secret ? copyable('Secret, for the X-Api-Secret header', shown.secret).element : null,
		'snippets' in shown ? snippetsOf(shown, payload) : null];
}

/**
 * Shows a key, secret or token that was just made. `note` is said below it. `payload` is one that
 * the key's template was tried on. closed() is called when the clear text is gone.
 *
 * @param {{ api: Api, shown: Shown, title?: string, note?: Child, payload?: string | null,
 *   closed: () => void }} context
 */
export function openReveal({ api, shown, title = 'Your new key', note, payload = null, closed }) {
	const end = new AbortController();
	const seen = 'key' in shown
		? el('p', { class: 'watch', role: 'status' }, 'Waiting for the first request…') : null;
	const tested = 'key' in shown
		? testEvent({ api, created: shown, signal: end.signal }) : null;
	const refused = el('div', { class: 'history', role: 'status' });
	const { place, asked } = question(() => dialog.close());
	const dialog = openDialog({ title, class: 'wide', keep: asked, body: [
		el('p', { class: 'notice' }, el('strong', null, 'Copy it now. '),
			'Only a hash is stored, so it cannot be shown again once this dialog is closed.'),
		el('p', { class: 'subject' }, el('span', { class: 'clamp' }, bdi(shown.name))),
		textsOf(shown, payload), tested, note ? el('div', null, note) : null, seen, refused,
	], foot: [place, button('Done', () => dialog.close(), { class: 'button primary' })], closed() {
		end.abort();
		removeEventListener('pagehide', dialog.close);
		dialog.element.replaceChildren();
		closed();
	} });
	guard(end.signal);
	// or the page would come back with it from the browser's cache
	addEventListener('pagehide', dialog.close);
	dialog.element.querySelector('button')?.focus();
	if (seen)
		waitForUse({ place: seen, refused, api, id: shown.id, signal: end.signal });
}

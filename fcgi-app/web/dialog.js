// @ts-check
// dialog.js - a modal dialog that leaves nothing behind: made when it opens, removed when it
// closes. The browser keeps the focus inside and gives it back.

import { el, newId } from './dom.js';

/** @import { Dialog, DialogOptions } from './types.js' */

/**
 * @param {DialogOptions} options
 * @returns {Dialog}
 */
export function openDialog({ title, body, foot, class: name, closed, signal, keep }) {
	let done = false;
	const id = newId('dialog');
	const element = el('dialog', { class: `dialog ${name ?? ''}`.trim(), 'aria-labelledby': id },
		el('h2', { id, tabindex: -1 }, title),
		el('div', { class: 'dialog-body' }, body),
		el('div', { class: 'dialog-foot' }, foot));
	const close = () => {
		done = true;
		element.close();
	};
	/** @param {Event} event */
	const stay = event => {
		event.preventDefault();
		keep?.();
	};
	if (keep)
		element.addEventListener('keydown', event => event.key === 'Escape' && stay(event));
	element.addEventListener('cancel', event => {
		if (keep && event.target === element)
			stay(event);
	});
	element.addEventListener('close', () => {
		if (keep && !done) { // browsers do not let the second request to close be prevented
			element.showModal();
			keep();
			return;
		}
		element.remove();
		closed?.();
	});
	document.body.append(element);
	element.showModal();
	signal?.addEventListener('abort', close);
	return { element, close };
}

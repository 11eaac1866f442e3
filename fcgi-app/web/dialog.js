// @ts-check
// dialog.js - a modal dialog that leaves nothing behind: made when it opens, removed when it
// closes. The browser keeps the focus inside and gives it back.

import { el, newId } from './dom.js';

/** @import { Dialog, DialogOptions } from './types.js' */

/**
 * @param {DialogOptions} options
 * @returns {Dialog}
 */
export function openDialog({ title, body, foot, class: name, closed, signal, keep = false }) {
	const id = newId('dialog');
	const element = el('dialog', { class: `dialog ${name ?? ''}`.trim(), 'aria-labelledby': id },
		el('h2', { id, tabindex: -1 }, title),
		el('div', { class: 'dialog-body' }, body),
		el('div', { class: 'dialog-foot' }, foot));
	element.addEventListener('cancel', event => {
		if (keep && event.target === element)
			event.preventDefault();
	});
	element.addEventListener('close', () => {
		element.remove();
		closed?.();
	});
	document.body.append(element);
	element.showModal();
	signal?.addEventListener('abort', () => element.close());
	return { element, close: () => element.close() };
}

// dialog.js - a modal dialog that leaves nothing behind: made when it opens, removed when it closes.
// The browser keeps the focus inside and gives it back.

import { el, newId } from './dom.js';

// options: title; body, foot (children); class; close() is called once, however it was closed;
// signal closes it when the view is left; keep: Escape does not close it. Gives { element, close }.
export function openDialog({ title, body, foot, class: name, close, signal, keep = false }) {
	const id = newId('dialog');
	const element = el('dialog', { class: `dialog ${name ?? ''}`.trim(), 'aria-labelledby': id, on: {
		cancel(event) {
			if (keep && event.target === element)
				event.preventDefault();
		},
		close() {
			element.remove();
			close?.();
		},
	} },
	el('h2', { id, tabindex: -1 }, title),
	el('div', { class: 'dialog-body' }, body),
	el('div', { class: 'dialog-foot' }, foot));
	document.body.append(element);
	element.showModal();
	signal?.addEventListener('abort', () => element.close());
	return { element, close: () => element.close() };
}

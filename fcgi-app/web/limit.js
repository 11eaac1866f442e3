// @ts-check
// limit.js - the form with which the owner changes the limit of the organization.

import { JsonText, problemOf } from './api.js';
import { button, el, newId } from './dom.js';
import { openDialog } from './dialog.js';
import { faultsOf, field } from './fields.js';
import { failed } from './state.js';

/** @import { Api } from './api.js' */
/** @import { Usage } from './types.js' */

const LARGEST = 9223372036854775807n;

/** @param {string} text of digits, perhaps with separators */
function digitsOf(text) {
	const digits = text.replace(/[\s,._']/g, '');
	return /^\d+$/.test(digits) && BigInt(digits) <= LARGEST ? String(BigInt(digits)) : null;
}

/** @param {{ api: Api, signal: AbortSignal, usage: Usage, done: () => void }} context */
export function openLimit({ api, signal, usage, done }) {
	const limit = field('limit', 'Signals a month', el('input', { type: 'text',
		inputmode: 'numeric', autocomplete: 'off', autofocus: true,
		value: String(usage.signal_limit) }), '0 is no limit.');
	const overages = el('input', { type: 'checkbox', id: newId('overages'),
		checked: usage.overages });
	const trouble = el('div', { class: 'trouble' });
	const submit = el('button', { type: 'submit', class: 'button primary', form: 'limit' }, 'Save');
	const form = el('form', { id: 'limit', novalidate: true, on: { submit: async event => {
		event.preventDefault();
		trouble.replaceChildren();
		const digits = digitsOf(limit.input.value);
		limit.complain(digits === null ? 'Enter a whole number.' : '');
		if (digits === null) {
			limit.input.focus();
			return;
		}
		submit.disabled = true;
		try {
			await api.post('limit', { signal_limit: new JsonText(digits),
				overages: overages.checked }, signal);
			dialog.close();
			done();
		} catch (error) {
			const problem = problemOf(error);
			const fault = faultsOf(problem).signal_limit ?? '';
			submit.disabled = false;
			limit.complain(fault);
			if (!fault)
				trouble.replaceChildren(failed(problem));
		}
	} } }, limit.element, el('div', { class: 'field' }, el('label', { class: 'check' }, overages,
		el('span', null, 'Accept signals over the limit', el('span', { class: 'sub' },
			'They are counted. Otherwise senders are answered 429 until the month ends.')))),
	trouble);
	const dialog = openDialog({ title: 'Change the limit', class: 'form narrow', signal, body: form,
		foot: [button('Cancel', () => dialog.close()), submit] });
}

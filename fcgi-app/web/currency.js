// @ts-check
// currency.js - the form with which the owner says what product orgs' money is in.

import { problemOf } from './api.js';
import { button, el } from './dom.js';
import { openDialog } from './dialog.js';
import { faultsOf, field } from './fields.js';
import { failed } from './state.js';

/** @import { Api } from './api.js' */
/** @import { Usage } from './types.js' */

/** @param {{ api: Api, signal: AbortSignal, usage: Usage, done: () => void }} context */
export function openCurrency({ api, signal, usage, done }) {
	const currency = field('currency', 'Currency', el('input', { type: 'text', autocomplete: 'off',
		autofocus: true, spellcheck: 'false', maxlength: 3, value: usage.currency }),
	'The code of ISO 4217, such as EUR. Amounts stay as they were sent.');
	const trouble = el('div', { class: 'trouble' });
	const submit = el('button', { type: 'submit', class: 'button primary', form: 'currency' },
		'Save');
	const form = el('form', { id: 'currency', novalidate: true, on: { submit: async event => {
		event.preventDefault();
		trouble.replaceChildren();
		currency.complain('');
		submit.disabled = true;
		try {
			await api.post('currency', { currency: currency.input.value.trim() }, signal);
			dialog.close();
			done();
		} catch (error) {
			const problem = problemOf(error);
			const fault = faultsOf(problem).currency ?? '';
			submit.disabled = false;
			currency.complain(fault);
			if (fault)
				currency.input.focus();
			else
				trouble.replaceChildren(failed(problem));
		}
	} } }, currency.element, trouble);
	const dialog = openDialog({ title: 'Change the currency', class: 'form narrow', signal,
		body: form, foot: [button('Cancel', () => dialog.close()), submit] });
}

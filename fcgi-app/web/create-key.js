// @ts-check
// create-key.js - the form with the fields of a key. What the API refuses is shown at the
// field it is about. The answer, with key and secret in clear, goes straight to reveal.js.

import { JsonText, problemOf } from './api.js';
import { button, el, newId } from './dom.js';
import { openDialog } from './dialog.js';
import { NAME_LENGTH, expiration, faultsOf, field, nameField, networksField } from './fields.js';
import { TYPES } from './keys.js';
import { Once } from './once.js';
import { openReveal } from './reveal.js';
import { failed } from './state.js';
import { jsonFault, templateEditor } from './template-editor.js';

/** @import { Api, Problem } from './api.js' */
/** @import { CreatedKey, EndpointType, NewKey } from './types.js' */
/** @typedef {'name' | 'expires_at' | 'payload_template' | 'delivery_id_member' | 'networks'} Place
 *   a field that can be at fault */
/** @typedef {Partial<Record<Place, string>>} Faults */

/** @type {[EndpointType, string][]} */
const CHOICES = [
	['signal_staging', 'Events, leads and form submissions of any shape.'],
	['product_orgs', 'Accounts with plan, users and revenue, mapped by a template.'],
];

/** @param {(type: EndpointType) => void} onChange */
function typeChoice(onChange) {
	return el('fieldset', { class: 'field' }, el('legend', null, 'Endpoint type'),
		el('div', { class: 'choices' }, CHOICES.map(([value, text], index) =>
			el('label', { class: 'choice' },
				el('input', { type: 'radio', name: 'endpoint_type', value, checked: index === 0,
					on: { change: () => onChange(value) } }),
				el('span', null, el('span', { class: 'choice-name' }, TYPES[value]),
					el('span', { class: 'sub' }, text))))),
		el('p', { class: 'hint' }, 'The endpoint type cannot be changed later.'));
}

/**
 * @param {HTMLInputElement} input
 * @returns {Node}
 */
function secretField(input) {
	return el('div', { class: 'field' }, el('span', { class: 'label' }, 'Secret'),
		el('label', { class: 'check' }, input,
			el('span', null, 'Also require a secret',
				el('span', { class: 'sub' }, 'Senders pass it in the X-Api-Secret header.'))));
}

/** @typedef {{ api: Api, signal: AbortSignal, changed: () => void }} Context */

class Form {
	/** @type {EndpointType} */
	type = 'signal_staging';
	/** @type {ReturnType<typeof templateEditor> | null} */
	editor = null;
	name = nameField();
	expires = expiration();
	secret = el('input', { type: 'checkbox', id: newId('secret') });
	deliveryId = field('delivery-id', 'Delivery ID', el('input', { type: 'text',
		autocomplete: 'off', spellcheck: 'false', placeholder: 'messageId' }),
	'Optional: the member of a payload by which a repeat is recognised, such as event_id.');
	networks = networksField();
	templatePlace = el('div', { class: 'template-place', hidden: true });
	templateFault = el('p', { class: 'fault', role: 'alert' });
	trouble = el('div', { class: 'trouble' });
	submit = el('button', { type: 'submit', class: 'button primary', form: 'create-key' },
		'Create key');

	/** @param {Context} context */
	constructor({ api, signal, changed }) {
		this.api = api;
		this.signal = signal;
		this.changed = changed;
		this.once = new Once(api, 'keys');
		this.dialog = openDialog({ title: 'Create API key', class: 'form', signal,
			body: this.element(),
			foot: [button('Cancel', () => this.dialog.close()), this.submit],
			closed: () => {
				this.editor?.stop();
				if (this.once.pending)
					changed();
			} });
	}

	element() {
		this.fields = el('div', { class: 'fields' }, this.name.element,
			typeChoice(type => this.choose(type)),
			el('div', { class: 'pair' }, this.expires.element, secretField(this.secret)),
			this.deliveryId.element, this.networks.element,
			this.templatePlace);
		return el('form', { id: 'create-key', novalidate: true, on: { submit: event => {
			event.preventDefault();
			this.send();
		} } }, this.fields, this.trouble);
	}

	/** @param {EndpointType} type */
	choose(type) {
		this.type = type;
		const mapped = type === 'product_orgs';
		if (mapped && !this.editor) {
			this.editor = templateEditor({ api: this.api, signal: this.signal });
			this.templatePlace.append(this.editor.element, this.templateFault);
		}
		this.templatePlace.hidden = !mapped;
		this.dialog.element.classList.toggle('wide', mapped);
	}

	/** The editor while the key needs a template, else null. */
	template() {
		return this.type === 'product_orgs' ? this.editor : null;
	}

	/**
	 * What can be told without asking the API.
	 *
	 * @returns {Faults}
	 */
	faults() {
		const template = this.template();
		const fault = template ? jsonFault(template.text()) : null;
		return {
			name: this.name.fault(),
			expires_at: this.expires.fault(),
			payload_template: fault ? `The template is not valid JSON: ${fault}` : '',
			delivery_id_member: [...this.deliveryId.input.value.trim()].length <= NAME_LENGTH ? ''
				: `At most ${NAME_LENGTH} characters are allowed.`,
		};
	}

	/**
	 * Shows what is wrong, and focuses the first field that is; false when none is.
	 *
	 * @param {Faults} faults
	 */
	complain(faults) {
		this.name.complain(faults.name ?? '');
		this.expires.complain(faults.expires_at ?? '');
		this.templateFault.textContent = faults.payload_template ?? '';
		this.deliveryId.complain(faults.delivery_id_member ?? '');
		this.networks.complain(faults.networks ?? '');
		const first = faults.name ? this.name.input : faults.expires_at ? this.expires.input
			: faults.delivery_id_member ? this.deliveryId.input
				: faults.networks ? this.networks.input
					: faults.payload_template ? this.editor?.input : null;
		first?.focus();
		return Boolean(first);
	}

	/** @returns {NewKey} */
	body() {
		const template = this.template();
		return { name: this.name.input.value.trim(), endpoint_type: this.type,
			expires_at: this.expires.value(), secret: this.secret.checked,
			payload_template: template ? new JsonText(template.text()) : null,
			delivery_id_member: this.deliveryId.input.value.trim() || null,
			networks: this.networks.list() };
	}

	async send() {
		this.trouble.replaceChildren();
		if (this.complain(this.faults()))
			return;
		this.submit.disabled = true;
		try {
			this.reveal(await this.once.post(this.body()));
		} catch (error) {
			this.once.reopen(this.submit, 'Create key', this.fields);
			this.refused(problemOf(error));
		}
	}

	/** @param {CreatedKey} created */
	reveal(created) {
		const payload = this.template()?.payload() ?? null;
		this.dialog.close();
		openReveal({ api: this.api, shown: created, payload, closed: this.changed });
	}

	/**
	 * Shows each error at the field that it names, the whole problem when it names none.
	 *
	 * @param {Problem} problem
	 */
	refused(problem) {
		if (!this.complain(faultsOf(problem)))
			this.trouble.replaceChildren(failed(problem));
	}
}

/**
 * changed() is called when a key has been created and its clear text is gone again.
 *
 * @param {Context} context
 */
export function openCreateKey(context) {
	new Form(context);
}

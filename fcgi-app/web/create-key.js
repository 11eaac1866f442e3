// create-key.js - the form with the five fields of a key. What the service refuses is shown at the
// field it is about. The answer, with key and secret in clear, goes straight to reveal.js.

import { JsonText } from './api.js';
import { button, el, newId } from './dom.js';
import { openDialog } from './dialog.js';
import { openReveal } from './reveal.js';
import { failed } from './state.js';
import { jsonFault, templateEditor } from './template-editor.js';
import { utc } from './time.js';

const NAME_LENGTH = 200;
const DAY = 24 * 3600 * 1000;
const LIVES = { never: 'Never', 30: 'In 30 days', 90: 'In 90 days', 365: 'In a year', date: 'On a date…' };
const TYPES = [
	['signal_staging', 'Signals', 'Events, leads and form submissions of any shape.'],
	['product_orgs', 'Product orgs', 'Accounts with plan, users and revenue, mapped by a template.'],
];

const characters = text => [...text].length;

// A label, an input, a hint, and room for what is wrong with it.
function field(name, label, input, hint) {
	const fault = el('p', { class: 'fault', id: newId('fault') });
	const help = el('p', { class: 'hint', id: newId('hint') }, hint);
	input.id ||= newId(name);
	input.setAttribute('aria-describedby', `${help.id} ${fault.id}`);
	return { input, help, element: el('div', { class: 'field' },
		el('label', { for: input.id }, label), input, help, fault),
	complain(text) {
		fault.textContent = text;
		input.setAttribute('aria-invalid', String(text !== ''));
	} };
}

function typeChoice(onChange) {
	const choices = TYPES.map(([value, label, text], index) => el('label', { class: 'choice' },
		el('input', { type: 'radio', name: 'endpoint_type', value, checked: index === 0,
			on: { change: () => onChange(value) } }),
		el('span', null, el('span', { class: 'choice-name' }, label),
			el('span', { class: 'sub' }, text))));
	return el('fieldset', { class: 'field' }, el('legend', null, 'Endpoint type'),
		el('div', { class: 'choices' }, choices),
		el('p', { class: 'hint' }, 'It cannot be changed later.'));
}

// The instant chosen, null for never; the date is in the reader's zone.
function expiration() {
	const date = el('input', { type: 'datetime-local', 'aria-label': 'Date and time', hidden: true });
	const life = el('select', null, Object.entries(LIVES).map(([value, label]) =>
		el('option', { value, selected: value === 'never' }, label)));
	const row = field('expires', 'Expires', life, 'Afterwards its requests are refused.');
	life.after(date);
	const value = () => {
		if (life.value === 'never')
			return null;
		const instant = life.value === 'date' ? Date.parse(date.value)
			: Date.now() + Number(life.value) * DAY;
		return Number.isNaN(instant) ? undefined : new Date(instant).toISOString();
	};
	const explain = () => {
		date.hidden = life.value !== 'date';
		const instant = value();
		row.help.textContent = instant ? `On ${utc(instant)} its requests start to be refused.`
			: 'Afterwards its requests are refused.';
	};
	life.addEventListener('change', explain);
	date.addEventListener('input', explain);
	return { ...row, value, fault() {
		const instant = value();
		if (instant === undefined)
			return 'Choose a date and a time.';
		return instant && Date.parse(instant) <= Date.now() ? 'That is in the past.' : '';
	} };
}

class Form {
	constructor({ api, signal, changed }) {
		Object.assign(this, { api, signal, changed, type: TYPES[0][0], editor: null });
		this.name = field('name', 'Name', el('input', { type: 'text', autocomplete: 'off',
			autofocus: true, required: true, placeholder: 'Website forms' }),
		'Who sends with it. 1 to 200 characters.');
		this.expires = expiration();
		this.secret = el('input', { type: 'checkbox', id: newId('secret') });
		this.templatePlace = el('div', { class: 'template-place', hidden: true });
		this.templateFault = el('p', { class: 'fault', role: 'alert' });
		this.trouble = el('div', { class: 'trouble' });
		this.submit = el('button', { type: 'submit', class: 'button primary', form: 'create-key' },
			'Create key');
		this.form = el('form', { id: 'create-key', novalidate: true, on: { submit: event => {
			event.preventDefault();
			this.send();
		} } }, this.name.element, typeChoice(value => this.choose(value)),
		el('div', { class: 'pair' }, this.expires.element,
			el('div', { class: 'field' }, el('span', { class: 'label' }, 'Secret'),
				el('label', { class: 'check' }, this.secret,
					el('span', null, 'Require a secret as well',
						el('span', { class: 'sub' }, 'Senders pass it in the header X-Api-Secret.'))))),
		this.templatePlace, this.trouble);
		this.dialog = openDialog({ title: 'Create API key', class: 'form', signal, body: this.form,
			foot: [button('Cancel', () => this.dialog.close()), this.submit],
			close: () => this.editor?.stop() });
	}

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

	faults() {
		const name = this.name.input.value.trim();
		const faults = {
			name: name === '' ? 'Give it a name.'
				: characters(name) > NAME_LENGTH ? `${characters(name)} characters are too many: 200 at most.` : '',
			expires_at: this.expires.fault(), payload_template: '' };
		const template = this.type === 'product_orgs' ? jsonFault(this.editor.text()) : null;
		if (template)
			faults.payload_template = `The template is not JSON: ${template}`;
		return faults;
	}

	// The first field that is wrong gets the focus; false when none is.
	complain(faults) {
		this.name.complain(faults.name ?? '');
		this.expires.complain(faults.expires_at ?? '');
		this.templateFault.textContent = faults.payload_template ?? '';
		const first = faults.name ? this.name.input : faults.expires_at ? this.expires.input
			: faults.payload_template ? this.editor?.input : null;
		first?.focus();
		return Boolean(first);
	}

	body() {
		return { name: this.name.input.value.trim(), endpoint_type: this.type,
			expires_at: this.expires.value(), secret: this.secret.checked,
			payload_template: this.type === 'product_orgs' ? new JsonText(this.editor.text()) : null };
	}

	async send() {
		this.trouble.replaceChildren();
		if (this.complain(this.faults()))
			return;
		this.submit.disabled = true;
		let made;
		try {
			made = await this.api.post('keys', this.body(), this.signal);
		} catch (error) {
			this.submit.disabled = false;
			this.refused(error);
			return;
		}
		const payload = this.type === 'product_orgs' ? this.editor.payload() : null;
		this.dialog.close();
		openReveal({ api: this.api, made, payload, closed: this.changed });
	}

	// What the service says goes to the field it names, "payload_template.custom.x" to the template.
	refused(problem) {
		const faults = {};
		for (const { place, detail } of problem.errors) {
			const [field, ...inside] = place.split('.');
			if (field in this.faults())
				faults[field] = inside.length > 0 ? `${inside.join('.')}: ${detail}` : detail;
		}
		if (!this.complain(faults))
			this.trouble.replaceChildren(failed(problem));
	}
}

// changed() when a key has been created and its clear text is gone again.
export function openCreateKey(context) {
	return new Form(context);
}

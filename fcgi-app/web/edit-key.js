// @ts-check
// edit-key.js - the form that changes the name, expiration, networks and payload template of a key.
// A template is tried on the latest payload that came with the key, or on a pasted one.

import { JsonText, problemOf } from './api.js';
import { button, el } from './dom.js';
import { openDialog } from './dialog.js';
import { expiration, faultsOf, nameField, networksField } from './fields.js';
import { pretty } from './json.js';
import { failed } from './state.js';
import { jsonFault, templateEditor } from './template-editor.js';
import { relative } from './time.js';

/** @import { Api, Problem } from './api.js' */
/** @import { Key, KeyEdit } from './types.js' */
/** @typedef {{ api: Api, signal: AbortSignal, key: Key, done: () => void }} Context */

class Form {
	trouble = el('div', { class: 'trouble' });
	templateFault = el('p', { class: 'fault', role: 'alert' });
	submit = el('button', { type: 'submit', class: 'button primary', form: 'edit-key' }, 'Save');

	/** @param {Context} context */
	constructor({ api, signal, key, done }) {
		this.api = api;
		this.signal = signal;
		this.key = key;
		this.done = done;
		this.name = nameField(key.name);
		this.expires = expiration(key.expires_at);
		this.networks = networksField(key.networks);
		this.template = key.payload_template ? pretty(key.payload_template) : null;
		this.editor = this.template === null ? null
			: templateEditor({ api, signal, template: this.template });
		this.dialog = openDialog({ title: 'Edit this key', signal,
			class: this.editor ? 'form wide' : 'form narrow', body: this.element(),
			foot: [button('Cancel', () => this.dialog.close()), this.submit],
			closed: () => this.editor?.stop() });
		this.loadPayload();
	}

	element() {
		return el('form', { id: 'edit-key', novalidate: true, on: { submit: event => {
			event.preventDefault();
			this.send();
		} } }, el('div', { class: 'pair' }, this.name.element, this.expires.element),
		this.networks.element, this.editor?.element, this.editor ? this.templateFault : null,
		this.trouble);
	}

	async loadPayload() {
		if (!this.editor)
			return;
		const { received_at: at, payload } = await this.api.ofKey(this.key.id, 'payload',
			this.signal).catch(() => ({ received_at: null, payload: null }));
		if (at && payload !== null)
			this.editor.tryOn(pretty(payload), ['The latest one that came with the key, ',
				relative(at), '. Or paste another one: it is tried, not stored.']);
	}

	/** What is to be changed. */
	changes() {
		/** @type {KeyEdit} */
		const changes = {};
		if (this.name.input.value.trim() !== this.key.name)
			changes.name = this.name.input.value.trim();
		if (!this.expires.kept())
			changes.expires_at = this.expires.value() ?? null;
		if (!this.networks.kept())
			changes.networks = this.networks.list();
		if (this.editor && this.editor.text() !== this.template)
			changes.payload_template = new JsonText(this.editor.text());
		return changes;
	}

	/**
	 * Shows what is wrong, and focuses the first field that is; false when none is.
	 *
	 * @param {{ name?: string, expires_at?: string, networks?: string,
	 *   payload_template?: string }} faults
	 */
	complain(faults) {
		this.name.complain(faults.name ?? '');
		this.expires.complain(faults.expires_at ?? '');
		this.networks.complain(faults.networks ?? '');
		this.templateFault.textContent = faults.payload_template ?? '';
		const first = faults.name ? this.name.input : faults.expires_at ? this.expires.input
			: faults.networks ? this.networks.input
				: faults.payload_template ? this.editor?.input : null;
		first?.focus();
		return Boolean(first);
	}

	async send() {
		const fault = this.editor ? jsonFault(this.editor.text()) : null;
		this.trouble.replaceChildren();
		if (this.complain({ name: this.name.fault(), expires_at: this.expires.fault(),
			payload_template: fault ? `The template is not valid JSON: ${fault}` : '' }))
			return;
		this.submit.disabled = true;
		try {
			const changes = this.changes();
			if (changes.payload_template && await this.editor?.rejects()) {
				this.submit.disabled = false;
				this.complain({ payload_template: 'The payload would be rejected with this'
					+ ' template. Correct the template, or try it on another payload.' });
				return;
			}
			await this.api.post(`keys/${this.key.id}/edit`, changes, this.signal);
			this.dialog.close();
			this.done();
		} catch (error) {
			this.submit.disabled = false;
			this.refused(problemOf(error));
		}
	}

	/** @param {Problem} problem */
	refused(problem) {
		if (!this.complain(faultsOf(problem)))
			this.trouble.replaceChildren(failed(problem));
	}
}

/**
 * done() is called when the key has been changed.
 *
 * @param {Context} context
 */
export function openEdit(context) {
	new Form(context);
}

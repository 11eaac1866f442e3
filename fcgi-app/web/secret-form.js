// @ts-check
// secret-form.js - the dialog that changes the secret of a key: enable, rotate, retire, remove.

import { problemOf } from './api.js';
import { button, bdi, el } from './dom.js';
import { openDialog } from './dialog.js';
import { from, overlap } from './fields.js';
import { Once } from './once.js';
import { openReveal } from './reveal.js';
import { failed } from './state.js';
import { minute } from './time.js';

/** @import { Api } from './api.js' */
/** @import { ChangedSecret, Child, Key, SecretAction } from './types.js' */

/**
 * What may be done now, and what it means. At most two secrets are valid at a time.
 *
 * @param {Key} key
 * @returns {[action: SecretAction, label: string, text: Child][]}
 */
function choicesOf(key) {
	const until = key.old_secret_until ?? key.secret_needed_from;
	if (!key.has_secret)
		return [['enable', 'Enable a secret',
			'Senders then pass it in the X-Api-Secret header of every request.']];
	/** @type {[SecretAction, string, Child]} */
	const remove = ['remove', 'Remove it', 'Requests with the key alone are accepted at once.'];
	if (until)
		return [['retire', key.old_secret_until ? 'End the old secret now' : 'Require it now',
			['Otherwise that happens by itself at ', minute(until), '.']], remove];
	return [['rotate', 'Replace it by another one',
		'Both are valid for a while, so that no request is lost.'], remove];
}

/** @type {Record<SecretAction, string>} */
const DONE = { enable: 'Enable secret', rotate: 'Rotate secret', retire: 'End it',
	remove: 'Remove secret' };

/** @typedef {{ api: Api, signal: AbortSignal, key: Key, done: (text: string) => void }} Context */

class Form {
	trouble = el('div', { class: 'trouble' });
	submit = button('', () => this.send(), { class: 'button primary' });

	/** @param {Context} context */
	constructor({ api, signal, key, done }) {
		this.api = api;
		this.key = key;
		this.done = done;
		this.once = new Once(api, `keys/${key.id}/secret`);
		this.choices = choicesOf(key);
		this.overlap = overlap(key.has_secret ? 'The old secret stays valid for'
			: 'Requests without it stay accepted for',
		seconds => seconds === 0 ? 'Senders without the new secret are refused from now on.'
			: `Until ${from(seconds)}, if you do not end it before.`);
		this.body = el('div', { class: 'fields' }, this.choiceList(), this.overlap.element);
		this.dialog = openDialog({ title: 'Secret of this key', class: 'narrow', signal, body: [
			el('p', { class: 'subject' }, el('span', { class: 'clamp' }, bdi(key.name)),
				el('code', null, key.display)), this.body, this.trouble],
		foot: [button('Cancel', () => this.dialog.close()), this.submit],
		closed: () => this.once.pending && done('The secret may have been changed') });
		this.choose(this.choices[0]?.[0] ?? 'enable');
	}

	choiceList() {
		return el('fieldset', { class: 'field' },
			el('legend', { class: 'visually-hidden' }, 'What to do'),
			el('div', { class: 'choices' }, this.choices.map(([action, label, text], index) =>
				el('label', { class: 'choice' },
					el('input', { type: 'radio', name: 'secret-action', value: action,
						checked: index === 0, on: { change: () => this.choose(action) } }),
					el('span', null, el('span', { class: 'choice-name' }, label),
						el('span', { class: 'sub' }, text))))));
	}

	/** @param {SecretAction} action */
	choose(action) {
		this.action = action;
		const makes = action === 'enable' || action === 'rotate';
		this.overlap.element.hidden = !makes;
		this.submit.textContent = DONE[action];
		this.submit.className = `button ${action === 'remove' ? 'danger' : 'primary'}`;
	}

	async send() {
		const action = this.action ?? 'enable';
		const makes = action === 'enable' || action === 'rotate';
		this.trouble.replaceChildren();
		this.submit.disabled = true;
		try {
			const changed = await this.once.post(makes
				? { action, overlap_seconds: this.overlap.seconds() } : { action });
			this.dialog.close();
			this.changed(changed);
		} catch (error) {
			this.once.reopen(this.submit, DONE[action], this.body);
			this.trouble.replaceChildren(failed(problemOf(error)));
		}
	}

	/** @param {ChangedSecret} changed */
	changed(changed) {
		const { old_secret_until: old, secret_needed_from: needed } = changed;
		if (changed.secret === null) {
			this.done(changed.has_secret ? 'The old secret was ended' : 'The secret was removed');
			return;
		}
		openReveal({ api: this.api, title: 'The new secret', shown: changed, closed: () =>
			this.done('The secret was changed'), note: old
			? ['The old secret is valid, too, until ', minute(old), '.']
			: needed ? ['Requests need it from ', minute(needed), ' on.']
				: 'Requests need it from now on.' });
	}
}

/**
 * done() is called when the secret was changed and its clear text is gone again.
 *
 * @param {Context} context
 */
export function openSecret(context) {
	new Form(context);
}

// @ts-check
// rotate-key.js - the dialog that makes the successor of a key, with what is known of the use of
// the present one.

import { problemOf } from './api.js';
import { bdi, button, el } from './dom.js';
import { openDialog } from './dialog.js';
import { expiration, from, overlap } from './fields.js';
import { Once } from './once.js';
import { openReveal } from './reveal.js';
import { failed } from './state.js';
import { minute, relative } from './time.js';

/** @import { Api } from './api.js' */
/** @import { Child, CreatedKey, Key } from './types.js' */

/**
 * "The old key, sk_abcd…wxyz, was last used 3 minutes ago and expires in 21 hours."
 *
 * @param {Key} old
 * @returns {Child[]}
 */
export function useOf(old) {
	return ['The old key, ', el('code', null, old.display), ', ', old.last_used_at
		? ['was last used ', el('strong', null, relative(old.last_used_at))]
		: el('strong', null, 'has never been used'), old.status === 'active' && old.expires_at
		? [' and is valid until ', minute(old.expires_at), '.']
		: ` and is ${old.status === 'active' ? 'valid' : old.status}.`];
}

/** @typedef {{ api: Api, signal: AbortSignal, key: Key, done: () => void }} Context */

class Form {
	trouble = el('div', { class: 'trouble' });
	submit = button('Rotate key', () => this.send(), { class: 'button primary' });
	overlap = overlap('The old key stays valid for', seconds => seconds === 0
		? 'Senders with the old key are refused from now on.'
		: `Until ${from(seconds)}. To end it before, deactivate the old key.`);

	/** @param {Context} context */
	constructor({ api, signal, key, done }) {
		this.api = api;
		this.key = key;
		this.done = done;
		this.once = new Once(api, `keys/${key.id}/rotate`);
		this.expires = expiration(key.status === 'expired' ? undefined : key.expires_at,
			'The new key expires');
		this.body = el('div', { class: 'fields' },
			el('p', null, 'The new key has the same name and settings'
				+ `${key.has_secret ? ', and a secret of its own' : ''}. A delivery that is sent`
				+ ' with both keys is stored once.'),
			this.overlap.element, this.expires.element);
		this.dialog = openDialog({ title: 'Rotate this key', class: 'narrow', signal, body: [
			el('p', { class: 'subject' }, el('span', { class: 'clamp' }, bdi(key.name)),
				el('code', null, key.display)),
			el('p', { class: 'last-used' }, key.last_used_at
				? ['It was last used ', el('strong', null, relative(key.last_used_at)), '.']
				: 'It has never been used.'), this.body, this.trouble],
		foot: [button('Cancel', () => this.dialog.close()), this.submit],
		closed: () => this.once.pending && done() });
	}

	async send() {
		const fault = this.expires.fault();
		this.trouble.replaceChildren();
		this.expires.complain(fault);
		if (fault) {
			this.expires.input.focus();
			return;
		}
		this.submit.disabled = true;
		try {
			const made = await this.once.post({ overlap_seconds: this.overlap.seconds(),
				...this.expires.kept() ? {} : { expires_at: this.expires.value() } });
			this.dialog.close();
			this.reveal(made);
		} catch (error) {
			this.once.reopen(this.submit, 'Rotate key', this.body);
			this.trouble.replaceChildren(failed(problemOf(error)));
		}
	}

	/** @param {CreatedKey} made */
	reveal(made) {
		const note = el('p', { role: 'status' }, ...[useOf(this.key)].flat());
		openReveal({ api: this.api, title: 'The new key', shown: made, note, closed: this.done });
		this.api.get(`keys/${this.key.id}`, {}, new AbortController().signal)
			.then(old => note.replaceChildren(el('span', null, useOf(old))), () => {});
	}
}

/**
 * done() is called when the key was rotated and the clear text of the new one is gone again.
 *
 * @param {Context} context
 */
export function openRotate(context) {
	new Form(context);
}

// @ts-check
// tokens.js - the tokens below the members: by which programs use the API of the settings. A new
// one goes straight to reveal.js, which shows it once.

import { problemOf } from './api.js';
import { announce, bdi, button, el, isolate } from './dom.js';
import { openDialog } from './dialog.js';
import { faultsOf, lifetime, nameField } from './fields.js';
import { Once } from './once.js';
import { openReveal } from './reveal.js';
import { failed, supersede } from './state.js';
import { facts, pages } from './table.js';
import { day, minute, relative } from './time.js';

/** @import { Ask, Child, Column, Scope, Token, TokenStatus, ViewContext } from './types.js' */

const PAGE = 50;

/** @type {[Scope, label: string, text: string][]} */
const SCOPES = [
	['read', 'Read', 'See what you may see: keys, signals, usage, members, audit log.'],
	['keys', 'Keys', 'Create, change, rotate and deactivate keys.'],
	['rejects', 'Rejects', 'Repair, replay and discard rejected payloads.'],
	['organization', 'Organization', 'Change members and the limit, as far as you may.'],
];
/** @type {Record<TokenStatus, [label: string, tone: string]>} */
const STATUSES = { active: ['Active', 'good'], expired: ['Expired', 'warn'],
	revoked: ['Revoked', 'idle'] };

/** @param {Scope[]} scopes */
const namesOf = scopes => SCOPES.filter(([scope]) => scopes.includes(scope))
	.map(([, label]) => label).join(', ');

/** The form of a new token. */
class Form {
	trouble = el('div', { class: 'trouble' });
	submit = el('button', { type: 'submit', form: 'token-form', class: 'button primary' },
		'Create token');
	name = nameField();
	expires = lifetime();

	/** @param {Tokens} tokens */
	constructor(tokens) {
		this.tokens = tokens;
		this.once = new Once(tokens.api, 'tokens');
		this.name.help.textContent = 'The program that will use the token.';
		this.name.input.placeholder = 'Deployment';
		this.scopes = SCOPES.filter(([scope]) => scope !== 'organization' || tokens.manages)
			.map(([scope, label, text]) => ({ scope, label, text, input: el('input',
				{ type: 'checkbox', name: 'scope', value: scope, checked: scope === 'read' }) }));
		this.fields = el('div', { class: 'fields' }, this.name.element, this.scopeList(),
			this.expires.element);
		this.dialog = openDialog({ title: 'Create a token', class: 'form narrow',
			signal: tokens.signal, body: el('form', { id: 'token-form', novalidate: true,
				on: { submit: event => {
					event.preventDefault();
					this.send();
				} } }, this.fields, this.trouble),
			foot: [button('Cancel', () => this.dialog.close()), this.submit],
			closed: () => this.once.pending && tokens.done('The token may have been created') });
	}

	scopeList() {
		return el('fieldset', { class: 'field' }, el('legend', null, 'What it may be used for'),
			el('div', { class: 'choices' }, this.scopes.map(({ label, text, input }) =>
				el('label', { class: 'choice' }, input,
					el('span', null, el('span', { class: 'choice-name' }, label),
						el('span', { class: 'sub' }, text))))));
	}

	async send() {
		const fault = this.name.fault();
		const scopes = this.scopes.filter(({ input }) => input.checked).map(({ scope }) => scope);
		this.name.complain(fault);
		this.trouble.replaceChildren();
		if (fault) {
			this.name.input.focus();
			return;
		}
		this.submit.disabled = true;
		try {
			const made = await this.once.post({ name: this.name.input.value.trim(), scopes,
				expires_at: this.expires.value() });
			this.dialog.close();
			openReveal({ api: this.tokens.api, title: 'Your new token', shown: made,
				closed: () => this.tokens.done('The token was created') });
		} catch (error) {
			const problem = problemOf(error), faults = faultsOf(problem);
			this.once.reopen(this.submit, 'Create token', this.fields);
			this.name.complain(faults.name ?? '');
			this.trouble.replaceChildren(failed(problem));
		}
	}
}

export class Tokens {
	place = el('div');

	/**
	 * @param {ViewContext} context
	 * @param {Ask} ask
	 */
	constructor({ api, signal, organization, user }, ask) {
		this.api = api;
		this.signal = signal;
		this.user = user;
		this.manages = organization.role === 'owner' || organization.role === 'admin';
		this.ask = ask;
		this.nextLoad = supersede(signal);
		this.heading = el('h2', { tabindex: -1 }, 'Tokens');
		this.elements = [el('div', { class: 'head' },
			el('div', null, this.heading,
				el('p', { class: 'lead' }, 'For programs that use these settings without a'
					+ ' browser. A token acts for you, and ends when you leave.')),
			button('Create token', () => new Form(this))),
		el('section', { class: 'card', 'aria-label': 'Tokens' }, this.place)];
	}

	/** The newest tokens. */
	load() {
		const signal = this.nextLoad();
		/** @type {Column<Token>[]} */
		const columns = [
			{ label: 'Name', class: 'cell-name', cell: ({ name, display }) =>
				[el('span', { class: 'clamp' }, bdi(name)),
					el('code', { class: 'sub' }, display)] },
			{ label: 'User', cell: ({ user }) => el('span', { class: 'clip' }, bdi(user)) },
			{ label: 'Scopes', cell: ({ scopes }) => namesOf(scopes) },
			{ label: 'Expires', class: 'nowrap', cell: ({ expires_at: end }) => day(end) },
			{ label: 'Last used', class: 'nowrap', cell: ({ last_used_at: used }) =>
				used ? relative(used) : el('span', { class: 'muted' }, 'Never') },
			{ label: 'Status', class: 'nowrap', cell: ({ status }) =>
				el('span', { class: `badge ${STATUSES[status][1]}` }, STATUSES[status][0]) },
		];
		return pages(this.place, { caption: 'Tokens', columns, signal,
			about: token => isolate(token.name), detail: token => this.detail(token),
			nothing: () => el('p', { class: 'padded muted' }, 'There is no token yet.'),
			load: async before => {
				const { tokens, next } = await this.api.get('tokens', { limit: PAGE, before },
					signal);
				return { rows: tokens, next };
			} });
	}

	/** @param {string} text */
	async done(text) {
		announce(text);
		await this.load();
		this.heading.focus();
	}

	/** @param {Token} token */
	detail(token) {
		/** @type {(timestamp: string | null, by: string | null) => Child} */
		const when = (timestamp, by) => timestamp === null ? null
			: [minute(timestamp), ' by ', bdi(by ?? '')];
		const may = token.status === 'active' && (this.manages || token.user === this.user);
		return [may ? el('div', { class: 'actions' }, button('Revoke', () => this.revoke(token),
			{ class: 'button small quiet-danger',
				'aria-label': `Revoke: ${isolate(token.name)}` })) : null,
		facts([['Created', when(token.created_at, token.created_by)],
			['Expires', minute(token.expires_at)],
			['Revoked', when(token.revoked_at, token.revoked_by)]])];
	}

	/** @param {Token} token */
	revoke(token) {
		this.ask({ title: 'Revoke this token?', label: 'Revoke', danger: true,
			body: [el('p', { class: 'subject' }, bdi(token.name), ' ',
				el('code', null, token.display)),
			el('p', null, 'Programs that use it are refused from now on. It cannot be undone.')],
			send: () => this.api.post(`tokens/${token.id}/revoke`, {}, this.signal),
			done: () => this.done(`${isolate(token.name)} was revoked`) });
	}
}

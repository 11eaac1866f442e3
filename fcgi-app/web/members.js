// @ts-check
// members.js - the Members view: who may use the organization's settings, and in which role.

import { problemOf } from './api.js';
import { announce, bdi, button, debounce, el, isolate, newId } from './dom.js';
import { openDialog } from './dialog.js';
import { faultsOf, field } from './fields.js';
import { ROLES } from './roles.js';
import { empty, failed, supersede } from './state.js';
import { pages } from './table.js';
import { day } from './time.js';
import { Tokens } from './tokens.js';

/** @import { Ask, Column, Member, Role, ViewContext } from './types.js' */

const PAGE = 50;
const SEARCH_DELAY_MS = 200;

/** @type {Record<Role, string>} */
const MAY = {
	owner: 'Everything, and passes the ownership on.',
	admin: 'Manages keys, editors and viewers.',
	editor: 'Manages keys.',
	viewer: 'Sees statistics and staged rows.',
};

/**
 * The roles that someone may give and take.
 *
 * @param {Role} role
 * @returns {Role[]}
 */
function manageable(role) {
	return role === 'owner' ? ['admin', 'editor', 'viewer']
		: role === 'admin' ? ['editor', 'viewer'] : [];
}

/**
 * @param {string} label
 * @param {Role[]} roles
 * @param {Role} present
 */
function roleField(label, roles, present) {
	const row = field('role', label, el('select', null, roles.map(role =>
		el('option', { value: role, selected: role === present }, ROLES[role]))), '');
	const explain = () => {
		row.help.textContent = MAY[/** @type {Role} */ (row.input.value)];
	};
	row.input.addEventListener('change', explain);
	explain();
	return { ...row, value: () => /** @type {Role} */ (row.input.value) };
}

class Members {
	text = '';
	place = el('div');
	search = this.toolbar();

	/** @param {ViewContext} context */
	constructor({ api, root, signal, organization, user }) {
		this.api = api;
		this.root = root;
		this.signal = signal;
		this.user = user;
		this.roles = manageable(organization.role);
		this.role = organization.role;
		this.nextLoad = supersede(signal);
	}

	/** The first members, the owner on top. */
	load() {
		const signal = this.nextLoad();
		/** @type {Column<Member>[]} */
		const columns = [
			{ label: 'User', class: 'cell-name', cell: member =>
				[el('span', { class: 'clamp' }, bdi(member.user)),
					member.user === this.user ? el('span', { class: 'sub' }, 'You') : null] },
			{ label: 'Role', class: 'nowrap', cell: ({ role }) => ROLES[role] },
			{ label: 'Added', class: 'nowrap', cell: member => [day(member.added_at),
				el('span', { class: 'sub clip' }, 'by ', bdi(member.added_by))] },
		];
		return pages(this.place, { caption: 'Members', columns, signal,
			about: member => isolate(member.user), detail: member => this.detail(member),
			nothing: () => empty('No member matches', 'Try another name.'),
			load: async before => {
				const { members, next } = await this.api.get('members',
					{ match: this.text.trim(), limit: PAGE, before }, signal);
				this.search.hidden = next === null && before === null && this.text === '';
				return { rows: members, next };
			} });
	}

	/** Shown when there are many. */
	toolbar() {
		const id = newId('search');
		const find = debounce((/** @type {string} */ text) => {
			this.text = text;
			this.load();
		}, SEARCH_DELAY_MS);
		return el('div', { class: 'toolbar', role: 'search', hidden: true },
			el('label', { class: 'visually-hidden', for: id }, 'Search members'),
			el('input', { id, type: 'search', class: 'search', placeholder: 'User name',
				autocomplete: 'off', spellcheck: 'false',
				on: { input: ({ currentTarget }) => find(currentTarget.value) } }));
	}

	/**
	 * What a member may do, and what can be done with it.
	 *
	 * @param {Member} member
	 */
	detail(member) {
		/** @type {(label: string, open: () => void, name?: string) => Node} */
		const action = (label, open, name = '') => button(label, open,
			{ class: `button small ${name}`.trim(),
				'aria-label': `${label}: ${isolate(member.user)}` });
		const mine = member.user === this.user;
		const managed = this.roles.includes(member.role);
		return [el('div', { class: 'actions' },
			managed ? action('Change role', () => this.change(member)) : null,
			managed && this.role === 'owner'
				? action('Make owner', () => this.transfer(member)) : null,
			mine && member.role !== 'owner'
				? action('Leave', () => this.remove(member), 'quiet-danger')
				: managed ? action('Remove', () => this.remove(member), 'quiet-danger') : null),
		el('p', null, MAY[member.role])];
	}

	/** @param {string} text */
	async done(text) {
		announce(text);
		await this.load();
		this.root.querySelector('h1')?.focus();
	}

	/**
	 * A dialog whose button sends something, and shows what was wrong with it.
	 *
	 * @type {Ask}
	 */
	ask = ({ title, body, label, danger = false, send, done, complain = () => false }) => {
		const trouble = el('div', { class: 'trouble' });
		const id = 'member-form';
		const submit = el('button', { type: 'submit', form: id,
			class: `button ${danger ? 'danger' : 'primary'}` }, label);
		const form = el('form', { id, novalidate: true, on: { submit: async event => {
			event.preventDefault();
			trouble.replaceChildren();
			submit.disabled = true;
			try {
				await send();
				dialog.close();
				done();
			} catch (error) {
				const problem = problemOf(error);
				submit.disabled = false;
				if (!complain(faultsOf(problem)))
					trouble.replaceChildren(failed(problem));
			}
		} } }, body, trouble);
		const dialog = openDialog({ title, class: 'form narrow', signal: this.signal, body: form,
			foot: [button('Cancel', () => dialog.close()), submit] });
	};

	add() {
		const name = field('user', 'User name', el('input', { type: 'text', autocomplete: 'off',
			autofocus: true, spellcheck: 'false' }),
		'The name with which the user signs in at the web server.');
		const role = roleField('Role', this.roles, 'viewer');
		this.ask({ title: 'Add a member', label: 'Add member', body: [name.element, role.element],
			send: () => {
				name.complain('');
				return this.api.post('members', { user: name.input.value.trim(),
					role: role.value() }, this.signal);
			},
			complain: ({ user }) => {
				name.complain(user ?? '');
				name.input.focus();
				return Boolean(user);
			},
			done: () => this.done(`${isolate(name.input.value.trim())} was added`) });
	}

	/** @param {Member} member */
	change(member) {
		const role = roleField('Role', this.roles, member.role);
		this.ask({ title: 'Change a role', label: 'Save',
			body: [el('p', { class: 'subject' }, bdi(member.user)), role.element],
			send: () => this.api.post('members/role', { user: member.user, role: role.value() },
				this.signal),
			done: () => this.done(`${isolate(member.user)} is ${ROLES[role.value()]} now`) });
	}

	/** @param {Member} member */
	transfer(member) {
		this.ask({ title: 'Pass the ownership on?', label: 'Make owner', danger: true,
			body: [el('p', { class: 'subject' }, bdi(member.user)),
				el('p', null, 'An organization has one owner. You will be an admin, and only the'
					+ ' new owner can make you the owner again.')],
			send: () => this.api.post('members/role', { user: member.user, role: 'owner' },
				this.signal),
			done: () => location.reload() });
	}

	/** @param {Member} member */
	remove(member) {
		const mine = member.user === this.user;
		this.ask({ title: mine ? 'Leave this organization?' : 'Remove this member?',
			label: mine ? 'Leave' : 'Remove', danger: true,
			body: [el('p', { class: 'subject' }, bdi(member.user)),
				el('p', null, 'Keys that were made by a member stay as they are. An admin or the'
					+ ' owner can add the member again.')],
			send: () => this.api.post('members/remove', { user: member.user }, this.signal),
			done: () => mine ? location.reload()
				: this.done(`${isolate(member.user)} was removed`) });
	}
}

/** @param {ViewContext} context */
export function render(context) {
	const members = new Members(context);
	const tokens = new Tokens(context, members.ask);
	context.root.append(
		el('div', { class: 'head' },
			el('div', null, el('h1', { tabindex: -1 }, 'Members'),
				el('p', { class: 'lead' }, 'Who may use the settings of this organization. The web'
					+ ' server signs them in.')),
			members.roles.length === 0 ? null
				: button('Add member', () => members.add(), { class: 'button primary' })),
		el('section', { class: 'card', 'aria-label': 'Members' }, members.search,
			members.place),
		...tokens.elements);
	members.load();
	tokens.load();
}

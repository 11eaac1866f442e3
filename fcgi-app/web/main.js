// @ts-check
// main.js - starts the page: who is signed in, which organization, which view. A view's module is
// loaded when the view is first shown.

import { Api, Problem, problemOf } from './api.js';
import { bdi, button, byId, el } from './dom.js';
import { lastOrganization, rememberOrganization } from './last.js';
import { address, onChange, read } from './router.js';
import { empty, failed, loading } from './state.js';
import { userOf } from './user.js';

/** @import { Me, Organization, Query, View } from './types.js' */

/** @type {Map<string, Promise<unknown>>} */
const sheets = new Map();

/**
 * Loads a style sheet; again where it has not come.
 *
 * @param {string} name
 */
function sheet(name) {
	const loaded = sheets.get(name) ?? new Promise((resolve, reject) => {
		const link = el('link', { rel: 'stylesheet', href: `style/${name}.css`, on: {
			load: resolve,
			error() {
				sheets.delete(name);
				link.remove();
				reject(NO_CODE);
			},
		} });
		document.head.append(link);
	});
	sheets.set(name, loaded);
	return loaded;
}

/**
 * With style sheets that the first view does without.
 *
 * @template Module
 * @param {Promise<Module>} module
 * @param {string[]} names
 */
async function withSheets(module, ...names) {
	const [loaded] = await Promise.all([module, ...names.map(sheet)]);
	return loaded;
}

/** @type {View} */
const STAGING = { name: 'staging', label: 'Staging',
	load: () => withSheets(import('./staging.js'), 'statistics', 'lists') };
/** @type {View[]} */
const VIEWS = [
	{ name: 'keys', label: 'API keys', manages: true, load: () => import('./keys.js') },
	STAGING,
	{ name: 'usage', label: 'Usage', manages: true,
		load: () => withSheets(import('./usage.js'), 'statistics') },
	{ name: 'members', label: 'Members', manages: true, load: () => import('./members.js') },
	{ name: 'audit', label: 'Audit log', manages: true, load: () => import('./audit.js') },
];

const NO_CODE = new Problem({ title: 'No answer from the server',
	detail: 'The view could not be loaded. Check your network and try again.' });

const api = new Api();
const main = byId('main');
let leave = new AbortController();

/**
 * The organization that the address names, else the last one, else one whose keys the user may
 * manage.
 *
 * @param {Me} me
 * @param {URLSearchParams} parameters
 */
function organizationOf({ organizations }, parameters) {
	const wanted = parameters.get('organization') ?? lastOrganization();
	return organizations.find(({ id }) => String(id) === wanted)
		?? organizations.find(one => one.may_manage_keys) ?? organizations[0];
}

/**
 * The parameter is needed only where there is a choice.
 *
 * @param {Me} me
 * @param {Organization} organization
 * @returns {Query}
 */
function fixedParameters({ organizations }, organization) {
	return { organization: organizations.length > 1 ? organization.id : null };
}

/**
 * The organization's name, or a switch where there are several.
 *
 * @param {Me} me
 * @param {Organization} organization
 * @param {View} view
 */
function organizationSwitch({ organizations }, organization, view) {
	if (organizations.length === 1)
		return el('span', { class: 'organization' }, bdi(organization.name));
	return el('label', { class: 'switcher' },
		el('span', { class: 'visually-hidden' }, 'Organization'),
		el('select', { on: { change({ currentTarget }) {
			location.hash = address(view.name, { organization: currentTarget.value });
		} } }, organizations.map(({ id, name }) =>
			el('option', { value: id, selected: id === organization.id }, name))));
}

/**
 * @param {Me} me
 * @param {Organization} organization
 * @param {View} current
 * @param {View[]} allowed
 */
function showNavigation(me, organization, current, allowed) {
	byId('views').replaceChildren(...allowed.map(({ name, label }) =>
		el('a', { href: address(name, fixedParameters(me, organization)),
			'aria-current': name === current.name ? 'page' : null }, label)));
	byId('views').querySelector('[aria-current]')?.scrollIntoView(
		{ block: 'nearest', inline: 'nearest' });
	byId('who').replaceChildren(organizationSwitch(me, organization, current),
		userOf(me, organization));
}

/**
 * Shows the view that the address names; one that the role does not allow leads to the first that
 * it does.
 *
 * @param {Me} me
 * @param {boolean} moved whether the reader has just come from another view
 */
async function show(me, moved) {
	leave.abort();
	leave = new AbortController();
	const { signal } = leave;
	const { view: wanted, parameters } = read();
	const organization = organizationOf(me, parameters);
	const allowed = VIEWS.filter(({ manages }) => !manages || organization.may_manage_keys);
	const view = allowed.find(({ name }) => name === wanted) ?? allowed[0] ?? STAGING;
	api.organization = organization.id;
	if (me.organizations.length > 1)
		rememberOrganization(organization);
	document.title = `${view.label} · Sluice`;
	showNavigation(me, organization, view, allowed);
	const root = el('div', { class: 'view', 'data-view': view.name, 'aria-busy': 'true' });
	main.replaceChildren(root);
	const heading = el('h1', { tabindex: -1 }, view.label);
	root.append(heading, loading(view.label));
	if (![null, String(organization.id)].includes(parameters.get('organization'))) {
		root.removeAttribute('aria-busy');
		root.replaceChildren(heading, empty('This is not an organization of yours',
			'The address names one that you are not a member of, or that does not exist.',
			el('a', { class: 'button',
				href: address(view.name, fixedParameters(me, organization)) },
			el('span', null, 'Go to ', bdi(organization.name)))));
		return;
	}
	try {
		const { render } = await view.load().catch(async () => {
			await api.me(signal); // which says why, if nothing comes
			throw NO_CODE;
		});
		if (signal.aborted)
			return;
		root.removeAttribute('aria-busy');
		root.replaceChildren();
		render({ api, root, signal, parameters, organization, user: me.user,
			fixed: fixedParameters(me, organization) });
	} catch (error) {
		if (signal.aborted)
			return;
		root.removeAttribute('aria-busy');
		root.replaceChildren(heading, failed(error, () => show(me, moved)));
	}
	if (moved)
		root.querySelector('h1')?.focus();
}

/**
 * For a user that is not known, or none: what the API says about it, and what happens next.
 *
 * @param {Problem} problem
 */
function showStranger(problem) {
	const known = problem.code === 'not_a_member';
	document.title = 'No access · Sluice';
	main.replaceChildren(el('div', { class: 'view stranger' },
		el('h1', null, known ? 'You are not a member yet' : 'You are not signed in'),
		el('p', { class: 'stranger-detail' }, problem.message),
		el('p', { class: 'sub' }, known
			? 'Once you have been added, this page shows the API keys and what senders post.'
			: 'The web server must ask for a name and password, or pass on who you are.'),
		button('Check again', start, { class: 'button primary' })));
}

/** @type {Me | null} */
let signedIn = null;

async function start() {
	main.replaceChildren(loading('settings'));
	try {
		signedIn = await api.me();
	} catch (error) {
		const problem = problemOf(error);
		if (problem.code === 'not_a_member' || problem.code === 'not_signed_in')
			showStranger(problem);
		else
			main.replaceChildren(failed(problem, start));
		return;
	}
	await show(signedIn, false);
}

// a link that is half in sight is no good to the keyboard
byId('views').addEventListener('focusin', ({ target }) => {
	if (target instanceof Element)
		target.scrollIntoView({ block: 'nearest', inline: 'nearest' });
});
byId('skip').addEventListener('click', event => {
	event.preventDefault();
	main.focus();
});
onChange(() => {
	if (signedIn)
		show(signedIn, true);
});
start();

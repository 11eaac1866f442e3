// main.js - starts the page: who is signed in, which organization, which view. Views are modules
// that are loaded when they are first shown.

import { Api } from './api.js';
import { bdi, button, el } from './dom.js';
import { address, onChange, read } from './router.js';
import { failed, loading } from './state.js';

const VIEWS = [
	{ name: 'keys', label: 'API keys', manages: true, load: () => import('./keys.js') },
	{ name: 'staging', label: 'Staging', load: () => import('./staging.js') },
	{ name: 'usage', label: 'Usage', manages: true, load: () => import('./usage.js') },
	{ name: 'audit', label: 'Audit log', manages: true, load: () => import('./audit.js') },
];
const ROLES = { owner: 'Owner', admin: 'Admin', editor: 'Editor', viewer: 'Viewer' };

const api = new Api();
const main = document.getElementById('main');
let me;
let leave = new AbortController();

function organizationOf(parameters) {
	const wanted = parameters.get('organization');
	return me.organizations.find(({ id }) => String(id) === wanted) 
		?? me.organizations.find(one => one.may_manage_keys) ?? me.organizations[0];
}

// The parameter is only needed where there is a choice.
function parameterOf(organization) {
	return { organization: me.organizations.length > 1 ? organization.id : null };
}

function showNavigation(current, organization, allowed) {
	document.getElementById('views').replaceChildren(...allowed.map(({ name, label }) =>
		el('a', { href: address(name, parameterOf(organization)),
			'aria-current': name === current.name ? 'page' : null }, label)));
	const who = [el('span', { class: 'user' }, bdi(me.user),
		el('span', { class: 'role' }, ROLES[organization.role] ?? organization.role))];
	if (me.organizations.length > 1)
		who.unshift(el('label', { class: 'switcher' },
			el('span', { class: 'visually-hidden' }, 'Organization'),
			el('select', { on: { change(event) {
				location.hash = address(current.name, { organization: event.target.value });
			} } }, me.organizations.map(({ id, name }) => el('option', { value: id,
				selected: id === organization.id }, name)))));
	else
		who.unshift(el('span', { class: 'organization' }, bdi(organization.name)));
	document.getElementById('who').replaceChildren(...who);
}

async function show(moved) {
	leave.abort();
	leave = new AbortController();
	const { signal } = leave;
	const { view: wanted, parameters } = read();
	const organization = organizationOf(parameters);
	const allowed = VIEWS.filter(({ manages }) => !manages || organization.may_manage_keys);
	const view = allowed.find(({ name }) => name === wanted) ?? allowed[0];
	api.organization = organization.id;
	document.title = `${view.label} · Sluice`;
	showNavigation(view, organization, allowed);
	const root = el('div', { class: 'view', 'data-view': view.name });
	main.replaceChildren(root);
	try {
		const { render } = await view.load();
		if (signal.aborted)
			return;
		render({ api, root, signal, parameters, organization,
			fixed: parameterOf(organization) });
	} catch (error) {
		root.replaceChildren(failed(error, () => show(moved)));
	}
	if (moved)
		root.querySelector('h1')?.focus();
}

// Nobody, or nobody we know: what the service says about it, and the way on.
function showStranger(problem) {
	const known = problem.code === 'not_a_member';
	document.title = 'No access · Sluice';
	main.replaceChildren(el('div', { class: 'view stranger' },
		el('h1', null, known ? 'You are not a member yet' : 'You are not signed in'),
		el('p', { class: 'stranger-detail' }, problem.message),
		el('p', { class: 'sub' }, known
			? 'As soon as you have been added, this page shows the API keys and what comes in.'
			: 'The web server has to ask for a name and a password, or pass on who you are.'),
		button('Check again', start, { class: 'button primary' })));
}

async function start() {
	main.replaceChildren(loading('settings'));
	try {
		me = await api.me();
	} catch (error) {
		if (error.code === 'not_a_member' || error.code === 'not_signed_in')
			showStranger(error);
		else
			main.replaceChildren(failed(error, start));
		return;
	}
	await show(false);
}

document.getElementById('skip').addEventListener('click', event => {
	event.preventDefault();
	main.focus();
});
onChange(() => me && show(true));
start();

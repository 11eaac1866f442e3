// @ts-check
// user.js - who is signed in, and how to sign out: the web server signs users in, so the page
// cannot sign them out.

import { bdi, el } from './dom.js';
import { ROLES } from './roles.js';

/** @import { Me, Organization } from './types.js' */

/** @param {string} type of authentication */
function signOut(type) {
	return /^(basic|digest)$/i.test(type)
		? 'The page cannot sign you out: the browser keeps name and password until all of its'
			+ ' windows are closed. Close them before you leave a computer that others use.'
		: 'The web server has signed you in. To sign out, go where you signed in.';
}

/**
 * @param {Me} me
 * @param {Organization} organization
 */
export function userOf({ user, auth_type: type }, { role }) {
	const details = el('details', { class: 'user', on: { focusout: ({ relatedTarget }) => {
		if (!(relatedTarget instanceof Node && details.contains(relatedTarget)))
			details.open = false;
	}, keydown: ({ key }) => {
		if (key === 'Escape')
			details.open = false;
	} } }, el('summary', null, el('span', { class: 'user-name' }, bdi(user)),
		el('span', { class: 'role' }, ROLES[role] ?? role)),
	el('div', { class: 'sign-out', tabindex: -1 }, el('p', null, el('strong', null, 'Signing out')),
		el('p', null, signOut(type))));
	return details;
}

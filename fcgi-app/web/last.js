// @ts-check
// last.js - which organization was shown last: all that the page keeps in the browser.

/** @import { Organization } from './types.js' */

const LAST = 'sluice-organization';

/** The organization that was shown last in this browser; null where nothing is kept. */
export function lastOrganization() {
	try {
		return localStorage.getItem(LAST);
	} catch {
		return null;
	}
}

/** @param {Organization} organization */
export function rememberOrganization({ id }) {
	try {
		localStorage.setItem(LAST, String(id));
	} catch {
		// a browser that keeps nothing: the address still names it
	}
}

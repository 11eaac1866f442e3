// @ts-check
// router.js - which view the address shows: "#/staging?organization=2&window=7d". What follows "#"
// is never sent to a server, and nothing secret stands there.

/** @import { Query } from './types.js' */

/** The view and its parameters; the view is '' when the address names none. */
export function read() {
	const [, view = '', query = ''] = /^#\/([a-z-]*)(?:\?(.*))?$/.exec(location.hash) ?? [];
	return { view, parameters: new URLSearchParams(query) };
}

/**
 * The address of a view, for `href`.
 *
 * @param {string} view
 * @param {Query} [parameters]
 */
export function address(view, parameters = {}) {
	const query = new URLSearchParams();
	for (const [name, value] of Object.entries(parameters))
		if (value !== null && value !== undefined && value !== '')
			query.set(name, String(value));
	return `#/${view}${query.size ? `?${query}` : ''}`;
}

/**
 * Puts into the address what has been chosen within a view, without an entry in the history: "back"
 * leaves the view.
 *
 * @param {string} view
 * @param {Query} parameters
 */
export function replace(view, parameters) {
	history.replaceState(null, '', address(view, parameters));
}

/**
 * The same with an entry: "back" leads to what was chosen before.
 *
 * @param {string} view
 * @param {Query} parameters
 */
export function push(view, parameters) {
	if (address(view, parameters) !== location.hash)
		history.pushState(null, '', address(view, parameters));
}

/** Shows the view anew, as it is now. */
export const again = () => dispatchEvent(new Event('hashchange'));

/**
 * Calls `show` whenever the address names another view.
 *
 * @param {() => void} show
 */
export function onChange(show) {
	addEventListener('hashchange', () => {
		if (/^(#\/|#?$)/.test(location.hash))
			show();
	});
}

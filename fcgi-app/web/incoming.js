// @ts-check
// incoming.js - the lists of the Staging view behind tabs: signals, product orgs as they are now,
// their updates, and rejects.

import { el } from './dom.js';
import { currentOrgs } from './current-orgs.js';
import { orgUpdates } from './org-updates.js';
import { rejects } from './rejects.js';
import { SEARCHES, keepKnown } from './search.js';
import { signals } from './signals.js';
import { supersede } from './state.js';

/** @import { Context } from './rejects.js' */
/** @import { ListName } from './search.js' */

/** @type {Record<ListName, (place: HTMLElement, context: Context) => void>} */
const LISTS = { signals, 'current-orgs': currentOrgs, 'product-orgs': orgUpdates, rejects };

/**
 * @param {ListName} current
 * @param {(name: ListName) => void} choose
 */
function tabs(current, choose) {
	return el('div', { class: 'tabs', role: 'group', 'aria-label': 'Show' },
		/** @type {ListName[]} */ (Object.keys(LISTS)).map(name => el('button', { type: 'button',
			class: 'tab', 'aria-pressed': String(name === current),
			on: { click: () => choose(name) } }, SEARCHES[name].label)));
}

/** @param {string | null | undefined} name */
const nameOf = name =>
	Object.hasOwn(LISTS, name ?? '') ? /** @type {ListName} */ (name) : 'signals';

/**
 * Fills `place`. `chosen` follows what the reader chooses; changed() is called each time.
 *
 * @param {Context & { place: HTMLElement, next?: () => AbortSignal }} context
 */
export function incoming(context) {
	const { place, api, chosen, changed, manages } = context;
	const name = nameOf(chosen['list']);
	const body = el('div');
	context.next ??= supersede(context.signal);
	keepKnown(chosen, SEARCHES[name], false);
	place.replaceChildren(el('div', { class: 'toolbar' }, tabs(name, tab => {
		chosen['list'] = tab === 'signals' ? null : tab;
		keepKnown(chosen, SEARCHES[tab], tab !== name);
		changed();
		incoming(context);
		/** @type {HTMLElement | null} */ (place.querySelector('[aria-pressed=true]'))?.focus();
	})), body);
	LISTS[name](body, { api, signal: context.next(), chosen, changed, manages });
}

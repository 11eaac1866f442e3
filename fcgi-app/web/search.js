// @ts-check
// search.js - which signals are looked for: the form above their list, its values in the address,
// and the query that they make.

import { button, el, newId } from './dom.js';
import { STATUSES } from './status.js';

/** @import { Query } from './types.js' */

/**
 * What was chosen, by its name in the address; null or missing: nothing.
 *
 * @typedef {Record<string, string | null>} Chosen
 */

const HOUR_MS = 3600000;
const TEXT_DAYS = 31; // payloads are read one by one

/** Names in the address. */
export const NAMES = ['q', 'in', 'source', 'event', 'key', 'status', 'when', 'from', 'until'];

/** @type {Record<string, string>} */
const WHENS = { '': 'Any time', hour: 'Last hour', today: 'Today', yesterday: 'Yesterday',
	'7d': 'Last 7 days', '31d': 'Last 31 days', between: 'Between …' };

/** @param {number} days before today; midnight of the reader's time zone */
function midnight(days) {
	const now = new Date();
	return new Date(now.getFullYear(), now.getMonth(), now.getDate() - days);
}

/** @param {string | null | undefined} local of an input; a year alone, or nonsense, is none */
function instant(local) {
	const date = new Date(local ?? '');
	return Number.isNaN(date.getTime()) ? null : date;
}

/**
 * @param {Chosen} chosen
 * @returns {[from: Date | null, until: Date | null]}
 */
function span(chosen) {
	switch (chosen['when']) {
	case 'hour':
		return [new Date(Date.now() - HOUR_MS), null];
	case 'today':
		return [midnight(0), null];
	case 'yesterday':
		return [midnight(1), midnight(0)];
	case '7d':
		return [midnight(7), null];
	case '31d':
		return [midnight(31), null];
	case 'between':
		return [instant(chosen['from']), instant(chosen['until'])];
	default:
		return [null, null];
	}
}

/**
 * The parameters of the API. Of a text in the payload those of the last days, unless a time was
 * chosen.
 *
 * @param {Chosen} chosen
 * @returns {Query}
 */
export function queryOf(chosen) {
	const inText = chosen['in'] === 'text' && Boolean(chosen['q']);
	let [from, until] = span(chosen);
	if (inText)
		from ??= new Date((until?.getTime() ?? Date.now()) - TEXT_DAYS * 24 * HOUR_MS);
	return { identity: inText ? null : chosen['q'], text: inText ? chosen['q'] : null,
		source: chosen['source'], event: chosen['event'], key: chosen['key'],
		status: chosen['status'],
		from: from?.toISOString(), until: until?.toISOString() };
}

/** @param {Chosen} chosen whether anything is */
export const isFiltered = chosen => NAMES.some(name => name !== 'in' && chosen[name]);

/** @param {Chosen} chosen whether what arrives from now on can be among it */
export const isOpen = chosen => span(chosen)[1] === null;

/**
 * A label above its field.
 *
 * @param {string} label
 * @param {string} kind a class
 * @param {HTMLInputElement | HTMLSelectElement} input
 */
function field(label, kind, input) {
	input.id = newId('search');
	return el('div', { class: `search-field ${kind}` },
		el('label', { for: input.id }, label), input);
}

/**
 * @param {string} name
 * @param {string | null | undefined} value
 * @param {Record<string, string>} options
 */
function select(name, value, options) {
	return el('select', { name }, Object.entries(options).map(([key, label]) =>
		el('option', { value: key, selected: key === (value ?? '') }, label)));
}

/**
 * @param {string} name
 * @param {string | null | undefined} value
 * @param {string} [type]
 */
function input(name, value, type = 'search') {
	return el('input', { name, type, value: value ?? '', autocomplete: 'off', spellcheck: 'false',
		maxlength: 1000 });
}

/**
 * The form. `changed` is called with what is chosen: when it is sent, and when an option is taken.
 *
 * @param {Chosen} chosen
 * @param {(chosen: Chosen) => void} changed
 */
export function searchForm(chosen, changed) {
	const between = el('div', { class: 'between', hidden: chosen['when'] !== 'between' },
		field('From', 'time', input('from', chosen['from'], 'datetime-local')),
		field('Until', 'time', input('until', chosen['until'], 'datetime-local')));
	const when = select('when', chosen['when'], WHENS);
	const sought = input('q', chosen['q']);
	sought.placeholder = 'Email or any ID';
	const what = field('Find', 'what', sought);
	/** @type {Record<string, string>} */
	const statuses = { '': 'All statuses', ...Object.fromEntries(
		Object.entries(STATUSES).map(([value, [label]]) => [value, label])),
	cold_storage: 'Cold storage' };
	const form = el('form', { class: 'search-form', role: 'search', 'aria-label': 'Signals', on: {
		submit(event) {
			event.preventDefault();
			send();
		},
		change({ target }) {
			between.hidden = when.value !== 'between';
			if (target instanceof HTMLSelectElement && target.value !== 'between')
				send();
		},
	} },
	what, field('In', 'in', select('in', chosen['in'],
		{ '': 'Emails, IDs', text: 'Payloads' })),
	field('Received', 'when', when), between,
	field('Source', 'source', input('source', chosen['source'])),
	field('Event', 'event', input('event', chosen['event'])),
	field('Key ID', 'key', input('key', chosen['key'])),
	field('Status', 'status', select('status', chosen['status'], statuses)),
	el('div', { class: 'search-buttons' },
		el('button', { type: 'submit', class: 'button primary' }, 'Find'),
		isFiltered(chosen) ? button('Clear', () => changed({})) : null));

	function send() {
		const data = new FormData(form);
		changed(Object.fromEntries(NAMES.map(name =>
			[name, String(data.get(name) ?? '').trim() || null])));
	}
	return form;
}

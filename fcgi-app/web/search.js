// @ts-check
// search.js - what is looked for in each list of the Staging view: its fields, the form above it,
// their values in the address, and the query that they make.

import { button, el, newId } from './dom.js';
import { REASONS, REJECT_STATES, STATUSES } from './status.js';

/** @import { Query } from './types.js' */

/**
 * What was chosen, by its name in the address; null or missing: nothing.
 *
 * @typedef {Record<string, string | null>} Chosen
 */

/**
 * A field, typed into unless it has options; it makes the parameter of its name, or what query()
 * says. `number` says which one is to be typed.
 *
 * @typedef {{ name: string, label: string, hint?: string, number?: string,
 *   options?: Record<string, string>, query?: (chosen: Chosen) => Query }} Field
 */

/** @typedef {{ label: string, fields: Field[] }} Search */

const HOUR_MS = 3600000;
export const TEXT_DAYS = 31; // payloads are read one by one

/** @type {Record<string, string>} */
const WHENS = { '': 'Any time', hour: 'Last hour', today: 'Today', yesterday: 'Yesterday',
	'7d': 'Last 7 days', '31d': 'Last 31 days', between: 'Between …' };

// ---- times ----

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

/** @param {Chosen} chosen whether what arrives from now on can be among it */
export const isOpen = chosen => span(chosen)[1] === null;

/** @param {Chosen} chosen */
const isText = chosen => chosen['in'] === 'text' && Boolean(chosen['q']);

/** @param {Chosen} chosen whether only the last days are searched, without being asked for */
export const isShortened = chosen => isText(chosen) && span(chosen)[0] === null;

/**
 * Of a text in the payload those of the last days, unless a time was chosen.
 *
 * @param {Chosen} chosen
 * @returns {Query}
 */
function received(chosen) {
	let [from, until] = span(chosen);
	if (isShortened(chosen))
		from = new Date((until?.getTime() ?? Date.now()) - TEXT_DAYS * 24 * HOUR_MS);
	return { from: from?.toISOString(), until: until?.toISOString() };
}

// ---- fields ----

/**
 * What is sought, and in what.
 *
 * @param {string} hint
 * @param {string} whole what is compared as a whole
 * @returns {Field[]}
 */
const find = (hint, whole) => [
	{ name: 'q', label: 'Find', hint, query: chosen =>
		({ [isText(chosen) ? 'text' : 'identity']: chosen['q'] }) },
	{ name: 'in', label: 'In', options: { '': whole, text: 'Payloads' }, query: () => ({}) }];

/** @type {Field} */
const RECEIVED = { name: 'when', label: 'Received', options: WHENS, query: received };
/** @type {Field} */
const SOURCE = { name: 'source', label: 'Source' };
/** @type {Field} */
const KEY = { name: 'key', label: 'Key ID',
	number: 'The number of a key, as its details and those of what came with it show it' };
/** @type {Field} */
const PLAN = { name: 'plan', label: 'Plan' };
/** @type {Field} */
const TRIAL = { name: 'trial', label: 'Trial status', query: ({ trial }) =>
	({ trial_status: trial }) };

/**
 * @param {string} name
 * @param {string} label
 * @param {string} all
 * @param {Record<string, string | [label: string, tone: string]>} options
 * @returns {Field}
 */
function choice(name, label, all, options) {
	return { name, label, options: { '': all, ...Object.fromEntries(Object.entries(options).map(
		([value, its]) => [value, typeof its === 'string' ? its : its[0]])) } };
}

/** @typedef {'signals' | 'current-orgs' | 'product-orgs' | 'rejects'} ListName in the address */

/** @type {Record<ListName, Search>} */
export const SEARCHES = {
	signals: { label: 'Signals', fields: [...find('Email or any ID', 'Emails, IDs'), RECEIVED,
		SOURCE, { name: 'event', label: 'Event' }, KEY,
		choice('status', 'Status', 'All statuses',
			{ ...STATUSES, cold_storage: 'Cold storage' })] },
	'current-orgs': { label: 'Current orgs', fields: [
		{ name: 'q', label: 'ID, name or plan', query: ({ q }) => ({ match: q }) }, PLAN, TRIAL] },
	'product-orgs': { label: 'Product orgs', fields: [
		...find('Org, update or request ID', 'IDs'), RECEIVED, KEY,
		choice('status', 'Status', 'All statuses', STATUSES), PLAN, TRIAL] },
	rejects: { label: 'Rejects', fields: [...find('Email or any ID', 'Emails, IDs'), RECEIVED,
		SOURCE, KEY, choice('state', 'State', 'All states', REJECT_STATES),
		choice('code', 'Reason', 'All reasons', REASONS)] },
};

// ---- what is chosen ----

/** @param {Search} search */
const namesOf = ({ fields }) => fields.flatMap(({ name }) =>
	name === 'when' ? ['when', 'from', 'until'] : [name]);

/** All names in the address. */
export const NAMES = [...new Set(Object.values(SEARCHES).flatMap(namesOf))];
/** Those that mean the same in each list. */
const SHARED = ['q', 'in', 'when', 'from', 'until', 'key', 'source'];

/**
 * Takes away what a list does not know; of what was chosen in another list, also what means
 * something else there.
 *
 * @param {Chosen} chosen
 * @param {Search} search
 * @param {boolean} moved from another list
 */
export function keepKnown(chosen, search, moved) {
	const known = namesOf(search).filter(name => !moved || SHARED.includes(name));
	for (const name of NAMES)
		if (!known.includes(name))
			chosen[name] = null;
}

/**
 * The parameters of the API.
 *
 * @param {Search} search
 * @param {Chosen} chosen
 * @returns {Query}
 */
export function queryOf({ fields }, chosen) {
	return Object.assign({}, ...fields.map(({ name, query }) =>
		query ? query(chosen) : { [name]: chosen[name] }));
}

/**
 * Whether anything is chosen.
 *
 * @param {Search} search
 * @param {Chosen} chosen
 */
export const isFiltered = (search, chosen) =>
	namesOf(search).some(name => name !== 'in' && chosen[name]);

// ---- the form ----

/**
 * A label above its input.
 *
 * @param {string} label
 * @param {string} kind a class
 * @param {HTMLInputElement | HTMLSelectElement} input
 */
function labelled(label, kind, input) {
	input.id = newId('search');
	return el('div', { class: `search-field ${kind}` },
		el('label', { for: input.id }, label), input);
}

/**
 * Also a value of the address that is none of the options is shown: it is asked for.
 *
 * @param {string} name
 * @param {string} value
 * @param {Record<string, string>} options
 */
function select(name, value, options) {
	return el('select', { name }, Object.entries(Object.hasOwn(options, value) ? options
		: { ...options, [value]: value }).map(([its, label]) =>
		el('option', { value: its, selected: its === value }, label)));
}

/**
 * @param {string} name
 * @param {string | null | undefined} value
 * @param {string} [type]
 * @param {Pick<Field, 'hint' | 'number'>} [more]
 */
function input(name, value, type = 'search', { hint, number } = {}) {
	return el('input', { name, type, value: value ?? '', placeholder: hint, autocomplete: 'off',
		spellcheck: 'false', maxlength: 1000, title: number, pattern: number && '[0-9]{1,18}',
		inputmode: number && 'numeric' });
}

/** @param {Chosen} chosen */
function betweenFields(chosen) {
	return el('div', { class: 'between', hidden: chosen['when'] !== 'between' },
		labelled('From', 'time', input('from', chosen['from'], 'datetime-local')),
		labelled('Until', 'time', input('until', chosen['until'], 'datetime-local')));
}

/**
 * The form. `changed` is called with what is chosen: when it is sent, and when an option is taken.
 *
 * @param {Search} search
 * @param {Chosen} chosen
 * @param {(chosen: Chosen) => void} changed
 */
export function searchForm(search, chosen, changed) {
	const between = betweenFields(chosen);
	const form = el('form', { class: 'search-form', role: 'search', 'aria-label': search.label,
		on: {
			submit(event) {
				event.preventDefault();
				send();
			},
			change({ target }) {
				if (!(target instanceof HTMLSelectElement))
					return;
				if (target.name === 'when')
					between.hidden = target.value !== 'between';
				if (target.value !== 'between')
					send();
			},
		} },
	search.fields.map(({ name, label, options, ...more }) => [labelled(label, name, options
		? select(name, chosen[name] ?? '', options) : input(name, chosen[name], 'search', more)),
	name === 'when' ? between : null]),
	el('div', { class: 'search-buttons' },
		el('button', { type: 'submit', class: 'button primary' }, 'Find'),
		isFiltered(search, chosen) ? button('Clear', () => changed({})) : null));

	function send() {
		const data = new FormData(form);
		if (data.get('when') !== 'between')
			['from', 'until'].forEach(name => data.delete(name));
		changed(Object.fromEntries(namesOf(search).map(name =>
			[name, String(data.get(name) ?? '').trim() || null])));
	}
	return form;
}

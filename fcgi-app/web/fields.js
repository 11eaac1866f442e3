// @ts-check
// fields.js - the fields that the forms of a key share: a label, an input, a hint, and room for
// what is wrong.

import { el, newId } from './dom.js';
import { day, minute } from './time.js';

/** @import { Problem } from './api.js' */
/** @import { Timestamp } from './types.js' */

export const NAME_LENGTH = 200; // characters, also of a member's name
const DAY_MS = 24 * 3600 * 1000;
const KEEP = 'keep';

/** @type {[value: string, label: string][]} in days, or by name */
const LIFETIMES = [['never', 'Never'], ['30', 'In 30 days'], ['90', 'In 90 days'],
	['365', 'In 1 year'], ['date', 'On a date…']];
/** @type {[days: number, label: string][]} */
const TOKEN_DAYS = [[7, 'In 7 days'], [30, 'In 30 days'], [90, 'In 90 days'], [365, 'In 1 year']];
/** @type {[seconds: number, label: string][]} */
const OVERLAPS = [[0, 'None: it ends at once'], [3600, '1 hour'], [24 * 3600, '24 hours'],
	[7 * 24 * 3600, '7 days'], [30 * 24 * 3600, '30 days'], [90 * 24 * 3600, '90 days']];
const OVERLAP = 24 * 3600;

/**
 * A label, an input, a hint, and room for what is wrong with it: complain('') clears that.
 *
 * @template {HTMLInputElement | HTMLSelectElement} Input
 * @param {string} name
 * @param {string} label
 * @param {Input} input
 * @param {string} hint
 */
export function field(name, label, input, hint) {
	const fault = el('p', { class: 'fault', id: newId('fault') });
	const help = el('p', { class: 'hint', id: newId('hint') }, hint);
	input.id ||= newId(name);
	input.setAttribute('aria-describedby', `${help.id} ${fault.id}`);
	const element = el('div', { class: 'field' },
		el('label', { for: input.id }, label), input, help, fault);
	/** @param {string} text */
	const complain = text => {
		fault.textContent = text;
		input.setAttribute('aria-invalid', String(text !== ''));
	};
	return { input, help, element, complain };
}

/** @param {string} value */
export function nameField(value = '') {
	const row = field('name', 'Name', el('input', { type: 'text', autocomplete: 'off',
		autofocus: true, required: true, placeholder: 'Website forms' }),
	`The sender that will use the key; at most ${NAME_LENGTH} characters.`);
	row.input.value = value;
	const fault = () => {
		const { length } = [...row.input.value.trim()];
		if (length === 0)
			return 'Enter a name.';
		return length <= NAME_LENGTH ? ''
			: `The name has ${length} characters; at most ${NAME_LENGTH} are allowed.`;
	};
	return { ...row, fault };
}

/** @param {Timestamp} timestamp */
const refusedFrom = timestamp => ['Requests are refused from ', minute(timestamp), ' on.'];

/**
 * The time of expiration, chosen in the reader's time zone. value() is null for never, undefined
 * while the date is incomplete. With `present`, the key's own one, the first choice is to keep it:
 * kept() is true then.
 *
 * @param {Timestamp | null} [present]
 * @param {string} [label]
 */
export function expiration(present, label = 'Expires') {
	const hint = 'Requests with an expired key are refused.';
	const date = el('input', { type: 'datetime-local', 'aria-label': 'Date and time',
		hidden: true });
	const keep = present === undefined ? []
		: [el('option', { value: KEEP, selected: true }, 'Unchanged: ',
			present ? day(present).textContent : 'never')];
	const life = el('select', null, keep, LIFETIMES.map(([value, label]) =>
		el('option', { value, selected: present === undefined && value === 'never' }, label)));
	const row = field('expires', label, life, hint);
	life.after(date);
	const kept = () => life.value === KEEP;
	const value = () => {
		if (kept())
			return present;
		if (life.value === 'never')
			return null;
		const time = life.value === 'date' ? Date.parse(date.value)
			: Date.now() + Number(life.value) * DAY_MS;
		return Number.isNaN(time) ? undefined : new Date(time).toISOString();
	};
	const fault = () => {
		const timestamp = value();
		if (kept())
			return '';
		if (timestamp === undefined)
			return 'Choose a date and time.';
		return timestamp && Date.parse(timestamp) <= Date.now()
			? 'This date and time is in the past.' : '';
	};
	const explain = () => {
		date.hidden = life.value !== 'date';
		const timestamp = kept() ? null : value();
		row.help.replaceChildren(...timestamp ? refusedFrom(timestamp) : [hint]);
	};
	life.addEventListener('change', explain);
	date.addEventListener('input', explain);
	return { ...row, value, kept, fault };
}

/** How long a token is valid; value() is the time of expiration. */
export function lifetime() {
	const row = field('expires', 'Expires', el('select', null, TOKEN_DAYS.map(([days, label]) =>
		el('option', { value: days, selected: days === TOKEN_DAYS[1]?.[0] }, label))), '');
	const value = () => new Date(Date.now() + Number(row.input.value) * DAY_MS).toISOString();
	const explain = () => {
		row.help.replaceChildren(...refusedFrom(value()));
	};
	row.input.addEventListener('change', explain);
	explain();
	return { ...row, value };
}

/**
 * The networks that requests are accepted from: list(), null for everywhere. kept() is true while
 * they are those that the key has.
 *
 * @param {string[] | null} [present]
 */
export function networksField(present = null) {
	const row = field('networks', 'Networks', el('input', { type: 'text', autocomplete: 'off',
		spellcheck: 'false', placeholder: '192.0.2.0/24, 2001:db8::/32' }),
	'Optional: requests from elsewhere are refused. Networks or addresses, separated by commas.');
	const text = (present ?? []).join(', ');
	row.input.value = text;
	const list = () => {
		const networks = row.input.value.split(/[\s,]+/).filter(Boolean);
		return networks.length > 0 ? networks : null;
	};
	const kept = () => (list() ?? []).join(', ') === text;
	return { ...row, list, kept };
}

/**
 * How long the old one stays valid; seconds().
 *
 * @param {string} label
 * @param {(seconds: number) => string} explain what happens then
 */
export function overlap(label, explain) {
	const row = field('overlap', label, el('select', null, OVERLAPS.map(([seconds, text]) =>
		el('option', { value: seconds, selected: seconds === OVERLAP }, text))), explain(OVERLAP));
	const seconds = () => Number(row.input.value);
	row.input.addEventListener('change', () => {
		row.help.textContent = explain(seconds());
	});
	return { ...row, seconds };
}

/**
 * The date and time so many seconds from now on, as a text.
 *
 * @param {number} seconds
 */
export function from(seconds) {
	return minute(new Date(Date.now() + seconds * 1000).toISOString()).textContent;
}

/**
 * What is wrong with each field, by its name; "payload_template.custom.seats" is inside one.
 *
 * @param {Problem} problem
 */
export function faultsOf({ errors }) {
	/** @type {Record<string, string>} */
	const faults = {};
	for (const { place, detail } of errors) {
		const [name = '', ...inside] = place.split('.');
		faults[name] = inside.length > 0 ? `${inside.join('.')}: ${detail}` : detail;
	}
	return faults;
}

// time.js - instants in the reader's zone, with UTC on hover, and numbers as the reader writes them.

import { el } from './dom.js';

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const MINUTE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const SECOND = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const NUMBER = new Intl.NumberFormat();
const UNITS = [['year', 31557600], ['month', 2629800], ['day', 86400], ['hour', 3600],
	['minute', 60]];

export function utc(instant) {
	return `${new Date(instant).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

// "3 minutes ago", "in 2 days"
export function ago(instant) {
	const seconds = (Date.parse(instant) - Date.now()) / 1000;
	for (const [unit, size] of UNITS)
		if (Math.abs(seconds) >= size)
			return RELATIVE.format(Math.trunc(seconds / size), unit);
	return seconds > 0 ? 'in a moment' : 'just now';
}

function element(instant, text) {
	return el('time', { datetime: instant, title: utc(instant) }, text);
}

export const day = instant => element(instant, DAY.format(new Date(instant)));
export const minute = instant => element(instant, MINUTE.format(new Date(instant)));
export const second = instant => element(instant, SECOND.format(new Date(instant)));
export const relative = instant => element(instant, ago(instant));

// How long ago, and below when that was.
export function both(instant) {
	return [relative(instant), el('span', { class: 'sub' }, minute(instant))];
}

export function number(value) {
	return NUMBER.format(value);
}

export function plural(count, one, many) {
	return `${number(count)} ${count === 1 ? one : many}`;
}

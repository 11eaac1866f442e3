// @ts-check
// time.js - timestamps in the reader's time zone, with UTC on hover, and numbers.

import { el } from './dom.js';

/** @import { Integer, Timestamp } from './types.js' */

/** Of all numbers and dates: the kind of English that the reader prefers, as the texts are. */
export const LOCALE = navigator.languages.find(one => /^en\b/.test(one)) ?? 'en';

const DAY = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium' });
const MINUTE = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' });
const SECOND = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'medium' });
const RELATIVE = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' });
const NUMBER = new Intl.NumberFormat(LOCALE);

/** @type {[Intl.RelativeTimeFormatUnit, number][]} in seconds */
const UNITS = [['year', 31557600], ['month', 2629800], ['day', 86400], ['hour', 3600],
	['minute', 60]];

/**
 * "2026-11-14 10:00:00 UTC"
 *
 * @param {Timestamp} timestamp
 */
export function utc(timestamp) {
	return `${new Date(timestamp).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/**
 * "3 minutes ago", "in 2 days"
 *
 * @param {Timestamp} timestamp
 */
function ago(timestamp) {
	const seconds = (Date.parse(timestamp) - Date.now()) / 1000;
	for (const [unit, size] of UNITS)
		if (Math.abs(seconds) >= size)
			return RELATIVE.format(Math.trunc(seconds / size), unit);
	return seconds > 0 ? 'in a moment' : seconds > -1 ? 'just now'
		: `${Math.trunc(-seconds)} s ago`;
}

/**
 * @param {Timestamp} timestamp
 * @param {string} text
 */
function element(timestamp, text) {
	return el('time', { datetime: timestamp, title: utc(timestamp) }, text);
}

/**
 * Keeps what relative() has written within an element up to date.
 *
 * @param {Element} place
 * @param {AbortSignal} signal
 */
export function keepAgo(place, signal) {
	const timer = setInterval(() => {
		if (document.hidden)
			return;
		for (const one of place.querySelectorAll('time.ago')) {
			const text = ago(one.getAttribute('datetime') ?? '');
			if (one.textContent !== text)
				one.textContent = text;
		}
	}, 1000);
	signal.addEventListener('abort', () => clearInterval(timer));
}

/** @param {Timestamp} timestamp */
export const day = timestamp => element(timestamp, DAY.format(new Date(timestamp)));

/** @param {Timestamp} timestamp */
export const minute = timestamp => element(timestamp, MINUTE.format(new Date(timestamp)));

/** @param {Timestamp} timestamp */
export const second = timestamp => element(timestamp, SECOND.format(new Date(timestamp)));

/** @param {Timestamp} timestamp */
export const relative = timestamp => {
	const made = element(timestamp, ago(timestamp));
	made.className = 'ago';
	return made;
};

/**
 * How long ago, and below it the date and time.
 *
 * @param {Timestamp} timestamp
 */
export function both(timestamp) {
	return [relative(timestamp), el('span', { class: 'sub' }, minute(timestamp))];
}

/**
 * "1,234"; every digit of those that JavaScript cannot count with.
 *
 * @param {Integer} value
 */
export function number(value) {
	return NUMBER.format(typeof value === 'number' ? value
		: /** @type {Intl.StringNumericLiteral} */ (String(value)));
}

/**
 * "$1,299.00", with as many digits as the amount has.
 *
 * @param {string} amount
 * @param {string} currency
 */
export function money(amount, currency) {
	const digits = amount.split('.')[1]?.length ?? 0;
	return new Intl.NumberFormat(LOCALE, { style: 'currency', currency,
		minimumFractionDigits: digits, maximumFractionDigits: digits })
		.format(/** @type {Intl.StringNumericLiteral} */ (amount));
}

/**
 * "1 key", "2 keys"
 *
 * @param {Integer} count
 * @param {string} one
 * @param {string} many
 */
export function plural(count, one, many) {
	return `${number(count)} ${count === 1 ? one : many}`;
}

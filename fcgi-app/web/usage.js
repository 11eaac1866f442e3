// @ts-check
// usage.js - the Usage view: how much of the month's limit is used, and the months before.

import { announce, bdi, button, el, svg } from './dom.js';
import { fillWith } from './state.js';
import { LOCALE, number, plural } from './time.js';

/** @import { Api } from './api.js' */
/** @import { MonthUsage, Usage, ViewContext } from './types.js' */

const AMBER = 0.8; // share of the limit

/** @param {string} month YYYY-MM */
function monthName(month) {
	return new Intl.DateTimeFormat(LOCALE, { month: 'long', year: 'numeric', timeZone: 'UTC' })
		.format(new Date(`${month}-01T00:00:00Z`));
}

/**
 * A line filled to a share of its length; drawn, because the page's policy forbids inline styles.
 *
 * @param {number} share
 * @param {string} tone
 */
function bar(share, tone) {
	return svg('svg', { class: `bar ${tone}`, width: '100%', height: 8, 'aria-hidden': 'true' },
		svg('rect', { class: 'bar-whole', width: '100%', height: 8, rx: 4 }),
		share > 0 ? svg('rect', { class: 'bar-part', height: 8, rx: 4,
			width: `${Math.max(0.5, Math.min(100, share * 100)).toFixed(2)}%` }) : null);
}

/**
 * @param {number} share
 * @param {boolean} overages
 */
function consequence(share, overages) {
	if (overages)
		return 'Signals beyond the limit are still accepted and counted.';
	return share >= 1 ? 'Senders are answered 429 until the month ends or the limit is raised.'
		: 'Once the limit is reached, senders are answered 429 until the month ends.';
}

/**
 * @param {number} signals
 * @param {number} limit
 */
function rest(signals, limit) {
	if (limit > signals)
		return `${number(limit - signals)} left`;
	return limit < signals ? `${number(signals - limit)} over the limit` : 'Nothing left';
}

/**
 * @param {Usage} usage
 * @returns {Node[]}
 */
function meter({ signals, signal_limit: exact, overages }) {
	const limit = Number(exact);
	if (limit === 0)
		return [el('p', { class: 'sub' }, 'No limit is set for this organization.')];
	const share = signals / limit;
	const tone = share >= 1 ? 'bad' : share >= AMBER ? 'warn' : 'good';
	const percent = number(Math.floor(share * 100));
	return [el('div', { class: 'meter', role: 'meter', 'aria-label': 'Signals this month',
		'aria-valuemin': 0, 'aria-valuemax': exact, 'aria-valuenow': Math.min(signals, limit),
		'aria-valuetext': `${percent}% of ${number(exact)}` }, bar(share, tone)),
	el('div', { class: 'meter-legend' },
		el('span', { class: `badge ${tone}` }, `${percent}% used`),
		el('span', { class: 'sub' }, rest(signals, limit))),
	el('p', { class: 'sub' }, consequence(share, overages))];
}

/** @param {number} value */
const count = value =>
	el('td', { class: `number ${value === 0 ? 'zero' : ''}`.trim() }, number(value));

/**
 * @param {MonthUsage[]} list
 * @param {Node[]} below nothing, or what adds earlier ones
 */
function months(list, below) {
	const largest = Math.max(1, ...list.map(({ signals }) => signals));
	return [el('div', { class: 'table-wrap' }, el('table', { class: 'plain months' },
		el('caption', { class: 'visually-hidden' }, 'Month by month, the latest first'),
		el('thead', null, el('tr', null, el('th', { scope: 'col' }, 'Month (UTC)'),
			el('td', { class: 'cell-bar' }), el('th', { scope: 'col', class: 'number' }, 'Signals'),
			el('th', { scope: 'col', class: 'number' }, 'Duplicates'))),
		el('tbody', null, list.map(({ month, signals, duplicates }) => el('tr', null,
			el('th', { scope: 'row' }, monthName(month)),
			el('td', { class: 'cell-bar' }, bar(signals / largest, 'plain')),
			count(signals), count(duplicates)))))),
	...below];
}

/**
 * Fills `place` with the months so far, and a button that adds those before them.
 *
 * @param {{ place: Element, api: Api, signal: AbortSignal, list: MonthUsage[],
 *   next: string | null }} context
 */
function showMonths({ place, api, signal, list, next }) {
	const rest = el('div', { class: 'more' });
	const more = button('Show earlier months', () => fillWith(rest, 'more', signal,
		() => api.get('usage', { before: next }, signal), earlier => {
			showMonths({ place, api, signal, list: [...list, ...earlier.months],
				next: earlier.next });
			/** @type {HTMLElement | null} */ (place.querySelector('.more button'))?.focus();
			return [];
		}));
	rest.append(more);
	place.replaceChildren(...months(list, next === null ? [] : [rest]));
}

/** @param {ViewContext} context */
export function render({ api, root, signal, organization }) {
	const place = el('div', { class: 'summary' });
	root.append(el('div', { class: 'head' }, el('div', null,
		el('h1', { tabindex: -1 }, 'Usage'),
		el('p', { class: 'lead' }, 'Each accepted signal or product-org update counts once, in'
			+ ' its month. Duplicates and rejects do not count.'))), place);
	/** @param {string} text */
	const done = async text => {
		announce(text);
		await load();
		root.querySelector('h1')?.focus();
	};
	/** @param {Usage} usage */
	const changeLimit = async usage => {
		const { openLimit } = await import('./limit.js');
		openLimit({ api, signal, usage, done: () => done('The limit was changed') });
	};
	/** @param {Usage} usage */
	const changeCurrency = async usage => {
		const { openCurrency } = await import('./currency.js');
		openCurrency({ api, signal, usage, done: () => done('The currency was changed') });
	};
	/** @type {(label: string, open: () => Promise<void>) => Node | null} */
	const action = (label, open) => organization.role !== 'owner' ? null
		: el('div', { class: 'actions' }, button(label, () => open().catch(() =>
			announce('The dialog could not be loaded. Check your network and try again.')),
		{ class: 'button small' }));
	/** @param {Usage} usage */
	const byMonth = ({ months: list, next }) => {
		const section = el('section', { class: 'card', 'aria-label': 'By month' });
		showMonths({ place: section, api, signal, list, next });
		return section;
	};
	const load = () => fillWith(place, 'usage', signal, () => api.get('usage', {}, signal),
		usage => [
		el('section', { class: 'card padded', 'aria-label': 'This month' },
			el('h2', null, monthName(usage.month)),
			el('p', { class: 'figure' }, number(usage.signals),
				el('span', { class: 'figure-of' }, Number(usage.signal_limit) === 0 ? ' signals'
					: ` of ${plural(usage.signal_limit, 'signal', 'signals')}`)),
			meter(usage), action('Change limit', () => changeLimit(usage))),
		el('section', { class: 'card padded', 'aria-label': 'Currency' },
			el('h2', null, 'Money of product orgs'),
			el('p', null, 'Amounts are in ', el('strong', null, bdi(usage.currency)), '.'),
			action('Change currency', () => changeCurrency(usage))),
		byMonth(usage)]);
	load();
}

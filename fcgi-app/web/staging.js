// @ts-check
// staging.js - the Staging view: counts by status, signals over time, and below them the rows
// themselves (incoming.js).

import { button, el } from './dom.js';
import { chart } from './chart.js';
import { incoming } from './incoming.js';
import { address, push } from './router.js';
import { NAMES } from './search.js';
import { empty, fillWith, supersede } from './state.js';
import { STATUSES } from './status.js';
import { number, second } from './time.js';

/** @import { StagingStatus, Statistics, StatisticsWindow, ViewContext } from './types.js' */

/** @type {Record<StatisticsWindow, string>} */
const WINDOWS = { '24h': '24 hours', '7d': '7 days', '30d': '30 days' };
const DEFAULT_WINDOW = '24h';

/**
 * @param {string | null} name
 * @returns {name is StatisticsWindow}
 */
function isWindow(name) {
	return name !== null && Object.hasOwn(WINDOWS, name);
}

/**
 * @param {string} label
 * @param {number} count
 * @param {string | null} tone unless the count is 0
 * @param {string} [hint]
 */
function tile(label, count, tone, hint) {
	return el('div', { class: `tile ${count === 0 ? 'zero' : tone ?? ''}`.trim() },
		el('dt', { title: hint }, label), el('dd', null, number(count)));
}

/** @type {StagingStatus[]} */
const MAJOR = ['pending', 'completed', 'failed'];

/**
 * What is looked at first, and below it the rest.
 *
 * @param {Statistics} statistics
 */
function totalsOf({ totals, cold_storage: cold, rejected, duplicates }) {
	const statuses = /** @type {StagingStatus[]} */ (Object.keys(STATUSES));
	const ofStatus = (/** @type {StagingStatus} */ status) =>
		tile(STATUSES[status][0], totals[status] ?? 0, STATUSES[status][1]);
	return [el('dl', { class: 'tiles' }, MAJOR.map(ofStatus),
		tile('Rejected', rejected, 'warn',
			'Bad items and unreadable bodies, kept with the reason: see Rejects below')),
	el('dl', { class: 'tiles minor' },
		statuses.filter(status => !MAJOR.includes(status)).map(ofStatus),
		tile('Cold storage', cold, null,
			'Signals without an identity, kept until their anonymous ID is identified'),
		tile('Duplicates', duplicates, null, 'Repeats of a delivery that was stored once'))];
}

class Staging {
	summary = el('div', { class: 'summary' });
	upTo = el('p', { class: 'count' });
	list = el('section', { class: 'card', 'aria-label': 'Latest rows' });

	/** @param {ViewContext} context */
	constructor({ api, signal, parameters, organization, fixed }) {
		this.api = api;
		this.signal = signal;
		this.organization = organization;
		this.fixed = fixed;
		const wanted = parameters.get('window');
		this.window = isWindow(wanted) ? wanted : DEFAULT_WINDOW;
		this.chosen = Object.fromEntries(['list', ...NAMES].map(name =>
			[name, parameters.get(name)]));
		this.nextLoad = supersede(signal);
	}

	remember() {
		const window = this.window === DEFAULT_WINDOW ? null : this.window;
		push('staging', { ...this.fixed, window, ...this.chosen });
	}

	selector() {
		const windows = /** @type {StatisticsWindow[]} */ (Object.keys(WINDOWS));
		return el('fieldset', { class: 'segments' },
			el('legend', { class: 'visually-hidden' }, 'Time window'),
			windows.map(value => el('label', null,
				el('input', { type: 'radio', name: 'window', value, checked: value === this.window,
					on: { change: () => {
						this.window = value;
						this.remember();
						this.loadSummary();
					} } }), el('span', null, WINDOWS[value]))));
	}

	noSignals() {
		return this.organization.may_manage_keys
			? empty('No signals in this window', 'Create a key and paste its curl command into a'
				+ ' terminal: the signal will appear here.',
			el('a', { class: 'button', href: address('keys', this.fixed) }, 'API keys'))
			: empty('No signals in this window', 'They will appear here as soon as a sender posts'
				+ ' one.');
	}

	loadSummary() {
		const signal = this.nextLoad();
		return fillWith(this.summary, 'statistics', signal,
			() => this.api.get('statistics', { window: this.window }, signal), statistics => {
				this.upTo.replaceChildren('As of ', second(statistics.as_of));
				return [...totalsOf(statistics),
					el('section', { class: 'card chart-card', 'aria-label': 'Signals over time' },
						el('h2', null, 'Signals over time'),
						statistics.series.length > 0 ? chart(statistics, signal)
							: this.noSignals())];
			});
	}

	load() {
		this.loadSummary();
		incoming({ place: this.list, api: this.api, signal: this.signal, chosen: this.chosen,
			changed: () => this.remember(), manages: this.organization.may_manage_keys });
	}
}

/** @param {ViewContext} context */
export function render(context) {
	const view = new Staging(context);
	context.root.append(
		el('div', { class: 'head' },
			el('div', null, el('h1', { tabindex: -1 }, 'Staging'),
				el('p', { class: 'lead' }, 'What senders have posted, and what became of it.')),
			el('div', { class: 'head-tools' }, view.upTo, view.selector(),
				button('Refresh', () => view.load()))),
		view.summary, view.list);
	view.load();
}

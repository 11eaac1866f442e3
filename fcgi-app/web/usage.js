// usage.js - how many signals of the month's limit are used up, and the months before.

import { el, svg } from './dom.js';
import { fillWith } from './state.js';
import { number, plural } from './time.js';

const AMBER = 0.8;

function monthName(month) {
	return new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric', timeZone: 'UTC' })
		.format(new Date(`${month}-01T00:00:00Z`));
}

// A line filled to that share; attributes, because the page allows itself no styles.
function bar(share, tone) {
	return svg('svg', { class: `bar ${tone}`, width: '100%', height: 8, 'aria-hidden': 'true' },
		svg('rect', { class: 'bar-whole', width: '100%', height: 8, rx: 4 }),
		share > 0 ? svg('rect', { class: 'bar-part', height: 8, rx: 4,
			width: `${Math.max(0.5, Math.min(100, share * 100)).toFixed(2)}%` }) : null);
}

function consequence(share, overages) {
	if (overages)
		return 'Signals beyond the limit are taken as well, and counted.';
	return share >= 1 ? 'Senders are answered 429 until the month ends or the limit is raised.'
		: 'At the limit, senders are answered 429 until the month ends.';
}

function meter({ signals, signal_limit: limit, overages }) {
	if (Number(limit) === 0)
		return el('p', { class: 'sub' }, 'No limit is set for this organization.');
	const share = signals / limit;
	const tone = share >= 1 ? 'bad' : share >= AMBER ? 'warn' : 'good';
	const percent = Math.floor(share * 100);
	return [el('div', { class: 'meter', role: 'meter', 'aria-label': 'Signals of this month',
		'aria-valuemin': 0, 'aria-valuemax': limit, 'aria-valuenow': Math.min(signals, limit),
		'aria-valuetext': `${percent} % of ${number(limit)}` }, bar(share, tone)),
	el('div', { class: 'meter-legend' },
		el('span', { class: `badge ${tone}` }, `${number(percent)} % used`),
		el('span', { class: 'sub' }, limit > signals ? `${number(limit - signals)} left`
			: limit < signals ? `${number(signals - limit)} over the limit` : 'Nothing left')),
	el('p', { class: 'sub' }, consequence(share, overages))];
}

function months(list) {
	const largest = Math.max(1, ...list.map(({ signals }) => signals));
	return el('div', { class: 'table-wrap' }, el('table', { class: 'plain months' },
		el('caption', { class: 'visually-hidden' }, 'The last twelve months'),
		el('thead', null, el('tr', null, el('th', { scope: 'col' }, 'Month (UTC)'),
			el('td', { class: 'cell-bar' }), el('th', { scope: 'col', class: 'number' }, 'Signals'),
			el('th', { scope: 'col', class: 'number' }, 'Duplicates'))),
		el('tbody', null, list.map(({ month, signals, duplicates }) => el('tr', null,
			el('th', { scope: 'row' }, monthName(month)), el('td', { class: 'cell-bar' }, bar(signals / largest, 'plain')),
			el('td', { class: 'number' }, number(signals)),
			el('td', { class: 'number' }, number(duplicates)))))));
}

export function render({ api, root, signal }) {
	const place = el('div', { class: 'summary' });
	root.append(el('div', { class: 'head' }, el('div', null, el('h1', { tabindex: -1 }, 'Usage'),
		el('p', { class: 'lead' }, 'Each accepted signal counts once, in its month. Duplicates and rejects do not count.'))), place);
	fillWith(place, 'usage', signal, () => api.get('usage', null, signal), usage => [
		el('section', { class: 'card padded', 'aria-label': 'This month' },
			el('h2', null, monthName(usage.month)),
			el('p', { class: 'figure' }, number(usage.signals), el('span', { class: 'figure-of' },
				Number(usage.signal_limit) === 0 ? ' signals' : ` of ${plural(usage.signal_limit, 'signal', 'signals')}`)),
			meter(usage)),
		el('section', { class: 'card', 'aria-label': 'Months' }, months(usage.months))]);
}

// @ts-check
// chart.js - signals over time as stacked bars, one colour for each source, with a legend that
// shows the numbers at the pointer, and the same numbers as a table.

import { bdi, el, svg } from './dom.js';
import { LOCALE, number, utc } from './time.js';

/** @import { Statistics, Timestamp } from './types.js' */
/** @typedef {{ at: Timestamp, values: number[] }} Bucket with a value for each of `names` */
/** @typedef {{ names: (string | null)[], buckets: Bucket[], daily: boolean }} Data */
/** @typedef {(value: number) => number} Scale of a value to pixels */

const COLOURS = 6; // sources with a colour of their own; the others share one
const HEIGHT = 220;
const EDGE = { left: 48, right: 8, top: 10, bottom: 26 };
const INNER_HEIGHT = HEIGHT - EDGE.top - EDGE.bottom;
const TICKS = 4;
const TICK_WIDTH = 90; // pixels that a date needs
const LONG = 48; // hours; beyond, the axis names days
/** @type {Intl.DateTimeFormatOptions} */
const HOUR = { hour: 'numeric', minute: '2-digit' };
/** @type {Intl.DateTimeFormatOptions} */
const DATE = { day: 'numeric', month: 'short' };

/** @param {number[]} values */
const sum = values => values.reduce((total, value) => total + value, 0);

/** @param {string | null} name of a source */
const label = name => name === null ? 'other sources' : bdi(name);

/**
 * Sources by size, null standing for all the others, and their signals in every bucket of time.
 *
 * @param {Statistics} statistics
 * @returns {Data}
 */
function arrange({ series, from, to, bucket_seconds: seconds }) {
	const size = seconds * 1000;
	const start = Math.floor(Date.parse(from) / size) * size;
	const count = Math.max(1, Math.ceil((Date.parse(to) - start) / size));
	/** @type {Map<string, number>} */
	const totals = new Map();
	for (const { source, signals } of series)
		totals.set(source, (totals.get(source) ?? 0) + signals);
	const sorted = [...totals].sort(([, a], [, b]) => b - a).map(([name]) => name);
	const own = sorted.slice(0, sorted.length > COLOURS ? COLOURS - 1 : COLOURS);
	const names = sorted.length > own.length ? [...own, null] : own;
	const buckets = Array.from({ length: count }, (_, index) => ({
		at: new Date(start + index * size).toISOString(), values: names.map(() => 0) }));
	for (const { at, source, signals } of series) {
		const values = buckets[Math.floor((Date.parse(at) - start) / size)]?.values ?? [];
		const place = own.includes(source) ? own.indexOf(source) : own.length;
		values[place] = (values[place] ?? 0) + signals;
	}
	return { names, buckets, daily: seconds >= 86400 };
}

/**
 * The distance of the grid's lines: 1, 2 or 5 times a power of ten.
 *
 * @param {number} largest
 */
function step(largest) {
	const rough = Math.max(1, largest / TICKS);
	const power = 10 ** Math.floor(Math.log10(rough));
	return ([1, 2, 5].find(factor => factor * power >= rough) ?? 10) * power;
}

/**
 * Days are those of UTC, as everywhere in the database; hours are the reader's.
 *
 * @param {boolean} daily
 */
function fullFormat(daily) {
	return new Intl.DateTimeFormat(LOCALE, daily ? { ...DATE, weekday: 'short', timeZone: 'UTC' }
		: { ...DATE, ...HOUR });
}

/** @param {boolean} daily */
function axisFormat(daily) {
	return new Intl.DateTimeFormat(LOCALE, daily ? { ...DATE, timeZone: 'UTC' } : HOUR);
}

/**
 * @param {number} top value of the uppermost line
 * @param {number} interval
 * @param {number} width
 * @param {Scale} y
 */
function grid(top, interval, width, y) {
	const format = new Intl.NumberFormat(LOCALE, { notation: 'compact' });
	const group = svg('g', { class: 'grid' });
	for (let value = 0; value <= top; value += interval)
		group.append(
			svg('line', { x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }),
			svg('text', { x: EDGE.left - 8, y: y(value) + 4, 'text-anchor': 'end' },
				format.format(value)));
	return group;
}

/**
 * @param {Bucket} bucket
 * @param {number} x
 * @param {number} width
 * @param {Scale} y
 */
function bar({ values }, x, width, y) {
	let below = 0;
	return values.map((value, index) => {
		if (value === 0)
			return null;
		const top = y(below + value);
		const height = Math.max(0.5, y(below) - top);
		below += value;
		return svg('rect', { class: `series-${index}`, x, width, y: top, height });
	});
}

/**
 * @param {Data} data
 * @param {Scale} x of an index of the buckets
 * @param {number} width of all buckets
 */
function axis({ buckets, daily }, x, width) {
	const long = !daily && buckets.length > LONG;
	const format = long ? new Intl.DateTimeFormat(LOCALE, DATE) : axisFormat(daily);
	const places = buckets.map(({ at }, index) => ({ at: new Date(at), x: x(index + 0.5) }))
		.filter(({ at }) => !long || at.getHours() === 0);
	const every = Math.max(1,
		Math.ceil(places.length / Math.max(2, Math.floor(width / TICK_WIDTH))));
	return svg('g', { class: 'axis' }, places.filter((_, index) => index % every === 0)
		.map(place => svg('text', { x: place.x, y: HEIGHT - 6, 'text-anchor': 'middle' },
			format.format(place.at))));
}

/**
 * @param {Data} data
 * @param {number} width
 * @param {(bucket: Bucket | null) => void} point is told what is at the pointer
 */
function draw(data, width, point) {
	const { buckets } = data;
	const largest = Math.max(1, ...buckets.map(({ values }) => sum(values)));
	const interval = step(largest);
	const top = Math.ceil(largest / interval) * interval;
	const inner = width - EDGE.left - EDGE.right;
	const band = inner / buckets.length;
	const gap = Math.min(band * 0.22, 6);
	/** @type {Scale} */
	const x = index => EDGE.left + inner * index / buckets.length;
	/** @type {Scale} */
	const y = value => EDGE.top + INNER_HEIGHT * (1 - value / top);
	const shade = svg('rect', { class: 'shade', y: EDGE.top, width: band, x: 0,
		visibility: 'hidden', height: INNER_HEIGHT });
	return svg('svg', { class: 'chart', width, height: HEIGHT, 'aria-hidden': 'true',
		viewBox: `0 0 ${width} ${HEIGHT}`, on: {
			pointermove({ clientX, currentTarget }) {
				const { left } = currentTarget.getBoundingClientRect();
				const index = Math.floor((clientX - left - EDGE.left) / band);
				const bucket = buckets[index] ?? null;
				shade.setAttribute('visibility', bucket ? 'visible' : 'hidden');
				shade.setAttribute('x', String(x(index)));
				point(bucket);
			},
			pointerleave() {
				shade.setAttribute('visibility', 'hidden');
				point(null);
			},
		} }, shade, grid(top, interval, width, y),
	buckets.map((bucket, index) => bar(bucket, x(index) + gap / 2, Math.max(0.75, band - gap), y)),
	axis(data, x, inner));
}

/** @param {Data} data */
function legend({ names, buckets, daily }) {
	const format = fullFormat(daily);
	const totals = names.map((_, index) => sum(buckets.map(({ values }) => values[index] ?? 0)));
	const when = el('p', { class: 'legend-when' });
	const values = names.map(() => el('span', { class: 'legend-value' }));
	const total = el('span', { class: 'legend-value' });
	/** @param {Bucket | null} bucket null for the whole window */
	const point = bucket => {
		const shown = bucket?.values ?? totals;
		when.textContent = bucket ? format.format(new Date(bucket.at)) : 'Whole window';
		when.title = bucket ? utc(bucket.at) : '';
		values.forEach((value, index) => { value.textContent = number(shown[index] ?? 0); });
		total.textContent = number(sum(shown));
	};
	point(null);
	const element = el('div', { class: 'legend' }, when, el('ul', null,
		names.map((name, index) => el('li', null,
			el('span', { class: `swatch series-${index}` }),
			el('span', { class: 'legend-name' }, label(name)), values[index])),
		el('li', { class: 'legend-total' }, el('span', { class: 'legend-name' }, 'Total'), total)));
	return { point, element };
}

/** @param {Data} data */
function numbers({ names, buckets, daily }) {
	const format = fullFormat(daily);
	/** @param {number} value */
	const cell = value => el('td', { class: 'number' }, number(value));
	return el('details', { class: 'numbers' }, el('summary', null, 'Show as a table'),
		el('div', { class: 'table-wrap scrolls', tabindex: 0, role: 'region',
			'aria-label': 'Signals over time, as a table' },
		el('table', { class: 'plain' },
			el('caption', { class: 'visually-hidden' }, 'Signals over time by source'),
			el('thead', null, el('tr', null,
				el('th', { scope: 'col' }, daily ? 'Day (UTC)' : 'Hour'),
				names.map(name => el('th', { scope: 'col', class: 'number' }, label(name))),
				el('th', { scope: 'col', class: 'number' }, 'Total'))),
			el('tbody', null, buckets.toReversed().map(({ at, values }) => el('tr', null,
				el('th', { scope: 'row' },
					el('time', { datetime: at, title: utc(at) }, format.format(new Date(at)))),
				values.map(cell), cell(sum(values))))))));
}

/**
 * Drawn again whenever its width changes, until `signal` aborts.
 *
 * @param {Statistics} statistics
 * @param {AbortSignal} signal
 */
export function chart(statistics, signal) {
	const data = arrange(statistics);
	const { point, element } = legend(data);
	const place = el('div', { class: 'chart-place' });
	const observer = new ResizeObserver(entries => {
		const width = Math.floor(entries[0]?.contentRect.width ?? 0);
		if (width > 0)
			place.replaceChildren(draw(data, width, point));
	});
	observer.observe(place);
	signal.addEventListener('abort', () => observer.disconnect());
	return el('figure', { class: 'chart-figure' },
		el('figcaption', { class: 'visually-hidden' },
			'Signals over time by source; the table below has the numbers'),
		element, place, numbers(data));
}

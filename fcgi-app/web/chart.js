// chart.js - signals over time as stacked bars, one colour per source, with a legend that names the
// numbers below the pointer, and the same numbers as a table.

import { bdi, el, svg } from './dom.js';
import { number, utc } from './time.js';

const COLOURS = 6; // sources with a colour of their own; the rest is one
const HEIGHT = 220;
const EDGE = { left: 48, right: 8, top: 10, bottom: 26 };
const TICKS = 4;
const LONG = 48; // hours
const HOUR = { hour: 'numeric', minute: '2-digit' };

// Buckets of `series` ({ at, source, signals }) from `from` to `to`, and the sources by size.
export function arrange({ series, from, to, bucket_seconds: seconds }) {
	const size = seconds * 1000;
	const start = Math.floor(Date.parse(from) / size) * size;
	const count = Math.max(1, Math.ceil((Date.parse(to) - start) / size));
	const totals = new Map();
	for (const { source, signals } of series)
		totals.set(source, (totals.get(source) ?? 0) + signals);
	const sorted = [...totals].sort((a, b) => b[1] - a[1]);
	const own = sorted.slice(0, sorted.length > COLOURS ? COLOURS - 1 : COLOURS).map(([name]) => name);
	const names = sorted.length > own.length ? [...own, null] : own; // null: all others
	const buckets = Array.from({ length: count }, (_, index) => ({
		at: new Date(start + index * size).toISOString(), values: names.map(() => 0) }));
	for (const { at, source, signals } of series) {
		const bucket = buckets[Math.floor((Date.parse(at) - start) / size)];
		const place = own.indexOf(source);
		if (bucket)
			bucket.values[place < 0 ? own.length : place] += signals;
	}
	return { names, buckets, daily: seconds >= 86400 };
}

const sum = values => values.reduce((total, value) => total + value, 0);
const label = name => name === null ? 'other sources' : bdi(name);

// The step between two lines: 1, 2 or 5 times a power of ten.
function step(largest) {
	const rough = Math.max(1, largest / TICKS);
	const power = 10 ** Math.floor(Math.log10(rough));
	return [1, 2, 5, 10].find(factor => factor * power >= rough) * power;
}

// Days are those of UTC, as everywhere in the database; hours are the reader's.
function formats(daily) {
	const zone = daily ? { timeZone: 'UTC' } : {};
	const dated = { day: 'numeric', month: 'short' };
	return {
		axis: { day: new Intl.DateTimeFormat(undefined, dated),
			plain: new Intl.DateTimeFormat(undefined, daily ? { ...zone, ...dated } : HOUR) },
		full: new Intl.DateTimeFormat(undefined, daily ? { ...zone, ...dated, weekday: 'short' }
			: { ...dated, ...HOUR }),
	};
}

function lines(top, interval, width, y) {
	const group = svg('g', { class: 'grid' });
	for (let value = 0; value <= top; value += interval)
		group.append(svg('line', { x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }),
			svg('text', { x: EDGE.left - 8, y: y(value) + 4, 'text-anchor': 'end' },
				new Intl.NumberFormat(undefined, { notation: 'compact' }).format(value)));
	return group;
}

function bar({ values }, x, width, y) {
	let below = 0;
	return values.map((value, index) => {
		if (value === 0)
			return null;
		const top = y(below + value);
		const height = y(below) - top;
		below += value;
		return svg('rect', { class: `series-${index}`, x, width, y: top, height: Math.max(0.5, height) });
	});
}

// Hours of several days are named by the day, at its start.
function dates(buckets, format, x, width, starts) {
	const places = buckets.map(({ at }, index) => ({ at: new Date(at), x: x(index + 0.5) }))
		.filter(({ at }) => !starts || at.getHours() === 0);
	const every = Math.max(1, Math.ceil(places.length / Math.max(2, Math.floor(width / 90))));
	return svg('g', { class: 'axis' }, places.filter((_, index) => index % every === 0)
		.map(place => svg('text', { x: place.x, y: HEIGHT - 6, 'text-anchor': 'middle' },
			format.format(place.at))));
}

function draw({ buckets, daily }, width, point) {
	const largest = Math.max(1, ...buckets.map(({ values }) => sum(values)));
	const interval = step(largest);
	const top = Math.ceil(largest / interval) * interval;
	const inner = width - EDGE.left - EDGE.right;
	const x = index => EDGE.left + inner * index / buckets.length;
	const y = value => EDGE.top + (HEIGHT - EDGE.top - EDGE.bottom) * (1 - value / top);
	const band = inner / buckets.length;
	const shade = svg('rect', { class: 'shade', y: EDGE.top, width: band, x: 0, visibility: 'hidden',
		height: HEIGHT - EDGE.top - EDGE.bottom });
	const gap = Math.min(band * 0.22, 6);
	const long = !daily && buckets.length > LONG;
	const { axis } = formats(daily);
	const picture = svg('svg', { class: 'chart', width, height: HEIGHT, 'aria-hidden': 'true',
		viewBox: `0 0 ${width} ${HEIGHT}`, on: {
			pointermove(event) {
				const index = Math.floor((event.clientX - picture.getBoundingClientRect().left
					- EDGE.left) / band);
				const inside = index >= 0 && index < buckets.length;
				shade.setAttribute('visibility', inside ? 'visible' : 'hidden');
				shade.setAttribute('x', x(index));
				point(inside ? buckets[index] : null);
			},
			pointerleave() {
				shade.setAttribute('visibility', 'hidden');
				point(null);
			},
		} }, shade, lines(top, interval, width, y),
	buckets.map((bucket, index) => bar(bucket, x(index) + gap / 2, Math.max(0.75, band - gap), y)),
	dates(buckets, long ? axis.day : axis.plain, x, inner, long));
	return picture;
}

function legend({ names, buckets, daily }) {
	const format = formats(daily).full;
	const when = el('p', { class: 'legend-when' });
	const values = names.map(() => el('span', { class: 'legend-value' }));
	const total = el('span', { class: 'legend-value' });
	const point = bucket => {
		const shown = bucket?.values
			?? names.map((_, index) => sum(buckets.map(entry => entry.values[index])));
		when.textContent = bucket ? format.format(new Date(bucket.at)) : 'Whole window';
		when.title = bucket ? utc(bucket.at) : '';
		values.forEach((value, index) => { value.textContent = number(shown[index]); });
		total.textContent = number(sum(shown));
	};
	point(null);
	return { point, element: el('div', { class: 'legend' }, when,
		el('ul', null, names.map((name, index) => el('li', null,
			el('span', { class: `swatch series-${index}` }), el('span', { class: 'legend-name' },
				label(name)), values[index])),
		el('li', { class: 'legend-total' }, el('span', { class: 'legend-name' }, 'All'), total))) };
}

function numbers({ names, buckets, daily }) {
	const format = formats(daily).full;
	return el('details', { class: 'numbers' }, el('summary', null, 'Show as a table'),
		el('div', { class: 'table-wrap scrolls', tabindex: 0, role: 'region',
			'aria-label': 'Signals over time, as a table' },
		el('table', { class: 'plain' }, el('caption', { class: 'visually-hidden' }, 'Signals over time by source'),
			el('thead', null, el('tr', null, el('th', { scope: 'col' }, daily ? 'Day (UTC)' : 'Hour'),
				names.map(name => el('th', { scope: 'col', class: 'number' }, label(name))),
				el('th', { scope: 'col', class: 'number' }, 'All'))),
			el('tbody', null, buckets.toReversed().map(({ at, values }) => el('tr', null,
				el('th', { scope: 'row' }, el('time', { datetime: at, title: utc(at) },
					format.format(new Date(at)))),
				[...values, sum(values)].map(value => el('td', { class: 'number' }, number(value)))))))));
}

// statistics: the service's answer. Drawn anew when its width changes, until `signal` aborts.
export function chart(statistics, signal) {
	const data = arrange(statistics);
	const { point, element: names } = legend(data);
	const place = el('div', { class: 'chart-place' });
	const watcher = new ResizeObserver(([{ contentRect }]) => {
		const width = Math.floor(contentRect.width);
		if (width > 0)
			place.replaceChildren(draw(data, width, point));
	});
	watcher.observe(place);
	signal.addEventListener('abort', () => watcher.disconnect());
	return el('figure', { class: 'chart-figure' },
		el('figcaption', { class: 'visually-hidden' }, 'Signals over time by source; the table below has the numbers'),
		names, place, numbers(data));
}

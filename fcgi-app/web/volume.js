// @ts-check
// volume.js - how much came with a key today and on the six days before, and how much of it was
// turned away.

import { el, svg } from './dom.js';
import { fillWith } from './state.js';
import { facts } from './table.js';
import { number, relative } from './time.js';

/** @import { Api } from './api.js' */
/** @import { Child, Integer, Key, KeyVolume, Timestamp } from './types.js' */

const BAR = { width: 14, gap: 4, height: 32 };

/**
 * "9 in 7 days, 5 of them today; most recently 3 minutes ago"
 *
 * @param {Integer} week
 * @param {Integer} today
 * @param {Timestamp | null} last
 * @returns {Child}
 */
function told(week, today, last) {
	if (Number(week) === 0)
		return 'None in 7 days';
	return [el('strong', null, number(week)), ' in 7 days, ',
		Number(today) === 0 ? 'none' : number(today), ' of them today',
		last ? el('span', { class: 'sub' }, 'most recently ', relative(last)) : null];
}

/**
 * A bar for each day, the last one today.
 *
 * @param {Integer[]} days
 */
function bars(days) {
	const counts = days.map(Number);
	const largest = Math.max(1, ...counts);
	const { width, gap, height } = BAR;
	return svg('svg', { class: 'days', width: counts.length * (width + gap) - gap, height,
		role: 'img', 'aria-label':
			`Accepted each day, the last one today: ${days.map(number).join('; ')}` },
	counts.map((count, index) => {
		const high = count > 0 ? Math.max(2, height * count / largest) : 1;
		return svg('rect', { class: count > 0 ? 'some' : 'none', x: index * (width + gap), width,
			y: height - high, height: high, rx: 1 });
	}));
}

/** @param {KeyVolume} volume */
function volumeOf(volume) {
	return el('div', { class: 'volume' }, bars(volume.accepted_by_day), facts([
		['Accepted', told(volume.accepted_7_days, volume.accepted_today, volume.last_accepted_at)],
		['Rejected', told(volume.rejected_7_days, volume.rejected_today, volume.last_rejected_at)],
		['Refused', told(volume.refused_7_days, volume.refused_today, volume.last_refused_at)]]));
}

/**
 * A place that fills itself with what came with a key.
 *
 * @param {{ api: Api, signal: AbortSignal, key: Key }} context
 */
export function volumePlace({ api, signal, key }) {
	const place = el('div', { class: 'volume-place' });
	fillWith(place, 'what came with the key', signal,
		() => api.get('key-volumes', { key: String(key.id) }, signal),
		({ volumes }) => volumes.map(volumeOf));
	return place;
}

// @ts-check
// rejects.js - payloads that could not be stored: why, with the bad place marked in the bytes.

import { bdi, el } from './dom.js';
import { empty } from './state.js';
import { clamp, clip, code, facts, pages, sub, text } from './table.js';
import { minute, number, second } from './time.js';

/** @import { Api } from './api.js' */
/** @import { Chosen } from './search.js' */
/** @import { Place, Reject, TableOptions } from './types.js' */

const PAGE = 50;
// what shows nothing, or turns the text around it
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * A text in which nothing is unseen: such a character is written as its code.
 *
 * @param {string} given
 * @param {string} [kept] characters that stay as they are
 */
export function visible(given, kept = '') {
	return given.replace(UNSEEN, found => kept.includes(found) ? found : found.split('')
		.map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''));
}

/**
 * The line of a payload with the bad place in it, which is marked; null where none is known.
 *
 * @param {Place | null} place
 */
export function placeOf(place) {
	return place === null ? null : [
		el('p', null, `Line ${number(place.line)}, column ${number(place.column)}`
			+ `${place.bad === '' ? ', where the payload ends' : ''}:`),
		el('pre', { class: 'json', tabindex: 0, role: 'region', 'aria-label': 'Bad place' },
			el('bdi', null, visible(place.before), el('mark', null, visible(place.bad) || '⌁'),
				visible(place.after)))];
}

/** @param {Reject} row */
function stateOf(row) {
	return row.replayed_at ? minute(row.replayed_at) : el('span', { class: 'muted' }, 'Not yet');
}

/** @type {TableOptions<Reject>} */
const OPTIONS = {
	caption: 'Latest rejects',
	about: row => `reject ${row.id}`,
	columns: [
		{ label: 'Received', class: 'nowrap', cell: row => second(row.received_at) },
		{ label: 'Reason', class: 'cell-name', cell: row => [clamp(row.why), sub(row.detail)] },
		{ label: 'Key', cell: row => clip(row.key_name) },
		{ label: 'Source', cell: row => clip(row.source) },
		{ label: 'Bytes', class: 'number', cell: row => number(row.payload_bytes) },
		{ label: 'Replayed', class: 'nowrap', cell: stateOf }],
	detail: row => [el('p', null, el('strong', null, bdi(row.why)), ': ', bdi(row.detail)),
		placeOf(row.place), facts([
			['Reject ID', code(row.id)], ['Kind', text(row.kind)], ['Code', code(row.code)],
			['Key', text(row.key_name)],
			['Position', row.position === null ? null : number(row.position)],
			['Request ID', code(row.request_id)],
		]), el('h3', null, 'Received bytes'),
		el('pre', { class: 'json', tabindex: 0, role: 'region', 'aria-label': 'Received bytes' },
			el('bdi', null, visible(row.preview, '\t\n')),
			row.truncated ? el('span', { class: 'json-mark' }, '\n… truncated') : null)],
};

/**
 * Fills `place`.
 *
 * @param {HTMLElement} place
 * @param {{ api: Api, signal: AbortSignal, chosen: Chosen, changed: () => void }} context
 */
export function rejects(place, { api, signal }) {
	pages(place, { ...OPTIONS, signal,
		nothing: empty('Nothing has been rejected', 'Bad items of batches and unreadable bodies'
			+ ' are kept here, so that nothing a sender posts is lost.'),
		load: async before => {
			const { rejects: rows, next } = await api.get('rejects', { limit: PAGE, before },
				signal);
			return { rows, next };
		} });
}

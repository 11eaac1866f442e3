// @ts-check
// refusals.js - why requests with a key were refused, in words, and what to do about it.

import { bdi, button, el } from './dom.js';
import { openDialog } from './dialog.js';
import { empty, fillWith } from './state.js';
import { number, plural, relative } from './time.js';

/** @import { Api } from './api.js' */
/** @import { Key, Refusal, Refusals } from './types.js' */

/**
 * @param {Refusal} refusal
 * @param {Refusals} all
 */
function refusalOf({ http_status: status, code, why, advice, requests, requests_today: today,
	last_at: last }, { last_used_at: used }) {
	return el('li', null,
		el('p', { class: 'subject' }, el('span', null, why), el('code', null, `${status} ${code}`)),
		el('p', null, advice),
		el('p', { class: 'sub' }, plural(requests, 'request', 'requests'),
			today === requests ? ' today'
				: `, ${today === 0 ? 'none' : number(today)} of them today`,
			'; most recently ', relative(last),
			used && Date.parse(used) > Date.parse(last)
				? ['. Requests have been accepted since, most recently ', relative(used)] : null,
			'.'));
}

/**
 * The reasons, the latest first, and what can be said without one.
 *
 * @param {Refusals} all
 */
export function refusalsOf(all) {
	return [all.advice ? el('p', { class: 'notice' }, all.advice) : null,
		all.refusals.length > 0
			? el('ul', null, all.refusals.map(refusal => refusalOf(refusal, all))) : null];
}

/** @param {{ api: Api, signal: AbortSignal, key: Key }} context */
export function openRefusals({ api, signal, key }) {
	const place = el('div', { class: 'history' });
	const dialog = openDialog({ title: 'Why requests were refused', class: 'wide', signal, body: [
		el('p', { class: 'subject' }, el('span', { class: 'clamp' }, bdi(key.name)),
			el('code', null, key.display)), place,
		el('p', { class: 'hint' }, 'Counts are up to ten seconds late. Items that arrived but could'
			+ ' not be read are not counted here: see Rejected under Staging.')],
	foot: button('Close', () => dialog.close(), { autofocus: true }) });
	fillWith(place, 'refusals', signal, () => api.ofKey(key.id, 'refusals', signal), all =>
		all.refusals.length > 0 || all.advice ? el('div', null, refusalsOf(all))
			: empty('Nothing was refused', 'Every request with this key was accepted.'));
}

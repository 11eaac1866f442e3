// @ts-check
// history.js - the changes to one key, newest first, and the lines of its payload template in which
// they differ.

import { ACTIONS } from './audit.js';
import { bdi, button, el } from './dom.js';
import { openDialog } from './dialog.js';
import { view as jsonView } from './json.js';
import { empty, fillWith } from './state.js';
import { minute } from './time.js';

/** @import { Api } from './api.js' */
/** @import { Id, Key, KeyChange, OfKey } from './types.js' */
/** @typedef {[sign: ' ' | '-' | '+', line: string]} Line */

const PAGE = 50;

/**
 * The lines of two texts, by their longest common subsequence.
 *
 * @param {string[]} before
 * @param {string[]} after
 * @returns {Line[]}
 */
export function difference(before, after) {
	const width = after.length + 1;
	const common = new Uint16Array((before.length + 1) * width);
	/** @type {(i: number, j: number) => number} */
	const at = (i, j) => common[i * width + j] ?? 0;
	for (let i = before.length - 1; i >= 0; i--)
		for (let j = after.length - 1; j >= 0; j--)
			common[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1
				: Math.max(at(i + 1, j), at(i, j + 1));
	/** @type {Line[]} */
	const lines = [];
	let [i, j] = [0, 0];
	while (i < before.length || j < after.length)
		if (i < before.length && j < after.length && before[i] === after[j]) {
			lines.push([' ', before[i++] ?? '']);
			j++;
		} else if (j === after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1))) {
			lines.push(['-', before[i++] ?? '']);
		} else {
			lines.push(['+', after[j++] ?? '']);
		}
	return lines;
}

/**
 * Without the members that say nothing.
 *
 * @param {KeyChange['details']} details
 */
function said(details) {
	return details === null || typeof details !== 'object' || Array.isArray(details) ? details
		: Object.fromEntries(Object.entries(details).filter(([, value]) => value !== null));
}

/** @param {KeyChange} entry */
function contentOf({ details, template_before: before, template_after: after }) {
	if (before === null || after === null)
		return jsonView(said(details), 'Details');
	const tags = { ' ': 'span', '-': 'del', '+': 'ins' };
	return el('pre', { class: 'json diff', tabindex: 0, role: 'region',
		'aria-label': 'Changes to the payload template' },
	difference(before.split('\n'), after.split('\n')).map(([sign, line]) =>
		el(/** @type {'ins'} */ (tags[sign]), null, `${sign} ${line}\n`)));
}

/** @param {KeyChange} entry */
function entryOf(entry) {
	return el('li', null, el('p', { class: 'subject' },
		el('span', null, ACTIONS[entry.action] ?? entry.action),
		el('span', { class: 'muted' }, minute(entry.occurred_at), ' by ', bdi(entry.actor))),
	contentOf(entry));
}

/** @param {{ api: Api, signal: AbortSignal, key: Key }} context */
export function openHistory({ api, signal, key }) {
	const place = el('div', { class: 'history' });
	const dialog = openDialog({ title: 'History of this key', class: 'wide', signal, body: [
		el('p', { class: 'subject' }, el('span', { class: 'clamp' }, bdi(key.name)),
			el('code', null, key.display)), place],
	foot: button('Close', () => dialog.close(), { autofocus: true }) });
	/** @param {Id | null} before */
	const load = before => api.ofKey(key.id, 'history', signal, { limit: PAGE, before });
	const list = el('ul');
	const rest = el('div', { class: 'more' });
	/** @param {OfKey['history']} part */
	const show = ({ entries, next }) => {
		list.append(...entries.map(entryOf));
		return next === null ? [] : [button('Show more', () =>
			fillWith(rest, 'more', signal, () => load(next), show))];
	};
	fillWith(place, 'changes', signal, () => load(null), first => {
		if (first.entries.length === 0)
			return empty('No changes', 'The key is older than the audit log.');
		rest.append(...show(first));
		return [list, rest];
	});
}

// @ts-check
// signals.js - the signals of an organization: the search over all that is kept, its progress, the
// rows as they come in, and files of what was found.

import { announce, button, el } from './dom.js';
import { download } from './download.js';
import { follow } from './follow.js';
import { NAMES, isFiltered, isOpen, queryOf, searchForm } from './search.js';
import { empty, failed, loading, supersede } from './state.js';
import { statusBadge } from './status.js';
import { clamp, clip, code, facts, payloadOf, sub, table, text, warning } from './table.js';
import { keepAgo, minute, plural, relative, second } from './time.js';

/** @import { Api } from './api.js' */
/** @import { Chosen } from './search.js' */
/** @import { Query, Signal, TableOptions } from './types.js' */

const PAGE = 50;
const NEW_AT_MOST = 100; // of one question

/** @type {TableOptions<Signal>} */
const OPTIONS = {
	caption: 'Signals, newest first',
	about: row => `signal ${row.id}`,
	columns: [
		{ label: 'Received', class: 'nowrap', cell: row => [
			relative(row.received_at), el('span', { class: 'sub' }, second(row.received_at))] },
		{ label: 'Source', cell: row => clip(row.source) },
		{ label: 'Event', class: 'cell-name', cell: row => [
			clamp(row.event_name ?? row.event_type), row.event_name ? sub(row.event_type) : null] },
		{ label: 'Who', cell: row => clip(row.email ?? row.user_id ?? row.anonymous_id) },
		{ label: 'Key', cell: row => clip(row.key_name) },
		{ label: 'Status', class: 'nowrap', cell: row => statusBadge(row.status) }],
	detail: row => [facts([
		['Signal ID', code(row.id)], ['Received', second(row.received_at)],
		['Occurred', row.occurred_at === null ? null : second(row.occurred_at)],
		['Event', text(row.event_name)], ['Key', text(row.key_name)],
		['Email', text(row.email)], ['User ID', code(row.user_id)],
		['Anonymous ID', code(row.anonymous_id)], ['Message ID', code(row.message_id)],
		['Request ID', code(row.request_id)], ['Error', warning(row.error)],
	]), payloadOf(row.payload, row.payload_bytes)],
};

class Signals {
	rows = el('div', { class: 'found' });
	progress = el('div', { class: 'progress', role: 'status' });
	fresh = el('div', { class: 'fresh', 'aria-live': 'polite' });
	tools = el('div', { class: 'found-tools' });
	/** @type {Signal[]} that have come, but are not shown yet */
	waiting = [];
	/** @type {Set<string>} ids of all rows that are known */
	known = new Set();
	paused = false;
	missed = false; // more than could be asked for at once
	live = '';
	/** @type {ReturnType<typeof table<Signal>> | null} */
	table = null;
	/** @type {HTMLElement | null} */
	state = null;
	/** @type {Query} */
	asked = {};

	/**
	 * @param {HTMLElement} place
	 * @param {{ api: Api, signal: AbortSignal, chosen: Chosen, changed: () => void }} context
	 */
	constructor(place, { api, signal, chosen, changed }) {
		this.api = api;
		this.left = signal;
		this.chosen = chosen;
		this.next = supersede(signal);
		this.place = place;
		this.changed = changed;
	}

	show() {
		const form = searchForm(this.chosen, chosen => {
			const focused = document.activeElement instanceof HTMLElement
				? document.activeElement.getAttribute('name') : null;
			this.choose(chosen);
			const again = this.place.querySelector(`[name="${focused ?? 'q'}"]`);
			if (again instanceof HTMLElement)
				again.focus();
		});
		this.place.replaceChildren(form, this.tools, this.fresh, this.rows, this.progress);
		this.start();
	}

	/** @param {Chosen} chosen in place of all that was */
	choose(chosen) {
		NAMES.forEach(name => { this.chosen[name] = chosen[name] ?? null; });
		this.changed();
		this.show();
	}

	/** From the newest signal on. */
	start() {
		const signal = this.next();
		this.known.clear();
		this.waiting = [];
		this.table = null;
		this.asked = queryOf(this.chosen);
		this.fresh.replaceChildren();
		this.tools.replaceChildren();
		this.rows.replaceChildren(loading('signals'));
		this.rows.setAttribute('aria-busy', 'true');
		this.progress.replaceChildren();
		this.load(signal, null, null);
	}

	/**
	 * Loads part after part until a page is full or all is searched.
	 *
	 * @param {AbortSignal} all of this search
	 * @param {string | null} before
	 * @param {HTMLElement | null} asker what had the focus
	 */
	async load(all, before, asker) {
		const stop = new AbortController();
		const signal = AbortSignal.any([all, stop.signal]);
		const told = el('p', { class: 'sub' });
		let wanted = PAGE;
		let first = null;
		/** @type {string | null} */
		let next = before;
		/** @type {string | null} */
		let until = null;
		try {
			do {
				const answer = await this.api.get('signals',
					{ ...this.asked, limit: wanted, before: next }, signal);
				if (before === null && next === null)
					this.begin(all, answer.live);
				wanted -= answer.signals.length;
				first ??= this.append(answer.signals);
				next = answer.next;
				until = answer.searched_until;
				if (next !== null && wanted > 0)
					told.replaceChildren('Searched until ', minute(until ?? ''), ', going on …');
				if (next !== null && wanted > 0 && !told.isConnected)
					this.progress.replaceChildren(told, button('Stop', () => stop.abort()));
			} while (next !== null && wanted > 0);
		} catch (error) {
			if (all.aborted)
				return;
			if (!stop.signal.aborted) {
				this.rows.removeAttribute('aria-busy');
				if (!this.table)
					this.rows.replaceChildren();
				this.progress.replaceChildren(failed(error, () => this.load(all, next, null)));
				return;
			}
		}
		this.finish(all, next, until, wanted > 0);
		if (asker)
			(first ?? this.progress.querySelector('button'))?.focus();
	}

	/**
	 * Appends rows; what opens the first of them.
	 *
	 * @param {Signal[]} signals
	 * @returns {HTMLElement | null}
	 */
	append(signals) {
		const rows = signals.filter(({ id }) => !this.known.has(String(id)));
		if (rows.length === 0)
			return null;
		rows.forEach(({ id }) => this.known.add(String(id)));
		this.table ??= this.newTable();
		const [row] = this.table.add(rows);
		return row?.querySelector('button') ?? null;
	}

	newTable() {
		const made = table(OPTIONS);
		this.rows.replaceChildren(made.element);
		return made;
	}

	/**
	 * What is said below the rows that were found.
	 *
	 * @param {AbortSignal} all
	 * @param {string | null} next
	 * @param {string | null} until
	 * @param {boolean} stopped
	 */
	finish(all, next, until, stopped) {
		this.rows.removeAttribute('aria-busy');
		const filtered = isFiltered(this.chosen);
		const more = () => button(stopped ? 'Go on' : 'Show more', () => this.load(all, next,
			document.activeElement instanceof HTMLElement ? document.activeElement : null));
		if (!this.table)
			this.rows.replaceChildren(next !== null
				? empty('Nothing found so far', 'The search was stopped before its end.')
				: filtered ? empty('Nothing matches', 'All that is kept was searched, and no signal'
					+ ' is as you have asked.', button('Clear the search', () => this.choose({})))
					: empty('Nothing has arrived yet', 'Signals appear here as soon as a sender'
						+ ' posts one.'));
		const count = this.known.size;
		this.progress.replaceChildren(
			el('p', { class: 'sub' }, next === null
				? count > 0 ? `${plural(count, 'signal', 'signals')}: that is all there is.` : ''
				: [plural(count, 'signal', 'signals'), ' so far, searched until ',
					minute(until ?? ''), '.']),
			...next === null ? [] : [more()]);
		this.tools.replaceChildren(...this.table ? [this.files()] : [],
			...isOpen(this.chosen) ? [this.pause()] : []);
	}

	files() {
		return el('div', { class: 'files', role: 'group', 'aria-label': 'Save what is found' },
			el('span', { class: 'live-label' }, 'Save as'),
			['csv', 'ndjson'].map(format => button(format.toUpperCase(), () => download(this.api,
				this.asked, format, this.left), { class: 'button small' })));
	}

	// ---- new signals ----

	pause() {
		const toggle = button('', () => {
			this.paused = !this.paused;
			say();
			this.offer();
		}, { class: 'button small', 'aria-describedby': 'live-state' });
		const state = el('span', { id: 'live-state', class: 'live-state' });
		const say = () => {
			toggle.textContent = this.paused ? 'Resume' : 'Pause';
			state.textContent = this.paused ? 'Paused' : 'Live';
			state.classList.toggle('paused', this.paused);
		};
		say();
		this.state = state;
		return el('div', { class: 'live' }, state, toggle);
	}

	/**
	 * @param {AbortSignal} signal
	 * @param {string} live
	 */
	begin(signal, live) {
		this.live = live;
		keepAgo(this.rows, signal);
		if (!isOpen(this.chosen))
			return;
		follow(signal, async () => {
			const answer = await this.api.get('signals',
				{ ...this.asked, since: this.live, limit: NEW_AT_MOST }, signal);
			this.live = answer.live;
			const rows = answer.signals.filter(({ id }) => !this.known.has(String(id)));
			rows.forEach(({ id }) => this.known.add(String(id)));
			this.waiting.unshift(...rows);
			this.missed ||= answer.next !== null;
			this.offer();
		}, error => {
			if (this.state)
				this.state.textContent = error !== null ? 'No answer, trying again'
					: this.paused ? 'Paused' : 'Live';
		});
		addEventListener('scroll', () => this.offer(), { signal, passive: true });
		this.rows.addEventListener('pointerleave', () => this.offer(), { signal });
	}

	/** Nothing moves under the reader's pointer, focus or eyes. */
	get mayMove() {
		return !this.paused && !this.rows.matches(':hover')
			&& !this.rows.contains(document.activeElement)
			&& this.rows.getBoundingClientRect().top > 0;
	}

	/** Shows what is waiting, or a button that does. */
	offer() {
		if (this.missed) {
			this.fresh.replaceChildren(button('Many new signals', () => {
				this.missed = false;
				this.start();
			}, { class: 'button fresh-button' }));
		} else if (this.waiting.length === 0) {
			this.fresh.replaceChildren();
		} else if (this.mayMove) {
			this.insert();
		} else {
			const label = `${plural(this.waiting.length, 'new signal', 'new signals')}`;
			const shown = this.fresh.querySelector('button');
			if (shown)
				shown.textContent = label;
			else
				this.fresh.replaceChildren(button(label, () => {
					const count = this.waiting.length;
					const top = this.insert();
					announce(`${plural(count, 'new signal', 'new signals')} shown`);
					top?.focus({ preventScroll: true });
					this.rows.scrollIntoView({ block: 'nearest' });
				}, { class: 'button fresh-button' }));
		}
	}

	insert() {
		this.table ??= this.newTable();
		const [row] = this.table.add(this.waiting, true);
		this.waiting = [];
		this.fresh.replaceChildren();
		return row?.querySelector('button') ?? null;
	}
}

/**
 * Fills `place`. `chosen` follows what the reader chooses; changed() is called each time.
 *
 * @param {HTMLElement} place
 * @param {{ api: Api, signal: AbortSignal, chosen: Chosen, changed: () => void }} context
 */
export function signals(place, context) {
	new Signals(place, context).show();
}

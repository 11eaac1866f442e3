// @ts-check
// results.js - what a search finds, part by part: its rows, how far it has come, and files of it.

import { button, el } from './dom.js';
import { download } from './download.js';
import { NAMES, TEXT_DAYS, isFiltered, isShortened, queryOf, searchForm } from './search.js';
import { empty, failed, loading, supersede } from './state.js';
import { table } from './table.js';
import { minute, plural } from './time.js';

/** @import { Api } from './api.js' */
/** @import { Chosen, Search } from './search.js' */
/** @import { Id, Page, Query, TableOptions, Timestamp } from './types.js' */

const PAGE = 50;

/** @typedef {{ api: Api, signal: AbortSignal, chosen: Chosen, changed: () => void }} Context */

/**
 * Some of what is found, and the `before` of what follows; `until` is how far the search has come
 * where it is not at its end.
 *
 * @template Row
 * @typedef {Page<Row> & { until?: Timestamp | null, live?: string }} Part
 */

/**
 * What is searched: `one` and `many` are what its rows are called, `path` is that of its files,
 * `remark` is said of these.
 *
 * @template Row
 * @typedef {{
 *   search: Search, one: string, many: string, path: string, file: string,
 *   options: TableOptions<Row>,
 *   load: (query: Query, signal: AbortSignal) => Promise<Part<Row>>,
 *   nothing: () => Node, remark?: string | null,
 * }} List
 */

/** @template {{ id: Id }} Row */
export class Results {
	rows = el('div', { class: 'found' });
	progress = el('div', { class: 'progress', role: 'status' });
	tools = el('div', { class: 'found-tools' });
	/** @type {Set<string>} ids of all rows that are known */
	known = new Set();
	/** @type {ReturnType<typeof table<Row>> | null} */
	table = null;
	/** @type {Query} */
	asked = {};

	/**
	 * @param {HTMLElement} place
	 * @param {Context} context `chosen` follows what the reader chooses; changed() is called then
	 * @param {List<Row>} list
	 */
	constructor(place, { api, signal, chosen, changed }, list) {
		this.place = place;
		this.api = api;
		this.left = signal;
		this.chosen = chosen;
		this.changed = changed;
		this.list = list;
		this.next = supersede(signal);
	}

	/** @returns {Node[]} what stands below the form */
	parts() {
		return [this.tools, this.rows, this.progress];
	}

	show() {
		const form = searchForm(this.list.search, this.chosen, chosen => {
			const focused = document.activeElement?.getAttribute('name');
			this.choose(chosen);
			this.focus(focused ?? 'q');
		});
		this.place.replaceChildren(form, ...this.parts());
		this.start();
	}

	/**
	 * @param {string} name of a field
	 * @param {FocusOptions} [options]
	 */
	focus(name, options) {
		/** @type {HTMLElement | null} */ (this.place.querySelector(`[name="${name}"]`))
			?.focus(options);
	}

	/** @param {Chosen} chosen in place of all that was */
	choose(chosen) {
		NAMES.forEach(name => { this.chosen[name] = chosen[name] ?? null; });
		this.changed();
		this.show();
	}

	/** From the newest row on. */
	start() {
		const signal = this.next();
		this.known.clear();
		this.table = null;
		this.asked = queryOf(this.list.search, this.chosen);
		this.tools.replaceChildren();
		this.rows.replaceChildren(loading(this.list.many));
		this.rows.setAttribute('aria-busy', 'true');
		this.progress.replaceChildren();
		this.load(signal, null, null);
	}

	/**
	 * The first part is there.
	 *
	 * @param {AbortSignal} _signal of this search
	 * @param {Part<Row>} _part
	 */
	begin(_signal, _part) {}

	/**
	 * Loads part after part until a page is full or all is searched.
	 *
	 * @param {AbortSignal} all of this search
	 * @param {Id | string | null} before
	 * @param {HTMLElement | null} asker what had the focus
	 */
	async load(all, before, asker) {
		const stop = new AbortController();
		const signal = AbortSignal.any([all, stop.signal]);
		const told = el('p', { class: 'sub' });
		let wanted = PAGE;
		let first = null;
		/** @type {Part<Row>} */
		let part = { rows: [], next: before };
		try {
			do {
				const { next } = part;
				part = await this.list.load({ ...this.asked, limit: wanted, before: next }, signal);
				if (next === null)
					this.begin(all, part);
				wanted -= part.rows.length;
				first ??= this.append(part.rows);
				if (part.next !== null && wanted > 0)
					this.tell(told, part, () => stop.abort());
			} while (part.next !== null && wanted > 0);
		} catch (error) {
			if (all.aborted)
				return;
			if (!stop.signal.aborted) {
				this.fail(error, () => this.load(all, part.next, null));
				return;
			}
		}
		this.finish(all, part, wanted > 0);
		if (asker)
			(first ?? this.progress.querySelector('button'))?.focus();
	}

	/**
	 * How far a search that goes on has come.
	 *
	 * @param {HTMLElement} told
	 * @param {Part<Row>} part
	 * @param {() => void} stop
	 */
	tell(told, { until }, stop) {
		told.replaceChildren(...until ? ['Searched until ', minute(until), ', going on …']
			: ['Searching …']);
		if (!told.isConnected)
			this.progress.replaceChildren(told, button('Stop', stop));
	}

	/**
	 * @param {unknown} error
	 * @param {() => void} again
	 */
	fail(error, again) {
		this.rows.removeAttribute('aria-busy');
		if (!this.table)
			this.rows.replaceChildren();
		this.progress.replaceChildren(failed(error, again));
	}

	/**
	 * Appends rows, or with `first` puts them before the others; what opens the first of them.
	 *
	 * @param {Row[]} rows
	 * @param {boolean} [first]
	 * @returns {HTMLElement | null}
	 */
	append(rows, first = false) {
		const fresh = this.unknown(rows);
		return fresh.length === 0 ? null : this.insert(fresh, first);
	}

	/** @param {Row[]} rows those that are not known yet, which they are now */
	unknown(rows) {
		const fresh = rows.filter(({ id }) => !this.known.has(String(id)));
		fresh.forEach(({ id }) => this.known.add(String(id)));
		return fresh;
	}

	/**
	 * @param {Row[]} rows
	 * @param {boolean} first
	 * @returns {HTMLElement | null}
	 */
	insert(rows, first) {
		if (!this.table) {
			this.table = table(this.list.options);
			this.rows.replaceChildren(this.table.element);
		}
		const [row] = this.table.add(rows, first);
		return row?.querySelector('button') ?? null;
	}

	/**
	 * What is said below the rows that were found.
	 *
	 * @param {AbortSignal} all
	 * @param {Part<Row>} part the last one
	 * @param {boolean} stopped
	 */
	finish(all, { next, until }, stopped) {
		const { one, many } = this.list;
		const count = plural(this.known.size, one, many);
		this.rows.removeAttribute('aria-busy');
		if (!this.table)
			this.rows.replaceChildren(next !== null
				? empty('Nothing found so far', 'The search was stopped before its end.')
				: this.nothing());
		this.progress.replaceChildren(el('p', { class: 'sub' },
			next !== null
				? [`${count} so far`, until ? [', searched until ', minute(until)] : '', '.']
				: this.known.size === 0 ? '' : isShortened(this.chosen)
					? `${count}: that is all of ${TEXT_DAYS} days.`
					: `${count}: that is all there is.`));
		if (next !== null)
			this.progress.append(button(stopped ? 'Go on' : 'Show more', () => this.load(all, next,
				document.activeElement instanceof HTMLElement ? document.activeElement : null)));
		this.tools.replaceChildren(...this.table ? [this.files()] : []);
	}

	/** What is shown where a search was at its end without having found anything. */
	nothing() {
		const { search, one, nothing } = this.list;
		if (!isFiltered(search, this.chosen))
			return nothing();
		return empty('Nothing matches', isShortened(this.chosen)
			? `Payloads are read one by one: as no time was chosen, those of ${TEXT_DAYS} days were`
				+ ` searched, and no ${one} is as you have asked. Choose a time to search further.`
			: `All that is kept was searched, and no ${one} is as you have asked.`,
		button('Clear the search', () => this.choose({})));
	}

	files() {
		const { path, file: name, remark = null } = this.list;
		return el('div', { class: 'files', role: 'group', 'aria-label': 'Save what is found' },
			el('span', { class: 'live-label' }, 'Save as'),
			['csv', 'ndjson'].map(format => button(format.toUpperCase(), () => download(this.api,
				this.asked, format, this.left, { path, name }), { class: 'button small' })),
			remark && el('span', { class: 'live-label' }, remark));
	}
}

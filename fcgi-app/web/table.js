// @ts-check
// table.js - tables whose rows open to show more. In a narrow window the style sheet shows each row
// as a card with its cells below each other: so roles are written out, and every cell knows the
// label of its column.

import { bdi, button, el, newId } from './dom.js';
import { view as jsonView } from './json.js';
import { fillWith } from './state.js';
import { number } from './time.js';

/**
 * @import { Child, Column, Id, Integer, Json, Page, PagedTableOptions, PageOptions, TableOptions }
 *   from './types.js'
 */

/**
 * The button that opens a row, and the row below it that it opens.
 *
 * @template Row
 * @param {TableOptions<Row>} options
 * @param {Row} row
 */
function toggle({ columns, about, detail }, row) {
	const id = newId('detail');
	const cell = el('td', { colspan: columns.length + 1, role: 'cell' });
	const below = el('tr', { class: 'detail', id, role: 'row', hidden: true }, cell);
	const open = el('button', { type: 'button', class: 'toggle', 'aria-expanded': 'false',
		'aria-controls': id, 'aria-label': `Details of ${about(row)}`, on: {
			click() {
				if (!cell.hasChildNodes())
					cell.append(el('div', null, detail(row)));
				below.hidden = !below.hidden;
				open.setAttribute('aria-expanded', String(!below.hidden));
			},
		} });
	return { open, below };
}

/**
 * @template Row
 * @param {TableOptions<Row>} options
 * @param {Row} row
 */
function rowsOf(options, row) {
	const { open, below } = toggle(options, row);
	return [el('tr', { role: 'row', class: 'opens' },
		el('td', { class: 'toggle-cell', role: 'cell' }, open),
		options.columns.map(column => el('td', { class: column.class, role: 'cell',
			'data-label': column.label }, column.cell(row)))), below];
}

/**
 * @template Row
 * @param {Column<Row>} column
 */
function header({ label, class: name, silent }) {
	return el('th', { scope: 'col', role: 'columnheader', class: name },
		silent ? el('span', { class: 'visually-hidden' }, label) : label);
}

/**
 * An empty table, and add(rows), which appends rows to it, or with `first` puts them before the
 * others; it returns their elements.
 *
 * @template Row
 * @param {TableOptions<Row>} options
 */
export function table(options) {
	const body = el('tbody', { role: 'rowgroup' });
	const element = el('div', { class: 'table-wrap' },
		el('table', { role: 'table' },
			el('caption', { class: 'visually-hidden' }, options.caption),
			el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' },
				el('td', { class: 'toggle-cell', role: 'cell' }), options.columns.map(header))),
			body));
	/**
	 * @param {Row[]} rows
	 * @param {boolean} [first]
	 */
	const add = (rows, first = false) => {
		const made = rows.flatMap(row => rowsOf(options, row));
		body[first ? 'prepend' : 'append'](...made);
		return made;
	};
	return { element, add };
}

/**
 * Fills `place` with the first page of a list, and a button that appends the next one. begin()
 * makes what holds the list, and a function that adds rows to it and returns their elements.
 *
 * @template Row
 * @param {Element} place
 * @param {string} what
 * @param {PageOptions<Row>} options
 * @param {() => { element: Element, add: (rows: Row[]) => Element[] }} begin
 */
export function listPages(place, what, { load, nothing, signal }, begin) {
	return fillWith(place, what, signal, () => load(null), first => {
		if (first.rows.length === 0)
			return nothing();
		const { element, add } = begin();
		const rest = el('div', { class: 'more' });
		/**
		 * @param {Page<Row>} page
		 * @param {boolean} [asked] by the button, which has the focus and goes
		 */
		const show = ({ rows, next }, asked = false) => {
			const [made] = add(rows);
			if (asked)
				made?.querySelector('button')?.focus();
			return next === null ? [] : [button('Show more', () => more(next),
				{ 'aria-label': `Show more ${what}` })];
		};
		/** @param {Id | string} next */
		const more = next => fillWith(rest, 'more', signal, () => load(next),
			page => show(page, true));
		rest.append(...show(first));
		return [element, rest];
	});
}

/**
 * listPages() of a table.
 *
 * @template Row
 * @param {Element} place
 * @param {PagedTableOptions<Row>} options
 */
export function pages(place, options) {
	return listPages(place, options.caption.toLowerCase(), options, () => table(options));
}

/**
 * Names and values, one below the other; pairs without a value are left out.
 *
 * @param {[name: string, value: Child][]} pairs
 */
export function facts(pairs) {
	return el('dl', { class: 'facts' }, pairs
		.filter(([, value]) => value !== null && value !== undefined)
		.map(([name, value]) => el('div', null, el('dt', null, name), el('dd', null, value))));
}

// ---- cells ----

export const dash = () => el('span', { class: 'muted' }, '–');

/** @param {string | null} value on two lines at most */
export const clamp = value => value ? el('span', { class: 'clamp' }, bdi(value)) : dash();

/** @param {string | null} value on one line */
export const clip = value => value ? el('span', { class: 'clip' }, bdi(value)) : dash();

/** @param {string | null} value on one line below another value */
export const sub = value => value ? el('span', { class: 'sub clip' }, bdi(value)) : null;

// ---- values of opened rows ----

/** @param {string | Integer | null} value */
export const code = value => value === null ? null
	: el('code', { class: 'breaks' }, bdi(String(value)));

/** @param {string | null} value */
export const text = value => value === null ? null : bdi(value);

/** @param {string | null} value */
export const warning = value => value ? el('span', { class: 'warn-text' }, bdi(value)) : null;

/**
 * @param {Json} payload null when it was too large to be sent
 * @param {number} [bytes]
 */
export function payloadOf(payload, bytes) {
	if (payload !== null)
		return jsonView(payload, 'Payload');
	const size = bytes === undefined ? '' : ` of ${number(bytes)} bytes`;
	return el('p', { class: 'muted' }, `The payload${size} is too large to show here.`);
}

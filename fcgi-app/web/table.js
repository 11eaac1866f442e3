// table.js - tables whose rows open to show more. On a phone each row becomes a card: the style
// sheet then shows the cells below each other, so the roles are written out, and every cell knows
// its column's name.

import { button, el, newId } from './dom.js';
import { fillWith } from './state.js';

function toggle(column, row, detail) {
	const id = newId('detail');
	const cell = el('td', { colspan: column.span, role: 'cell' });
	const below = el('tr', { class: 'detail', id, role: 'row', hidden: true }, cell);
	const open = el('button', { type: 'button', class: 'toggle', 'aria-expanded': 'false',
		'aria-controls': id, 'aria-label': `Details of ${column.about(row)}`, on: {
			click() {
				if (!cell.hasChildNodes())
					cell.append(el('div', null, detail(row)));
				below.hidden = !below.hidden;
				open.setAttribute('aria-expanded', String(!below.hidden));
			} } });
	return { open, below };
}

function rowsOf({ columns, detail, about }, row) {
	const cells = columns.map(column => el('td', { class: column.class, role: 'cell',
		'data-label': column.label }, column.cell(row)));
	if (!detail)
		return [el('tr', { role: 'row' }, cells)];
	const { open, below } = toggle({ span: columns.length + 1, about }, row, detail);
	return [el('tr', { role: 'row', class: 'opens' },
		el('td', { class: 'toggle-cell', role: 'cell' }, open), cells), below];
}

// columns: [{ label, class, silent, cell(row) -> children }], a silent label is only read out; detail(row) -> elements, shown on demand;
// about(row) -> text, what the row is about. add(rows) appends more.
export function table(options) {
	const { caption, columns, detail } = options;
	const body = el('tbody', { role: 'rowgroup' });
	const header = ({ label, class: name, silent }) => el('th', { scope: 'col', role: 'columnheader',
		class: name }, silent ? el('span', { class: 'visually-hidden' }, label) : label);
	const head = columns.map(header);
	if (detail)
		head.unshift(el('td', { class: 'toggle-cell', role: 'cell' }));
	const element = el('div', { class: 'table-wrap' },
		el('table', { role: 'table' },
			el('caption', { class: 'visually-hidden' }, caption),
			el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, head)), body));
	return { element, add: rows => body.append(...rows.flatMap(row => rowsOf(options, row))) };
}

// A table of what load(before) answers, { rows, next }, and a button for more of it.
export function pages(place, { load, nothing, signal, ...options }) {
	return fillWith(place, options.caption.toLowerCase(), signal, () => load(null), first => {
		if (first.rows.length === 0)
			return nothing;
		const { element, add } = table(options);
		const rest = el('div', { class: 'more' });
		const show = page => {
			add(page.rows);
			rest.replaceChildren(...page.next === null ? []
				: [button('Show more', () => more(page.next))]);
		};
		const more = next => fillWith(rest, 'more', signal, () => load(next), page => {
			add(page.rows);
			return page.next === null ? [] : button('Show more', () => more(page.next));
		});
		show(first);
		return [element, rest];
	});
}

// Names and values, one below the other; pairs whose value is null are left out.
export function facts(pairs) {
	return el('dl', { class: 'facts' }, pairs
		.filter(([, value]) => value !== null && value !== undefined)
		.map(([name, value]) => el('div', null, el('dt', null, name), el('dd', null, value))));
}

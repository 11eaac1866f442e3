// json.js - JSON texts to values whose numbers keep their digits, and to something readable.

import { el } from './dom.js';

// Above, colours would cost more than they help.
const COLOURED = 100000;
// What would change the order of the characters around it is shown by its code.
const INVISIBLE = /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

// A number that JavaScript would write otherwise: 12345678901234567890, 1.50.
class Digits {
	constructor(text) {
		this.text = text;
	}

	toString() {
		return this.text;
	}
}

export function parse(text) {
	return JSON.parse(text, (name, value, context) =>
		typeof value === 'number' && context?.source !== undefined
		&& context.source !== String(value) ? new Digits(context.source) : value);
}

function quoted(text) {
	return JSON.stringify(text).replace(INVISIBLE,
		character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function* list(open, close, entries, indent) {
	if (entries.length === 0) {
		yield ['mark', open + close];
		return;
	}
	yield ['mark', `${open}\n`];
	for (const [index, [name, value]] of entries.entries()) {
		yield ['mark', `${indent}  `];
		if (name !== null) {
			yield ['name', quoted(name)];
			yield ['mark', ': '];
		}
		yield* pieces(value, `${indent}  `);
		yield ['mark', index < entries.length - 1 ? ',\n' : '\n'];
	}
	yield ['mark', indent + close];
}

// [kind, text] of everything, in order.
function* pieces(value, indent = '') {
	if (typeof value === 'string')
		yield ['string', quoted(value)];
	else if (Array.isArray(value))
		yield* list('[', ']', value.map(item => [null, item]), indent);
	else if (value === null || typeof value !== 'object' || value instanceof Digits)
		yield ['literal', String(value)];
	else
		yield* list('{', '}', Object.entries(value), indent);
}

export function pretty(value) {
	return Array.from(pieces(value), piece => piece[1]).join('');
}

// On one line, for a cell of a table.
export function brief(value) {
	if (value === null || typeof value !== 'object')
		return typeof value === 'string' ? value : String(value);
	return pretty(value).replace(/\n\s*/g, ' ');
}

export function view(value, label) {
	const all = [...pieces(value)];
	const length = all.reduce((sum, piece) => sum + piece[1].length, 0);
	return el('pre', { class: 'json', tabindex: 0, role: 'region', 'aria-label': label },
		length > COLOURED ? all.map(piece => piece[1]).join('')
			: all.map(([kind, text]) => kind === 'mark' ? text
				: el('span', { class: `json-${kind}` }, text)));
}

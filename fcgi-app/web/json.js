// @ts-check
// json.js - JSON texts to values whose numbers keep their digits, and to something readable.

import { el, visible } from './dom.js';

/** @import { Json } from './types.js' */
/** @typedef {'mark' | 'name' | 'string' | 'literal'} Kind */

// Longer texts stay plain: a span for each piece would make the page slow.
const COLOURED = 100000;

/** A number that JavaScript would write differently: 12345678901234567890, 1.50. */
export class Digits {
	/** @param {string} text as received */
	constructor(text) {
		this.text = text;
	}

	toString() {
		return this.text;
	}
}

/**
 * JSON.parse, but numbers keep their digits where the browser tells how they were written.
 *
 * @param {string} text
 * @returns {any}
 * @throws {SyntaxError}
 */
export function parse(text) {
	/** @type {(name: string, value: any, context?: { source?: string }) => any} */
	const keepDigits = (_, value, context) => typeof value === 'number'
		&& context?.source !== undefined && context.source !== String(value)
		? new Digits(context.source) : value;
	return JSON.parse(text, keepDigits);
}

/** @param {string} text */
const quoted = text => visible(JSON.stringify(text));

/**
 * @param {string} open
 * @param {string} close
 * @param {[string | null, Json][]} entries names (null in an array) and values
 * @param {string} indent
 * @returns {Generator<[Kind, string]>}
 */
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

/**
 * The pretty-printed text, piece by piece.
 *
 * @param {Json} value
 * @param {string} indent
 * @returns {Generator<[Kind, string]>}
 */
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

/**
 * On one line, for a table cell; a string stands without quotes.
 *
 * @param {Json} value
 */
export function brief(value) {
	if (value === null || typeof value !== 'object')
		return String(value);
	return Array.from(pieces(value), ([, text]) => text).join('').replace(/\n\s*/g, ' ');
}

/**
 * On several lines, for an editor.
 *
 * @param {Json} value
 */
export function pretty(value) {
	return Array.from(pieces(value), ([, text]) => text).join('');
}

/**
 * A block with the pretty-printed value.
 *
 * @param {Json} value
 * @param {string} label for screen readers
 */
export function view(value, label) {
	const all = [...pieces(value)];
	const length = all.reduce((sum, [, text]) => sum + text.length, 0);
	return el('pre', { class: 'json', tabindex: 0, role: 'region', 'aria-label': label },
		length > COLOURED ? all.map(([, text]) => text).join('')
			: all.map(([kind, text]) => kind === 'mark' ? text
				: el('span', { class: `json-${kind}` }, text)));
}

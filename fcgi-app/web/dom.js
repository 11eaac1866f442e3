// @ts-check
// dom.js - elements made by script. What comes from outside becomes a text node or the value of an
// attribute: there is no way to hand in markup, a style or a handler as text.

/** @import { Attributes, Child } from './types.js' */

const SVG = 'http://www.w3.org/2000/svg';
const TOAST_MS = 5000;

/**
 * @template {HTMLElement | SVGElement} T
 * @param {T} node
 * @param {Attributes<T> | null} attributes
 * @param {Child[]} children
 * @returns {T}
 */
function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (name === 'on')
			for (const [event, handler] of Object.entries(value ?? {}))
				node.addEventListener(event, handler);
		else if (/^(on|style$)/.test(name))
			throw new TypeError(`attribute ${name}`);
		else if (value !== null && value !== undefined && value !== false)
			node.setAttribute(name, value === true ? '' : String(value));
	}
	const flat = /** @type {any[]} */ (children).flat(Infinity);
	node.append(...flat.filter(child => child !== null && child !== undefined));
	return node;
}

/**
 * el('p', { class: 'note', on: { click: handler } }, 'text', node, [more], null)
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes<HTMLElementTagNameMap[Name]> | null} [attributes]
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function el(name, attributes = null, ...children) {
	return fill(document.createElement(name), attributes, children);
}

/**
 * The same for an SVG element.
 *
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes<SVGElementTagNameMap[Name]> | null} [attributes]
 * @param {Child[]} children
 * @returns {SVGElementTagNameMap[Name]}
 */
export function svg(name, attributes = null, ...children) {
	return fill(document.createElementNS(SVG, name), attributes, children);
}

// What shows nothing, or turns the text around it; not the joiners, without which some scripts and
// symbols cannot be written.
const UNSEEN = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/**
 * A text in which nothing is unseen: such a character is written as its code.
 *
 * @param {string} text
 * @param {string} [kept] characters that stay as they are
 */
export function visible(text, kept = '') {
	return text.replace(UNSEEN, found => kept.includes(found) ? found
		: `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * A text from outside within a sentence of ours: its writing direction ends with it.
 *
 * @param {string} text
 */
export function bdi(text) {
	return el('bdi', null, visible(text, '\t\n'));
}

/**
 * The same where only text is possible: in an attribute or an announcement.
 *
 * @param {string} text
 */
export function isolate(text) {
	return `\u2068${text}\u2069`;
}

/**
 * @param {string} label
 * @param {() => void} onClick
 * @param {Attributes<HTMLButtonElement>} [attributes]
 */
export function button(label, onClick, attributes) {
	return el('button', { type: 'button', class: 'button', ...attributes, on: { click: onClick } },
		label);
}

/**
 * An element of index.html.
 *
 * @param {string} id
 */
export function byId(id) {
	const element = document.getElementById(id);
	if (!element)
		throw new Error(`no element #${id}`);
	return element;
}

let fading = 0;

/**
 * Shows one line at the edge of the page; screen readers read it out.
 *
 * @param {string} text
 */
export function announce(text) {
	const toast = byId('toast');
	clearTimeout(fading);
	toast.textContent = text;
	toast.classList.add('shown');
	fading = setTimeout(() => toast.classList.remove('shown'), TOAST_MS);
}

/**
 * Calls `f` once no further call has come for that long.
 *
 * @template {unknown[]} Values
 * @param {(...values: Values) => void} f
 * @param {number} milliseconds
 * @returns {(...values: Values) => void}
 */
export function debounce(f, milliseconds) {
	let timer = 0;
	return (...values) => {
		clearTimeout(timer);
		timer = setTimeout(f, milliseconds, ...values);
	};
}

let ids = 0;

/**
 * An id that no other element has.
 *
 * @param {string} stem
 */
export function newId(stem) {
	return `${stem}-${++ids}`;
}

// dom.js - elements made by script. Whatever comes from outside becomes a text node or the value
// of an attribute: there is no way to hand in markup, a style or a handler as text.

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (name === 'on')
			for (const [event, handler] of Object.entries(value))
				node.addEventListener(event, handler);
		else if (/^(on|style$)/.test(name))
			throw new TypeError(`attribute ${name}`);
		else if (value !== null && value !== undefined && value !== false)
			node.setAttribute(name, value === true ? '' : value);
	}
	node.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined));
	return node;
}

// el('p', { class: 'note', on: { click: f } }, 'text', node, [more], null)
export function el(name, attributes, ...children) {
	return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes, ...children) {
	return fill(document.createElementNS(SVG, name), attributes, children);
}

// A text from outside between our own words: its writing direction ends with it.
export function bdi(text) {
	return el('bdi', null, text);
}

// The same where only text is possible: an attribute, an announcement.
export function isolate(text) {
	return `\u2068${text}\u2069`;
}

export function button(label, onClick, attributes) {
	return el('button', { type: 'button', class: 'button', ...attributes, on: { click: onClick } },
		label);
}

let fading;

// One line at the edge of the page, read out by screen readers.
export function say(text) {
	const toast = document.getElementById('toast');
	clearTimeout(fading);
	toast.textContent = text;
	toast.classList.add('shown');
	fading = setTimeout(() => toast.classList.remove('shown'), 5000);
}

// f once it has not been called for so long.
export function debounce(f, milliseconds) {
	let timer;
	return (...values) => {
		clearTimeout(timer);
		timer = setTimeout(f, milliseconds, ...values);
	};
}

let ids = 0;

export function newId(stem) {
	return `${stem}-${++ids}`;
}

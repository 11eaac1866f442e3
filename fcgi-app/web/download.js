// @ts-check
// download.js - a file of what a search finds, part by part, for the reader to save.

import { announce, button, el } from './dom.js';
import { openDialog } from './dialog.js';
import { failed } from './state.js';
import { minute, number } from './time.js';

/** @import { Api } from './api.js' */
/** @import { Query } from './types.js' */

const BYTES_AT_MOST = 256 << 20;
const PART = 100;

/** @type {Record<string, string>} */
const TYPES = { csv: 'text/csv', ndjson: 'application/x-ndjson' };

/**
 * @param {string[]} parts
 * @param {string} format
 * @param {string} name
 */
function save(parts, format, name) {
	const url = URL.createObjectURL(new Blob(parts, { type: TYPES[format] ?? '' }));
	el('a', { href: url, download: `${name}.${format}` }).click();
	setTimeout(() => URL.revokeObjectURL(url), 60000);
}

/**
 * Collects the file in a dialog that says how far it has come, and can be closed to stop.
 *
 * @param {Api} api
 * @param {Query} query
 * @param {string} format csv or ndjson
 * @param {AbortSignal} left
 * @param {{ path: string, name: string }} what its path below the API, and the file's name
 */
export async function download(api, query, format, left, what) {
	const stop = new AbortController();
	const signal = AbortSignal.any([left, stop.signal]);
	const told = el('p', { role: 'status' }, 'Searching …');
	/** @type {string[]} */
	const parts = [];
	const enough = button('Save what is there', () => {
		save(parts, format, what.name);
		dialog.close();
	}, { class: 'button' });
	const dialog = openDialog({ title: `Save as ${format.toUpperCase()}`, body: told,
		foot: [button('Cancel', () => dialog.close()), enough], signal: left,
		closed: () => stop.abort() });
	let bytes = 0;
	/** @type {string | null} */
	let next = null;
	try {
		do {
			const part = await api.file(what.path, { ...query, format, limit: PART, before: next },
				signal);
			parts.push(part.text);
			bytes += part.text.length;
			next = part.next;
			if (part.until)
				told.replaceChildren(`${number(bytes >> 10)} KiB, searched until `,
					minute(part.until), ' …');
		} while (next !== null && bytes < BYTES_AT_MOST);
	} catch (error) {
		if (!signal.aborted)
			told.replaceChildren(failed(error));
		return;
	}
	if (next !== null) {
		told.replaceChildren(`That is ${number(BYTES_AT_MOST >> 20)} MiB, as much as a page can`
			+ ' hold. Save it, and search the time before it for the rest.');
		return;
	}
	save(parts, format, what.name);
	dialog.close();
	announce(`${what.name}.${format} is saved`);
}

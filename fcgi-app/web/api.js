// api.js - the service under /api/settings/: who is asking, for which organization, and what went
// wrong. Renews the CSRF token by itself; keeps nothing else.

import { parse } from './json.js';

const BASE = new URL('../api/settings/', document.baseURI);
const PATIENCE = 30000;
const RENEW = 60000; // before it expires

// Whatever was not answered with what was asked for.
export class Problem extends Error {
	constructor({ status = 0, code = '', title = '', detail = '', errors = [], request_id: id = '' }) {
		super(detail || title);
		Object.assign(this, { status, code, title, detail, errors, requestId: id });
	}
}

// JSON that goes out as it was typed, digits and all.
export class JsonText {
	constructor(text) {
		this.text = text;
	}
}

export function stringify(value) {
	if (value instanceof JsonText)
		return value.text;
	if (value === null || typeof value !== 'object' || Array.isArray(value))
		return JSON.stringify(value);
	return `{${Object.entries(value).map(([name, member]) =>
		`${JSON.stringify(name)}:${stringify(member)}`).join(',')}}`;
}

async function exchange(url, options, signal) {
	const timeout = AbortSignal.timeout(PATIENCE);
	let response, text;
	try {
		response = await fetch(url, { ...options, cache: 'no-store', redirect: 'manual',
			signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
		text = await response.text();
	} catch (error) {
		if (signal?.aborted)
			throw error;
		throw new Problem({ code: 'no_answer', title: 'No answer from the server',
			detail: timeout.aborted ? 'It took too long. Try again in a moment.'
				: 'The connection failed. Is the network there?' });
	}
	// a redirect leads to where one signs in
	if (response.type === 'opaqueredirect' || response.status === 401)
		throw new Problem({ code: 'signed_out', title: 'You have been signed out',
			detail: 'Reload the page to sign in again.' });
	let value;
	try {
		value = parse(text);
	} catch {
		value = null;
	}
	if (response.ok && value !== null)
		return value;
	throw new Problem({ title: 'The server could not answer',
		detail: `It said ${response.status}${response.statusText && ` ${response.statusText}`}.`,
		...value, status: response.status });
}

export class Api {
	organization = null; // id; every route but "me" is about one
	#token = '';
	#expires = 0;

	async me(signal) {
		const me = await exchange(new URL('me', BASE), {}, signal);
		this.#token = me.csrf_token;
		this.#expires = Date.parse(me.csrf_expires_at);
		return me;
	}

	#url(path, query = {}) {
		const url = new URL(path, BASE);
		for (const [name, value] of Object.entries({ ...query, organization: this.organization }))
			if (value !== null && value !== undefined && value !== '')
				url.searchParams.set(name, value);
		return url;
	}

	get(path, query, signal) {
		return exchange(this.#url(path, query), {}, signal);
	}

	// body may hold JsonText
	async post(path, body, signal) {
		const send = () => exchange(this.#url(path), { method: 'POST', body: stringify(body),
			headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': this.#token } }, signal);
		if (Date.now() > this.#expires - RENEW)
			await this.me(signal);
		try {
			return await send();
		} catch (error) {
			if (error.code !== 'csrf_refused')
				throw error;
		}
		await this.me(signal);
		return send();
	}
}

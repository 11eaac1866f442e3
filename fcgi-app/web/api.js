// @ts-check
// api.js - the API under /api/settings/ for one organization, and what can go wrong on the way.
// Renews the CSRF token by itself and keeps nothing else.

import { parse } from './json.js';

/** @import { Gets, Id, Me, OfKey, Posts, ProblemMembers, Query } from './types.js' */

const BASE = new URL('../api/settings/', document.baseURI);
const TIMEOUT_MS = 30000;
const RENEW_MS = 60000; // before the token expires

/** Any answer but the one that was asked for; `message` is for the person at the page. */
export class Problem extends Error {
	/** @param {ProblemMembers} members */
	constructor({ status = 0, code = '', title = '', detail = '', errors = [],
		request_id: requestId = '', stale = false, lost = false }) {
		super(detail || title);
		this.status = status; // 0: there was no answer
		this.code = code;
		this.title = title;
		this.errors = errors;
		this.requestId = requestId;
		this.stale = stale; // the page has to be loaded anew
		this.lost = lost; // a change may have been made all the same
	}
}

/**
 * Anything that was thrown, as a problem.
 *
 * @param {unknown} error
 */
export function problemOf(error) {
	return error instanceof Problem ? error
		: new Problem({ detail: error instanceof Error ? error.message : String(error) });
}

/**
 * Whether the request may have been carried out all the same.
 *
 * @param {Problem} problem
 */
export function isLost({ status, code }) {
	return status === 0 || status === 502 || status === 504 || code === 'outcome_unknown';
}

/**
 * Where it is seen whether a change was made, by the beginning of its path.
 *
 * @type {Record<string, string>}
 */
const SEEN = { keys: 'the key', rejects: 'the state of the payload',
	'replay-rejects': 'which payloads are still open', members: 'the members', tokens: 'the token',
	limit: 'the limit', currency: 'the currency' };

/**
 * What is told of a change whose answer is lost. One with a token is made once, however often it is
 * asked for (once.js).
 *
 * @param {unknown} error
 * @param {string} path
 * @param {boolean} once
 */
function changeOf(error, path, once) {
	const place = SEEN[path.split('/')[0] ?? ''];
	if (!(error instanceof Problem) || !isLost(error) || !place || path.endsWith('/try'))
		return error;
	const { status, code, title, requestId } = error;
	return new Problem({ status, code, request_id: requestId, ...once ? { title,
		detail: 'It may have been done. Ask again: it is done only once.' } : { lost: true,
		title: 'It is not known whether this was done',
		detail: `No answer has come, but it may have been done. Close this and look at ${place};`
			+ ' try again if it was not.' } });
}

/** JSON that is sent as it was typed, digits and all. */
export class JsonText {
	/** @param {string} text */
	constructor(text) {
		this.text = text;
	}
}

/**
 * JSON.stringify, but JsonText stays as it is.
 *
 * @param {unknown} value
 * @returns {string}
 */
function stringify(value) {
	if (value instanceof JsonText)
		return value.text;
	if (value === null || typeof value !== 'object' || Array.isArray(value))
		return JSON.stringify(value);
	return `{${Object.entries(value).filter(([, member]) => member !== undefined)
		.map(([name, member]) => `${JSON.stringify(name)}:${stringify(member)}`).join(',')}}`;
}

/**
 * @param {URL} url
 * @param {RequestInit} options
 * @param {AbortSignal | undefined} signal
 * @throws {Problem | DOMException} the latter when `signal` has aborted
 */
async function receive(url, options, signal) {
	const timeout = AbortSignal.timeout(TIMEOUT_MS);
	try {
		const response = await fetch(url, { ...options, cache: 'no-store', redirect: 'manual',
			signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
		return { response, text: await response.text() };
	} catch (error) {
		if (signal?.aborted)
			throw error;
		throw new Problem({ code: 'no_answer', title: 'No answer from the server',
			detail: timeout.aborted ? 'The request timed out. Try again in a moment.'
				: 'The connection failed. Check your network and try again.' });
	}
}

/** @param {string} text */
function parsed(text) {
	try {
		return parse(text);
	} catch {
		return null;
	}
}

/**
 * What an unexpected answer says, in words for people where these can be loaded.
 *
 * @param {Response} response
 * @param {string} text
 * @param {string} [method]
 */
async function problemIn(response, text, method = 'GET') {
	// a redirect leads to a sign-in page
	if (response.type === 'opaqueredirect' || response.status === 401)
		return new Problem({ status: 401, code: 'signed_out', title: 'You have been signed out',
			detail: 'Your password may have been changed. Reload the page to sign in again.',
			stale: true });
	/** @type {ProblemMembers} */
	const told = { title: 'Unexpected answer from the server',
		detail: `The answer was ${`${response.status} ${response.statusText}`.trim()}.`,
		...parsed(text), status: response.status };
	const words = await import('./words.js').catch(() => null);
	return new Problem(words ? words.inWords(told, method,
		Number(response.headers.get('Retry-After'))) : told);
}

/**
 * @param {URL} url
 * @param {RequestInit} options
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} the answer's JSON
 */
async function request(url, options, signal) {
	const { response, text } = await receive(url, options, signal);
	const value = parsed(text);
	if (response.ok && value !== null)
		return value;
	throw await problemIn(response, text, options.method);
}

export class Api {
	/**
	 * The organization of every request but `me`.
	 *
	 * @type {Id | null}
	 */
	organization = null;
	#token = '';
	#expires = 0; // milliseconds since 1970

	/**
	 * Who is signed in; also renews the token.
	 *
	 * @param {AbortSignal} [signal]
	 * @returns {Promise<Me>}
	 */
	async me(signal) {
		const me = await request(new URL('me', BASE), {}, signal);
		this.#token = me.csrf_token;
		this.#expires = Date.parse(me.csrf_expires_at);
		return me;
	}

	/**
	 * @param {string} path
	 * @param {Query} [query]
	 */
	#url(path, query = {}) {
		const url = new URL(path, BASE);
		/** @type {Query} */
		const all = { ...query, organization: this.organization };
		for (const [name, value] of Object.entries(all))
			if (value !== null && value !== undefined && value !== '')
				url.searchParams.set(name, String(value));
		return url;
	}

	/**
	 * @template {keyof Gets} Path
	 * @param {Path} path
	 * @param {Query} query
	 * @param {AbortSignal} signal
	 * @returns {Promise<Gets[Path]>}
	 * @throws {Problem}
	 */
	get(path, query, signal) {
		return request(this.#url(path, query), {}, signal);
	}

	/**
	 * A part of a file, and what leads to the next one.
	 *
	 * @param {string} path
	 * @param {Query} query
	 * @param {AbortSignal} signal
	 * @throws {Problem}
	 */
	async file(path, query, signal) {
		const { response, text } = await receive(this.#url(path, query), {}, signal);
		if (!response.ok)
			throw await problemIn(response, text);
		return { text, next: response.headers.get('Sluice-Next'),
			until: response.headers.get('Sluice-Searched-Until') };
	}

	/**
	 * @template {keyof OfKey} Name
	 * @param {Id} id of a key
	 * @param {Name} name
	 * @param {AbortSignal} signal
	 * @param {Query} [query]
	 * @returns {Promise<OfKey[Name]>}
	 * @throws {Problem}
	 */
	ofKey(id, name, signal, query = {}) {
		return request(this.#url(`keys/${id}/${name}`, query), {}, signal);
	}

	/**
	 * @template {keyof Posts} Path
	 * @param {Path} path
	 * @param {Posts[Path]['body']} body
	 * @param {AbortSignal} signal
	 * @param {Record<string, string>} [headers]
	 * @returns {Promise<Posts[Path]['answer']>}
	 * @throws {Problem}
	 */
	async post(path, body, signal, headers = {}) {
		const send = () => request(this.#url(path), { method: 'POST', body: stringify(body),
			headers: { ...headers, 'Content-Type': 'application/json',
				'X-CSRF-Token': this.#token } }, signal).catch(error => {
			throw changeOf(error, path, 'Idempotency-Key' in headers);
		});
		if (Date.now() > this.#expires - RENEW_MS)
			await this.me(signal);
		try {
			return await send();
		} catch (error) {
			if (!(error instanceof Problem) || error.code !== 'csrf_refused')
				throw error;
		}
		await this.me(signal);
		return send();
	}

	/**
	 * Sends to the path of a webhook as a sender does: not as the user.
	 *
	 * @param {string} path
	 * @param {Record<string, unknown>} body
	 * @param {Record<string, string>} headers
	 * @param {AbortSignal} signal
	 * @returns {Promise<{ message: string }>}
	 * @throws {Problem}
	 */
	async webhook(path, body, headers, signal) {
		const { response, text } = await receive(new URL(`..${path}`, document.baseURI), {
			method: 'POST', credentials: 'omit', body: stringify(body),
			headers: { ...headers, 'Content-Type': 'application/json' } }, signal);
		const answer = parsed(text);
		if (response.ok && answer !== null)
			return answer;
		throw new Problem({ title: 'It was refused',
			detail: `The answer was ${`${response.status} ${response.statusText}`.trim()}.`,
			...answer, status: response.status });
	}
}

// @ts-check
// once.js - a request whose answer shows a key or secret, and must not be lost: it carries a random
// token, and when no answer has come it is sent again with the same token and the same body, which
// reveals the same key.

import { isLost, problemOf } from './api.js';

/** @import { Api } from './api.js' */
/** @import { Posts } from './types.js' */

const WAITS_MS = [1000, 3000]; // before each further attempt

/**
 * Asks before the page is left, by reload, Back or closing the window, until `signal` aborts.
 *
 * @param {AbortSignal} signal
 */
export function guard(signal) {
	addEventListener('beforeunload', event => event.preventDefault(), { signal });
}

function newToken() {
	return Array.from(crypto.getRandomValues(new Uint8Array(24)),
		byte => byte.toString(16).padStart(2, '0')).join('');
}

/** @template {keyof Posts} Path */
export class Once {
	#token = newToken();
	/** @type {Posts[Path]['body'] | undefined} as it was first sent, if that answer is lost */
	#lost;

	/**
	 * @param {Api} api
	 * @param {Path} path
	 */
	constructor(api, path) {
		this.api = api;
		this.path = path;
	}

	/** Whether the request that was sent has to be repeated as it was. */
	get pending() {
		return this.#lost !== undefined;
	}

	/**
	 * Sends the body, or the one whose answer was lost. It does not end with the view: the key
	 * would be lost with it.
	 *
	 * @param {Posts[Path]['body']} body
	 * @returns {Promise<Posts[Path]['answer']>}
	 */
	async post(body) {
		const leaving = new AbortController();
		guard(leaving.signal);
		try {
			return await this.#send(this.#lost ?? body, [...WAITS_MS]);
		} finally {
			leaving.abort();
		}
	}

	/**
	 * After a failure: lets the form be corrected and sent, or, if the answer is lost, only be sent
	 * again as it was.
	 *
	 * @param {HTMLButtonElement} submit
	 * @param {string} label its usual one
	 * @param {HTMLElement | undefined} fields
	 */
	reopen(submit, label, fields) {
		submit.disabled = false;
		submit.textContent = this.pending ? 'Ask again' : label;
		if (fields)
			fields.inert = this.pending;
	}

	/**
	 * @param {Posts[Path]['body']} body
	 * @param {number[]} waits
	 * @returns {Promise<Posts[Path]['answer']>}
	 */
	async #send(body, waits) {
		try {
			const answer = await this.api.post(this.path, body, new AbortController().signal,
				{ 'Idempotency-Key': this.#token });
			this.#lost = undefined;
			return answer;
		} catch (error) {
			this.#lost = isLost(problemOf(error)) ? body : undefined;
			const wait = waits.shift();
			if (this.#lost === undefined || wait === undefined)
				throw error;
			await new Promise(resolve => setTimeout(resolve, wait));
		}
		return this.#send(body, waits);
	}
}

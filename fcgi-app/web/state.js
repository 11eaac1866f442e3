// @ts-check
// state.js - what a place shows while it loads, when it is empty, and when loading has failed.

import { problemOf } from './api.js';
import { bdi, button, el } from './dom.js';
import { again as showAgain } from './router.js';

/** @import { Problem } from './api.js' */
/** @import { Child } from './types.js' */

/**
 * Only seen when loading takes long: the style sheet delays it.
 *
 * @param {string} what
 */
export function loading(what) {
	return el('div', { class: 'loading', role: 'status' },
		el('span', { class: 'visually-hidden' }, `Loading ${what}`),
		[1, 2, 3, 4].map(() => el('span', { class: 'bone', 'aria-hidden': 'true' })));
}

/**
 * @param {string} title
 * @param {string} text
 * @param {Child[]} actions
 */
export function empty(title, text, ...actions) {
	return el('div', { class: 'empty' }, el('p', { class: 'empty-title' }, title),
		el('p', null, text), actions);
}

/**
 * A list of what is wrong with members of the request; null when there is none.
 *
 * @param {Problem} problem
 */
export function faultList({ errors }) {
	return errors.length === 0 ? null : el('ul', null, errors.map(({ place, detail }) =>
		el('li', null, place ? [el('code', null, bdi(place)), ' '] : null, bdi(detail))));
}

/**
 * What went wrong. If a change may have been made all the same, the view below the dialog is shown
 * anew when that is closed.
 *
 * @param {unknown} error
 * @param {() => void} [again] what "Try again" does
 */
export function failed(error, again) {
	const problem = problemOf(error);
	if (problem.lost)
		document.querySelector('dialog[open]')?.addEventListener('close', showAgain,
			{ once: true });
	return el('div', { class: 'failed', role: 'alert' },
		el('p', { class: 'failed-title' }, problem.title || 'Something went wrong'),
		el('p', null, bdi(problem.message)),
		faultList(problem),
		problem.requestId
			? el('p', { class: 'sub' }, 'Request ID ', el('code', null, problem.requestId)) : null,
		problem.stale ? button('Reload the page', () => location.reload())
			: again ? button('Try again', again) : null);
}

/**
 * Returns a function that gives a signal for each new load of a place; it aborts with the next
 * load, or when `left` does.
 *
 * @param {AbortSignal} left
 */
export function supersede(left) {
	let last = new AbortController();
	return () => {
		last.abort();
		last = new AbortController();
		return AbortSignal.any([left, last.signal]);
	};
}

/**
 * Fills `place` with make(await load()), and until then with a placeholder for `what`. A failure is
 * shown there too, unless `signal` has aborted: then nobody is waiting.
 *
 * @template T
 * @param {Element} place
 * @param {string} what
 * @param {AbortSignal} signal
 * @param {() => Promise<T>} load
 * @param {(loaded: T) => Node | Node[]} make
 */
export async function fillWith(place, what, signal, load, make) {
	place.replaceChildren(loading(what));
	place.setAttribute('aria-busy', 'true');
	try {
		place.replaceChildren(...[make(await load())].flat());
	} catch (error) {
		if (signal.aborted)
			return;
		place.replaceChildren(failed(error, () => fillWith(place, what, signal, load, make)));
	}
	place.removeAttribute('aria-busy');
}

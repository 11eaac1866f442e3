// state.js - what a place shows while it waits, when there is nothing, and when it went wrong.

import { bdi, button, el } from './dom.js';

// Only seen when it takes long: the style sheet delays it.
export function loading(what) {
	return el('div', { class: 'loading', role: 'status' },
		el('span', { class: 'visually-hidden' }, `Loading ${what}`),
		[1, 2, 3, 4].map(() => el('span', { class: 'bone', 'aria-hidden': 'true' })));
}

export function empty(title, text, ...actions) {
	return el('div', { class: 'empty' }, el('p', { class: 'empty-title' }, title),
		el('p', null, text), actions);
}

// What a problem says about places of what was sent.
export function faultList(problem) {
	return problem.errors?.length > 0 ? el('ul', null, problem.errors.map(({ place, detail }) =>
		el('li', null, place ? [el('code', null, bdi(place)), ' '] : null, bdi(detail)))) : null;
}

export function failed(problem, again) {
	return el('div', { class: 'failed', role: 'alert' },
		el('p', { class: 'failed-title' }, problem.title || 'That did not work'),
		el('p', null, bdi(problem.message)), faultList(problem),
		problem.requestId ? el('p', { class: 'sub' }, 'Request ', el('code', null, problem.requestId))
			: null,
		again ? button('Try again', again) : null);
}

// Gives a signal for each new load of a place: it ends the load before, as leaving the view does.
export function supersede(left) {
	let last = new AbortController();
	return () => {
		last.abort();
		last = new AbortController();
		return AbortSignal.any([left, last.signal]);
	};
}

// Shows in `place` what make(await load()) gives; quiet when `signal` has said meanwhile that nobody waits.
export async function fillWith(place, what, signal, load, make) {
	place.replaceChildren(loading(what));
	place.setAttribute('aria-busy', 'true');
	try {
		place.replaceChildren(...[make(await load())].flat());
	} catch (error) {
		if (signal.aborted)
			return;
		place.replaceChildren(failed(error,
			() => fillWith(place, what, signal, load, make)));
	}
	place.removeAttribute('aria-busy');
}

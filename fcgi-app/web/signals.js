// @ts-check
// signals.js - the signals of an organization: what a search finds, and the rows as they come in.

import { announce, button, el } from './dom.js';
import { follow } from './follow.js';
import { Results } from './results.js';
import { SEARCHES, isOpen } from './search.js';
import { empty } from './state.js';
import { statusBadge } from './status.js';
import { clamp, clip, code, facts, payloadOf, sub, text, warning } from './table.js';
import { keepAgo, plural, relative, second } from './time.js';

/** @import { Context, Part } from './results.js' */
/** @import { Signal, TableOptions } from './types.js' */

const NEW_AT_MOST = 100; // of one question

/** @type {TableOptions<Signal>} */
const OPTIONS = {
	caption: 'Signals, newest first',
	about: row => `signal ${row.id}`,
	columns: [
		{ label: 'Received', class: 'nowrap', cell: row => [
			relative(row.received_at), el('span', { class: 'sub' }, second(row.received_at))] },
		{ label: 'Source', cell: row => clip(row.source) },
		{ label: 'Event', class: 'cell-name', cell: row => [
			clamp(row.event_name ?? row.event_type), row.event_name ? sub(row.event_type) : null] },
		{ label: 'Who', cell: row => clip(row.email ?? row.user_id ?? row.anonymous_id) },
		{ label: 'Key', cell: row => clip(row.key_name) },
		{ label: 'Status', class: 'nowrap', cell: row => statusBadge(row.status) }],
	detail: row => [facts([
		['Signal ID', code(row.id)], ['Received', second(row.received_at)],
		['Occurred', row.occurred_at === null ? null : second(row.occurred_at)],
		['Event', text(row.event_name)], ['Key', text(row.key_name)], ['Key ID', code(row.key_id)],
		['Email', text(row.email)], ['User ID', code(row.user_id)],
		['Anonymous ID', code(row.anonymous_id)], ['Message ID', code(row.message_id)],
		['Request ID', code(row.request_id)], ['Error', warning(row.error)],
	]), payloadOf(row.payload, row.payload_bytes)],
};

/** @extends {Results<Signal>} */
class Signals extends Results {
	fresh = el('div', { class: 'fresh', 'aria-live': 'polite' });
	/** @type {Signal[]} that have come, but are not shown yet */
	waiting = [];
	paused = false;
	missed = false; // more than could be asked for at once
	live = '';
	/** @type {HTMLElement | null} */
	state = null;

	/** @override */
	parts() {
		return [this.tools, this.fresh, this.rows, this.progress];
	}

	/** @override */
	start() {
		this.waiting = [];
		this.fresh.replaceChildren();
		super.start();
	}

	/**
	 * @override
	 * @param {AbortSignal} all
	 * @param {Part<Signal>} part
	 * @param {boolean} stopped
	 */
	finish(all, part, stopped) {
		super.finish(all, part, stopped);
		if (isOpen(this.chosen))
			this.tools.append(this.pause());
	}

	pause() {
		const toggle = button('', () => {
			this.paused = !this.paused;
			say();
			this.offer();
		}, { class: 'button small', 'aria-describedby': 'live-state' });
		const state = el('span', { id: 'live-state', class: 'live-state' });
		const say = () => {
			toggle.textContent = this.paused ? 'Resume' : 'Pause';
			state.textContent = this.paused ? 'Paused' : 'Live';
			state.classList.toggle('paused', this.paused);
		};
		say();
		this.state = state;
		return el('div', { class: 'live' }, state, toggle);
	}

	/**
	 * @override
	 * @param {AbortSignal} signal
	 * @param {Part<Signal>} part
	 */
	begin(signal, { live = '' }) {
		this.live = live;
		keepAgo(this.rows, signal);
		if (!isOpen(this.chosen))
			return;
		follow(signal, async () => {
			const answer = await this.api.get('signals',
				{ ...this.asked, since: this.live, limit: NEW_AT_MOST }, signal);
			this.live = answer.live;
			this.waiting.unshift(...this.unknown(answer.signals));
			this.missed ||= answer.next !== null;
			this.offer();
		}, error => {
			if (this.state)
				this.state.textContent = error !== null ? 'No answer, trying again'
					: this.paused ? 'Paused' : 'Live';
		});
		addEventListener('scroll', () => this.offer(), { signal, passive: true });
		this.rows.addEventListener('pointerleave', () => this.offer(), { signal });
	}

	/** Nothing moves under the reader's pointer, focus or eyes. */
	get mayMove() {
		return !this.paused && !this.rows.matches(':hover')
			&& !this.rows.contains(document.activeElement)
			&& this.rows.getBoundingClientRect().top > 0;
	}

	/** Shows what is waiting, or a button that does. */
	offer() {
		if (this.missed) {
			this.fresh.replaceChildren(button('Many new signals', () => {
				this.missed = false;
				this.start();
			}, { class: 'button fresh-button' }));
		} else if (this.waiting.length === 0) {
			this.fresh.replaceChildren();
		} else if (this.mayMove) {
			this.showWaiting();
		} else {
			const label = `${plural(this.waiting.length, 'new signal', 'new signals')}`;
			const shown = this.fresh.querySelector('button');
			if (shown)
				shown.textContent = label;
			else
				this.fresh.replaceChildren(button(label, () => {
					const count = this.waiting.length;
					const top = this.showWaiting();
					announce(`${plural(count, 'new signal', 'new signals')} shown`);
					top?.focus({ preventScroll: true });
					this.rows.scrollIntoView({ block: 'nearest' });
				}, { class: 'button fresh-button' }));
		}
	}

	showWaiting() {
		const top = this.insert(this.waiting, true);
		this.waiting = [];
		this.fresh.replaceChildren();
		return top;
	}
}

/**
 * Fills `place`.
 *
 * @param {HTMLElement} place
 * @param {Context} context
 */
export function signals(place, context) {
	const { api } = context;
	new Signals(place, context, { search: SEARCHES.signals, one: 'signal', many: 'signals',
		path: 'signals', file: 'signals', options: OPTIONS,
		load: async (query, signal) => {
			const { signals: rows, next, searched_until: until, live } = await api.get('signals',
				query, signal);
			return { rows, next, until, live };
		},
		nothing: () => empty('Nothing has arrived yet',
			'Signals appear here as soon as a sender posts one.') }).show();
}

// staging.js - what has happened to the webhooks: counts by status, signals over time, and below
// them the rows themselves (incoming.js).

import { button, el } from './dom.js';
import { chart } from './chart.js';
import { incoming } from './incoming.js';
import { address, replace } from './router.js';
import { empty, fillWith, supersede } from './state.js';
import { STATUSES } from './status.js';
import { number, second } from './time.js';

const WINDOWS = { '24h': '24 hours', '7d': '7 days', '30d': '30 days' };

function tile(label, count, tone, hint) {
	return el('div', { class: `tile ${count > 0 && tone ? tone : ''}`.trim() },
		el('dt', { title: hint }, label), el('dd', null, number(count)));
}

function totalsOf({ totals, cold_storage: cold, rejected, duplicates }) {
	return el('dl', { class: 'tiles' },
		Object.entries(STATUSES).map(([status, [label, tone]]) => tile(label, totals[status] ?? 0, tone)),
		tile('Cold storage', cold, null, 'Signals without any identity, kept until their anonymous id is identified'),
		tile('Rejected', rejected, 'warn', 'Kept with their bytes and the reason; see below'),
		tile('Duplicates', duplicates, null, 'Repeats of a delivery, stored once'));
}

class Staging {
	constructor(context) {
		Object.assign(this, context);
		const wanted = this.parameters.get('window');
		this.window = wanted in WINDOWS ? wanted : '24h';
		this.chosen = { list: this.parameters.get('list'), source: this.parameters.get('source'),
			status: this.parameters.get('status') };
		this.next = supersede(this.signal);
		this.summary = el('div', { class: 'summary' });
		this.upTo = el('p', { class: 'count' });
		this.list = el('section', { class: 'card', 'aria-label': 'Latest rows' });
	}

	remember() {
		replace('staging', { ...this.fixed, window: this.window === '24h' ? null : this.window,
			...this.chosen });
	}

	selector() {
		return el('fieldset', { class: 'segments' }, el('legend', { class: 'visually-hidden' }, 'Window'),
			Object.entries(WINDOWS).map(([value, label]) => el('label', null,
				el('input', { type: 'radio', name: 'window', value, checked: value === this.window, on: {
					change: () => {
						this.window = value;
						this.remember();
						this.loadSummary();
					} } }), el('span', null, label))));
	}

	loadSummary() {
		const signal = this.next();
		return fillWith(this.summary, 'statistics', signal,
			() => this.api.get('statistics', { window: this.window }, signal), statistics => {
				this.upTo.replaceChildren('As of ', second(statistics.as_of));
				return [totalsOf(statistics), el('section', { class: 'card chart-card', 'aria-label': 'Signals over time' },
					el('h2', null, 'Signals over time'),
					statistics.series.length > 0 ? chart(statistics, signal)
						: empty('No signals in this window', this.organization.may_manage_keys
							? 'Create a key and paste its curl line into a terminal: the signal shows up here.'
							: 'As soon as a sender posts one, it shows up here.',
						this.organization.may_manage_keys
							? el('a', { class: 'button', href: address('keys', this.fixed) }, 'API keys') : null))];
			});
	}

	load() {
		this.loadSummary();
		incoming({ place: this.list, api: this.api, signal: this.signal, chosen: this.chosen,
			changed: () => this.remember() });
	}
}

export function render(context) {
	const view = new Staging(context);
	context.root.append(
		el('div', { class: 'head' },
			el('div', null, el('h1', { tabindex: -1 }, 'Staging'),
				el('p', { class: 'lead' }, 'What the senders have posted, and what became of it.')),
			el('div', { class: 'head-tools' }, view.upTo, view.selector(),
				button('Refresh', () => view.load()))),
		view.summary, view.list);
	view.load();
}

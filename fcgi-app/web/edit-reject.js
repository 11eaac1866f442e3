// @ts-check
// edit-reject.js - a rejected payload in an editor, tried as it is typed by the very code of the
// intake, and replayed once nothing is wrong any more.

import { announce, bdi, button, debounce, el, newId } from './dom.js';
import { openDialog } from './dialog.js';
import { detailOf, placeOf } from './rejects.js';
import { failed, loading } from './state.js';
import { number, plural } from './time.js';

/** @import { Api } from './api.js' */
/** @import { Id, RejectTrial, WholeReject } from './types.js' */
/** @typedef {{ api: Api, signal: AbortSignal, id: Id, done: () => void }} Context */

const TRY_DELAY_MS = 300;

/** @param {WholeReject} loaded */
function remarks({ whole, exact }) {
	return [...whole ? [] : [el('p', { class: 'warn-text' }, 'Only the beginning is kept, and only'
			+ ' what stands here is stored.')],
	...exact ? [] : [el('p', { class: 'warn-text' }, 'Bytes that are not UTF-8 are shown as'
		+ ' \uFFFD: write what they should have been.')]];
}

/**
 * What would become of the payload; again() tries what was typed once more.
 *
 * @param {RejectTrial} trial
 * @param {() => void} again
 */
function outcome({ items, error }, again) {
	if (!error)
		return [el('p', null, `Nothing is wrong any more: ${plural(items, 'row', 'rows')} would be`
			+ ' stored.')];
	if (error.code === 'limit_reached')
		return [el('p', null, 'Nothing is wrong with the payload. ', bdi(error.detail)),
			button('Try again', again)];
	return [el('div', { class: 'refused' },
		el('p', null, el('strong', null, 'Still bad: '), bdi(error.why), ': ',
			bdi(detailOf(error))),
		placeOf(error.place)?.flat() ?? null)];
}

class Form {
	area = el('textarea', { id: newId('payload'), rows: 14, class: 'code', spellcheck: 'false',
		autocomplete: 'off', autocapitalize: 'off', autofocus: true });
	result = el('div', { class: 'preview', role: 'region', tabindex: 0, 'aria-live': 'polite',
		'aria-label': 'Result' });
	trouble = el('div', { class: 'trouble' });
	place = el('div', null, loading('the payload'));
	submit = button('Replay', () => this.send(), { class: 'button primary', disabled: true });
	last = new AbortController();
	/**
	 * What was loaded; null until then.
	 *
	 * @type {string | null}
	 */
	loaded = null;

	/** @param {Context} context */
	constructor({ api, signal, id, done }) {
		this.api = api;
		this.signal = signal;
		this.id = id;
		this.done = done;
		this.dialog = openDialog({ title: 'Edit and replay', class: 'form wide', signal,
			body: [this.place, this.trouble],
			foot: [button('Cancel', () => this.dialog.close()), this.submit],
			closed: () => this.last.abort() });
		const soon = debounce(() => this.try(), TRY_DELAY_MS);
		this.area.addEventListener('input', () => {
			this.submit.disabled = true;
			soon();
		});
		this.load();
	}

	async load() {
		try {
			const whole = await this.api.get(`rejects/${this.id}`, {}, this.signal);
			this.area.value = whole.payload;
			this.loaded = this.area.value; // the browser makes line feeds of other line ends
			this.place.replaceChildren(el('div', { class: 'field' },
				el('label', { for: this.area.id }, 'Payload'), this.area,
				remarks(whole),
				el('p', { class: 'hint' }, 'The received bytes stay kept as they are; what is'
					+ ' stored says that it was edited.')), this.result);
			this.area.focus();
			await this.try();
		} catch (error) {
			if (!this.signal.aborted)
				this.place.replaceChildren(failed(error, () => this.load()));
		}
	}

	/** What is sent: nothing where nothing was changed, so that the very bytes are read. */
	body() {
		return this.area.value === this.loaded ? {} : { payload: this.area.value };
	}

	async try() {
		this.last.abort();
		this.last = new AbortController();
		const signal = AbortSignal.any([this.signal, this.last.signal]);
		this.submit.disabled = true;
		try {
			const trial = await this.api.post(`rejects/${this.id}/try`, this.body(), signal);
			if (signal.aborted)
				return;
			this.show(trial);
		} catch (error) {
			if (!signal.aborted)
				this.result.replaceChildren(failed(error, () => this.try()));
		}
	}

	/** @param {RejectTrial} trial */
	show(trial) {
		this.submit.disabled = !trial.good;
		this.result.replaceChildren(...outcome(trial, async () => {
			await this.try();
			this.result.focus();
		}));
	}

	async send() {
		this.submit.disabled = true;
		this.trouble.replaceChildren();
		try {
			const { ids } = await this.api.post(`rejects/${this.id}/replay`, this.body(),
				this.signal);
			this.dialog.close();
			announce(`${number(ids.length)} stored`);
			this.done();
		} catch (error) {
			this.submit.disabled = false;
			this.trouble.replaceChildren(failed(error));
		}
	}
}

/**
 * done() is called when the payload has been replayed.
 *
 * @param {Context} context
 */
export function openEditReject(context) {
	new Form(context);
}

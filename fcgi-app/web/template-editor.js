// @ts-check
// template-editor.js - a payload template and, beside it, what it makes of a pasted payload: tried
// by the service with the very code that the intake uses.

import { JsonText, problemOf } from './api.js';
import { bdi, debounce, el, newId } from './dom.js';
import { brief, parse } from './json.js';
import { faultList } from './state.js';
import { SAMPLES } from './template-samples.js';

/** @import { Api, Problem } from './api.js' */
/** @import { Child, Json, Trial } from './types.js' */

const TRY_DELAY_MS = 300;

// What some browsers add: an offset, counted from 0, before the line and column.
const OFFSET = / (?:in JSON )?at position \d+ \(line (\d+) column (\d+)\)/u;

/**
 * Why a text is not JSON, in the browser's words; null when it is.
 *
 * @param {string} text
 */
export function jsonFault(text) {
	try {
		JSON.parse(text);
		return null;
	} catch (error) {
		return String(error instanceof Error ? error.message : error)
			.replace(OFFSET, ' at line $1, column $2');
	}
}

/**
 * @param {string} label
 * @param {string} hint
 */
function area(label, hint) {
	const id = newId('area');
	const input = el('textarea', { id, rows: 13, class: 'code', spellcheck: 'false',
		autocomplete: 'off', autocapitalize: 'off', 'aria-describedby': `${id}-hint` });
	const help = el('p', { class: 'hint', id: `${id}-hint` }, hint);
	return { input, help,
		element: el('div', { class: 'field' }, el('label', { for: id }, label), input, help) };
}

/**
 * @param {string} name
 * @param {Json} value
 * @param {string[]} warnings
 */
function rowOf(name, value, warnings) {
	return el('tr', { class: warnings.length > 0 ? 'warned' : null },
		el('th', { scope: 'row' }, bdi(name)),
		el('td', null,
			value === null ? el('span', { class: 'muted' }, 'null') : bdi(brief(value)),
			warnings.map(text => el('span', { class: 'sub warn-text' }, bdi(text)))));
}

/**
 * The fields of a row, those of `custom` behind the others. Custom fields that could not be used
 * are not in the row; they follow with null.
 *
 * @param {Trial} trial
 * @returns {[name: string, value: Json][]}
 */
function fieldsOf({ row = {}, warnings = [] }) {
	const { custom = {}, ...fields } = row;
	/** @type {[string, Json][]} */
	const named = [...Object.entries(fields),
		.../** @type {[string, Json][]} */ (Object.entries(custom ?? {}))
			.map(([name, value]) => /** @type {[string, Json]} */ ([`custom.${name}`, value]))];
	const missing = warnings.filter(({ field }) => !named.some(([name]) => name === field));
	return [...named, ...missing.map(({ field }) => /** @type {[string, Json]} */ ([field, null]))];
}

/**
 * @param {Trial} trial
 * @param {number} index
 * @param {number} count
 */
function resultOf(trial, index, count) {
	const { warnings = [], error } = trial;
	const title = count > 1 ? [el('h4', null, `Item ${index + 1}`)] : [];
	if (error)
		return [...title, el('p', { class: 'refused' }, el('strong', null, 'Would be rejected: '),
			bdi(error.detail))];
	return [...title, el('table', { class: 'mapped' },
		el('caption', { class: 'visually-hidden' }, 'What would be stored'),
		el('tbody', null, fieldsOf(trial).map(([name, value]) => rowOf(name, value,
			warnings.filter(({ field }) => field === name).map(({ reason }) => reason)))))];
}

/** @param {Problem} problem */
function faultsOf(problem) {
	return el('div', { class: 'refused' }, el('p', null, bdi(problem.message)), faultList(problem));
}

class Editor {
	template = area('Payload template', 'Maps each field to a path: a dot goes one level down, a'
		+ ' number picks an item of an array. Only product_org_id is required.');
	sample = area('Sample payload', 'Paste one of your own. It is tried, not stored.');
	heading = el('p', { class: 'label', id: newId('preview') }, 'What would be stored');
	preview = el('div', { class: 'preview', role: 'region', tabindex: 0, 'aria-live': 'polite',
		'aria-labelledby': this.heading.id });
	last = new AbortController();

	/**
	 * @param {Api} api
	 * @param {AbortSignal} signal
	 * @param {string | undefined} present the key's template
	 */
	constructor(api, signal, present) {
		this.api = api;
		this.signal = signal;
		this.present = present;
		if (present !== undefined)
			this.template.input.value = present;
		const trySoon = debounce(() => this.try(), TRY_DELAY_MS);
		for (const { input } of [this.template, this.sample])
			input.addEventListener('input', trySoon);
	}

	element() {
		const chooser = newId('sample');
		return el('div', { class: 'editor' },
			el('div', { class: 'field inline' }, el('label', { for: chooser }, 'Start from'),
				el('select', { id: chooser, on: {
					change: ({ currentTarget }) => this.start(currentTarget.value) } },
				this.present === undefined ? null : el('option', { value: '' }, 'Present template'),
				Object.entries(SAMPLES).map(([value, { label }]) =>
					el('option', { value }, label)))),
			el('div', { class: 'editor-panes' }, this.template.element, this.sample.element,
				el('div', { class: 'field' }, this.heading, this.preview)));
	}

	/** @param {string} name of a sample */
	start(name) {
		const sample = SAMPLES[name];
		if (!sample && this.present === undefined)
			return;
		this.template.input.value = sample?.template ?? this.present ?? '';
		if (sample && this.present === undefined)
			this.sample.input.value = sample.payload;
		this.try();
	}

	/**
	 * @param {string} payload
	 * @param {Child} hint
	 */
	tryOn(payload, hint) {
		this.sample.input.value = payload;
		this.sample.help.replaceChildren(el('span', null, hint));
		this.try();
	}

	/** What the API makes of both texts. */
	async trial(/** @type {AbortSignal} */ signal) {
		return this.api.post('templates/try', {
			payload_template: new JsonText(this.template.input.value),
			payload: new JsonText(this.sample.input.value) }, signal);
	}

	/** Whether the payload, if there is one, would be rejected. */
	async rejects() {
		if (this.sample.input.value.trim() === '' || jsonFault(this.sample.input.value))
			return false;
		const { results } = await this.trial(this.signal);
		return results.some(({ error }) => error);
	}

	/** What keeps the two texts from being tried; null when nothing does. */
	fault() {
		if (this.sample.input.value.trim() === '')
			return el('p', { class: 'hint' }, 'Paste a payload to see what would be stored.');
		for (const [name, { input }] of /** @type {const} */ (
			[['template', this.template], ['payload', this.sample]])) {
			const fault = jsonFault(input.value);
			if (fault)
				return el('p', { class: 'refused' }, `The ${name} is not valid JSON yet: `,
					bdi(fault));
		}
		return null;
	}

	/** Shows what the template makes of the payload; supersedes the trial before. */
	async try() {
		this.last.abort();
		this.last = new AbortController();
		const signal = AbortSignal.any([this.signal, this.last.signal]);
		const fault = this.fault();
		if (fault) {
			this.preview.replaceChildren(fault);
			return;
		}
		try {
			const { results } = await this.trial(signal);
			this.preview.replaceChildren(...results.flatMap((result, index) =>
				resultOf(result, index, results.length)));
		} catch (error) {
			if (!signal.aborted)
				this.preview.replaceChildren(faultsOf(problemOf(error)));
		}
	}
}

/**
 * text() is the template as it was typed; payload() what it was tried on, on one line, null when
 * that is not JSON; tryOn() takes a payload to try it on; rejects() says whether that would be
 * rejected; stop() ends a trial that is under way. Begins with a sample, or with the template of a
 * key.
 *
 * @param {{ api: Api, signal: AbortSignal, template?: string }} context
 */
export function templateEditor({ api, signal, template: present }) {
	const editor = new Editor(api, signal, present);
	const { template: { input }, sample } = editor;
	const element = editor.element();
	editor.start(present === undefined ? Object.keys(SAMPLES)[0] ?? '' : '');
	return { element, input, text: () => input.value, rejects: () => editor.rejects(),
		tryOn: editor.tryOn.bind(editor),
		payload: () => jsonFault(sample.input.value) ? null : brief(parse(sample.input.value)),
		stop: () => editor.last.abort() };
}

// template-editor.js - a payload template and, beside it, what it makes of a pasted payload: tried
// by the service with the very code that intake uses.

import { JsonText } from './api.js';
import { bdi, debounce, el, newId } from './dom.js';
import { brief, parse } from './json.js';
import { faultList } from './state.js';
import { SAMPLES } from './template-samples.js';

const PAUSE = 300;

// The first thing that is no JSON, as text; null when all is well.
export function jsonFault(text) {
	try {
		JSON.parse(text);
		return null;
	} catch (error) {
		return error.message;
	}
}

function area(label, hint, rows) {
	const id = newId('area');
	const input = el('textarea', { id, rows, class: 'code', spellcheck: 'false', autocomplete: 'off',
		autocapitalize: 'off', 'aria-describedby': `${id}-hint` });
	return { input, element: el('div', { class: 'field' }, el('label', { for: id }, label), input,
		el('p', { class: 'hint', id: `${id}-hint` }, hint)) };
}

function rowOf(name, value, warnings) {
	return el('tr', { class: warnings.length > 0 ? 'warned' : null },
		el('th', { scope: 'row' }, bdi(name)),
		el('td', null, value === null || value === undefined ? el('span', { class: 'muted' }, 'null')
			: bdi(brief(value)),
		warnings.map(text => el('span', { class: 'sub warn-text' }, bdi(text)))));
}

function resultOf({ row, warnings = [], error }, index, count) {
	const title = count > 1 ? el('h4', null, `Item ${index + 1}`) : null;
	if (error)
		return [title, el('p', { class: 'refused' }, el('strong', null, 'Would be rejected: '),
			bdi(error.detail))];
	const { custom, ...fields } = row;
	const named = [...Object.entries(fields), ...Object.entries(custom ?? {})
		.map(([name, value]) => [`custom.${name}`, value])];
	// custom values that could not be used are not in the row
	const missing = warnings.filter(({ field }) => !named.some(([name]) => name === field))
		.map(({ field }) => [field, null]);
	return [title, el('table', { class: 'mapped' },
		el('caption', { class: 'visually-hidden' }, 'What would be stored'),
		el('tbody', null, [...named, ...missing].map(([name, value]) => rowOf(name, value,
			warnings.filter(({ field }) => field === name).map(({ reason }) => reason)))))];
}

function faultsOf(problem) {
	return el('div', { class: 'refused' }, el('p', null, bdi(problem.message)), faultList(problem));
}

// { element, input of the template, text(): the template as typed, payload(): what it was tried on,
// on one line, or null; stop() }
export function templateEditor({ api, signal }) {
	const template = area('Payload template', 'Field to path: a dot goes one level down, a number picks from an array. Only product_org_id is required.', 13);
	const payload = area('Sample payload', 'Paste one of yours. It is tried, not stored.', 13);
	const heading = newId('preview');
	const preview = el('div', { class: 'preview', role: 'region', tabindex: 0, 'aria-live': 'polite',
		'aria-labelledby': heading });
	const chooser = newId('sample');
	let last = new AbortController();

	function use(name) {
		const sample = SAMPLES[name];
		template.input.value = sample.template;
		payload.input.value = sample.payload;
		tryNow();
	}

	async function tryNow() {
		last.abort();
		last = new AbortController();
		const { signal: current } = last;
		const fault = [['The template', template], ['The payload', payload]]
			.map(([what, { input }]) => [what, jsonFault(input.value)]).find(([, text]) => text);
		if (fault) {
			preview.replaceChildren(el('p', { class: 'refused' }, `${fault[0]} is not JSON yet: `,
				bdi(fault[1])));
			return;
		}
		try {
			const { results } = await api.post('templates/try', {
				payload_template: new JsonText(template.input.value),
				payload: new JsonText(payload.input.value) }, AbortSignal.any([signal, current]));
			preview.replaceChildren(...results.flatMap((result, index) =>
				resultOf(result, index, results.length)).filter(Boolean));
		} catch (error) {
			if (!current.aborted && !signal.aborted)
				preview.replaceChildren(faultsOf(error));
		}
	}

	const trySoon = debounce(tryNow, PAUSE);
	template.input.addEventListener('input', trySoon);
	payload.input.addEventListener('input', trySoon);
	const element = el('div', { class: 'editor' },
		el('div', { class: 'field inline' }, el('label', { for: chooser }, 'Start from'),
			el('select', { id: chooser, on: { change: event => use(event.target.value) } },
				Object.entries(SAMPLES).map(([value, { label }]) => el('option', { value }, label)))),
		el('div', { class: 'editor-panes' }, template.element, payload.element,
			el('div', { class: 'field' }, el('p', { class: 'label', id: heading }, 'What would be stored'), preview)));
	use(Object.keys(SAMPLES)[0]);
	return { element, input: template.input, text: () => template.input.value,
		payload: () => jsonFault(payload.input.value) ? null : brief(parse(payload.input.value)),
		stop: () => last.abort() };
}

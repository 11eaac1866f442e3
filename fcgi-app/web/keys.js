// keys.js - the API keys of the organization: the table, search and filters, and the way to the
// dialogs that create and deactivate.

import { bdi, button, debounce, el, isolate, newId, say } from './dom.js';
import { view as jsonView } from './json.js';
import { empty, fillWith, supersede } from './state.js';
import { facts, table } from './table.js';
import { both, day, minute, plural, relative } from './time.js';

export const TYPES = { signal_staging: 'Signals', product_orgs: 'Product orgs' };
const PATHS = { signal_staging: '/api/signal-staging/webhook/', product_orgs: '/api/product-orgs/webhook/' };
const STATUSES = { active: 'Active', expired: 'Expired', deactivated: 'Deactivated' };
const TONES = { active: 'good', expired: 'warn', deactivated: 'idle' };
const PAGE = 100;
const RECENT = 24 * 3600 * 1000;

const muted = text => el('span', { class: 'muted' }, text);

function statusOf(key) {
	const refused = key.last_refused_at && Date.now() - Date.parse(key.last_refused_at) < RECENT;
	return [el('span', { class: `badge ${TONES[key.status]}` }, STATUSES[key.status] ?? key.status),
		refused ? el('span', { class: 'sub warn-text' }, 'refused ', relative(key.last_refused_at))
			: null];
}

function detailOf(key) {
	return [facts([
		['Name', bdi(key.name)],
		['Path', el('code', null, `${PATHS[key.endpoint_type] ?? ''}{key}`)],
		['Secret', key.has_secret ? 'Required in the header X-Api-Secret' : 'None'],
		['Created', [minute(key.created_at), key.created_by ? [' by ', bdi(key.created_by)] : null]],
		['Expires', key.expires_at && minute(key.expires_at)],
		['Deactivated', key.deactivated_at && [minute(key.deactivated_at),
			key.deactivated_by ? [' by ', bdi(key.deactivated_by)] : null]],
		['Last refused', key.last_refused_at && [minute(key.last_refused_at),
			key.last_refused_reason ? [': ', bdi(key.last_refused_reason)] : null]],
		['Id', el('code', null, String(key.id))],
	]), key.payload_template
		? [el('h3', null, 'Payload template'), jsonView(key.payload_template, 'Payload template')]
		: null];
}

function columnsOf(deactivate) {
	return [
		{ label: 'Name', class: 'cell-name', cell: key => el('span', { class: 'clamp' }, bdi(key.name)) },
		{ label: 'Key', class: 'nowrap', cell: key => el('code', null, key.display) },
		{ label: 'Endpoint', class: 'nowrap', cell: key => TYPES[key.endpoint_type] ?? key.endpoint_type },
		{ label: 'Created', class: 'nowrap', cell: key => [day(key.created_at),
			key.created_by ? el('span', { class: 'sub clip' }, 'by ', bdi(key.created_by)) : null] },
		{ label: 'Expires', class: 'nowrap', cell: key => key.expires_at ? day(key.expires_at)
			: muted('Never') },
		{ label: 'Status', class: 'nowrap', cell: statusOf },
		{ label: 'Last used', class: 'nowrap', cell: key => key.last_used_at ? both(key.last_used_at)
			: muted('Never') },
		{ label: 'Actions', silent: true, class: 'cell-action', cell: key => key.status === 'deactivated' ? null
			: button('Deactivate', () => deactivate(key), { class: 'button small quiet-danger',
				'aria-label': `Deactivate ${isolate(key.name)}` }) },
	];
}

function choice(label, values, onChange) {
	return el('label', { class: 'filter' }, el('span', { class: 'visually-hidden' }, label),
		el('select', { on: { change: event => onChange(event.target.value) } },
			Object.entries(values).map(([value, text]) => el('option', { value }, text))));
}

class KeyList {
	constructor({ api, root, signal }) {
		Object.assign(this, { api, root, signal, keys: [], shown: PAGE, place: el('div') });
		this.next = supersede(signal);
		this.filter = { text: '', status: '', type: '' };
		this.count = el('p', { class: 'count', role: 'status' });
		this.tools = this.toolbar();
	}

	toolbar() {
		const set = name => value => {
			this.filter[name] = value;
			this.shown = PAGE;
			this.list();
		};
		const search = debounce(set('text'), 120);
		const id = newId('search');
		return el('div', { class: 'toolbar', role: 'search' },
			el('label', { class: 'visually-hidden', for: id }, 'Search keys'),
			el('input', { id, type: 'search', class: 'search', placeholder: 'Search name or key',
				autocomplete: 'off', spellcheck: 'false',
				on: { input: event => search(event.target.value) } }),
			choice('Status', { '': 'All statuses', ...STATUSES }, set('status')),
			choice('Endpoint type', { '': 'All endpoints', ...TYPES }, set('type')), this.count);
	}

	matches(key) {
		const text = this.filter.text.trim().toLowerCase();
		return (!this.filter.status || key.status === this.filter.status)
			&& (!this.filter.type || key.endpoint_type === this.filter.type)
			&& (!text || [key.name, key.display, key.created_by].some(value =>
				value?.toLowerCase().includes(text)));
	}

	// What the filters leave; the answer is not asked for again.
	list() {
		const found = this.keys.filter(key => this.matches(key));
		this.count.textContent = found.length === this.keys.length
			? plural(this.keys.length, 'key', 'keys')
			: `${found.length} of ${plural(this.keys.length, 'key', 'keys')}`;
		if (found.length === 0) {
			this.place.replaceChildren(empty('No key matches', 'Try another word or another filter.'));
			return;
		}
		const { element, add } = table({ caption: 'API keys', detail: detailOf,
			about: key => isolate(key.name), columns: columnsOf(key => this.deactivate(key)) });
		add(found.slice(0, this.shown));
		const rest = found.length - this.shown;
		this.place.replaceChildren(element, ...rest <= 0 ? []
			: [el('div', { class: 'more' }, button(`Show ${rest} more`, () => {
				this.shown = Infinity;
				this.list();
			}))]);
	}

	load() {
		const signal = this.next();
		return fillWith(this.place, 'keys', signal, async () => {
			({ keys: this.keys } = await this.api.get('keys', null, signal));
		}, () => {
			this.tools.hidden = this.keys.length === 0;
			if (this.keys.length === 0)
				return empty('No API keys yet',
					'A key lets a sender post webhooks to you. Create one, and paste its curl line into a terminal.',
					button('Create key', () => this.create(), { class: 'button primary' }));
			this.list();
			return [...this.place.childNodes];
		});
	}

	async create() {
		const { openCreateKey } = await import('./create-key.js');
		openCreateKey({ api: this.api, signal: this.signal, changed: () => this.load() });
	}

	async deactivate(key) {
		const { openDeactivate } = await import('./deactivate.js');
		openDeactivate({ api: this.api, signal: this.signal, key, done: async () => {
			say(`${isolate(key.name)} is deactivated`);
			await this.load();
			// the button that had the focus is gone
			this.root.querySelector('h1')?.focus();
		} });
	}
}

export function render(context) {
	const list = new KeyList(context);
	context.root.append(
		el('div', { class: 'head' },
			el('div', null, el('h1', { tabindex: -1 }, 'API keys'),
				el('p', { class: 'lead' }, 'Each sender gets a key of its own, so that one can be deactivated without the others.')),
			button('Create key', () => list.create(), { class: 'button primary' })),
		el('section', { class: 'card', 'aria-label': 'Keys' },
			el('h2', { class: 'visually-hidden' }, 'Keys'), list.tools, list.place));
	list.load();
}

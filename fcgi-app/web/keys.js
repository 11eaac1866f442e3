// @ts-check
// keys.js - the API keys view: the table, its search and filters, and the buttons that open the
// dialogs to create, edit, rotate and deactivate a key.

import { problemOf } from './api.js';
import { announce, bdi, button, debounce, el, isolate, newId } from './dom.js';
import { keyIn } from './find-key.js';
import { address } from './router.js';
import { empty, fillWith, supersede } from './state.js';
import { pages } from './table.js';
import { both, day, number, plural, relative } from './time.js';

/**
 * @import { Child, Column, EndpointType, Gets, Id, Key, KeyStatus, KeyVolume,
 *   ViewContext } from './types.js'
 */

/** @type {Record<EndpointType, string>} */
export const TYPES = { signal_staging: 'Signal Staging', product_orgs: 'Product Org Updates' };
/** @type {Record<KeyStatus, string>} */
const STATUSES = { active: 'Active', expired: 'Expired', deactivated: 'Deactivated' };
/** @type {Record<KeyStatus, string>} */
const TONES = { active: 'good', expired: 'warn', deactivated: 'idle' };
const PAGE = 50;
const RECENT_MS = 24 * 3600 * 1000;
const SEARCH_DELAY_MS = 200; // the server is asked

/** @param {string} text */
const muted = text => el('span', { class: 'muted' }, text);

/**
 * @param {Key} key
 * @param {() => void} explain says why requests were refused
 */
function statusOf(key, explain) {
	const refused = key.last_refused_at;
	return [el('span', { class: `badge ${TONES[key.status]}` }, STATUSES[key.status] ?? key.status),
		key.status === 'active' && key.successor && key.expires_at
			? el('span', { class: 'sub' }, 'rotated, ends ', relative(key.expires_at)) : null,
		refused && Date.now() - Date.parse(refused) < RECENT_MS
			? el('button', { type: 'button', class: 'link sub warn-text', 'aria-haspopup': 'dialog',
				title: 'Why?', on: { click: explain } }, 'refused ', relative(refused)) : null];
}

/**
 * @param {(key: Key) => void} explain
 * @param {(key: Key) => Child} volume
 * @returns {Column<Key>[]}
 */
function columnsOf(explain, volume) {
	return [
		{ label: 'Name', class: 'cell-name', cell: key =>
			el('span', { class: 'clamp' }, bdi(key.name)) },
		{ label: 'Key', class: 'nowrap', cell: key => el('code', null, key.display) },
		{ label: 'Endpoint', class: 'cell-endpoint', cell: key =>
			TYPES[key.endpoint_type] ?? key.endpoint_type },
		{ label: 'Created', class: 'nowrap', cell: key => [day(key.created_at), key.created_by
			? el('span', { class: 'sub clip' }, 'by ', bdi(key.created_by)) : null] },
		{ label: 'Expires', class: 'nowrap', cell: key => key.expires_at ? day(key.expires_at)
			: muted('Never') },
		{ label: 'Status', class: 'nowrap', cell: key => statusOf(key, () => explain(key)) },
		{ label: 'Last Used', class: 'nowrap', cell: key => key.last_used_at
			? [both(key.last_used_at), volume(key)] : [muted('Never'), volume(key)] },
	];
}

/**
 * @param {string} label
 * @param {Record<string, string>} values
 * @param {(value: string) => void} onChange
 */
function choice(label, values, onChange) {
	return el('label', { class: 'filter' }, el('span', { class: 'visually-hidden' }, label),
		el('select', { on: { change: ({ currentTarget }) => onChange(currentTarget.value) } },
			Object.entries(values).map(([value, text]) => el('option', { value }, text))));
}

const STEPS = ['Create a key. Each sender gets its own.',
	'Send a test event, or paste what is shown for curl, Python, Segment and others.',
	'Watch it arrive under Staging.'];

class KeyList {
	/** @type {Map<string, Key>} those that are known, by their ids */
	keys = new Map();
	shown = 0;
	filter = { text: '', status: '', type: '' };
	/** The hash of the key that was pasted last. */
	asked = '';
	count = el('p', { class: 'count', role: 'status' });
	/** What is said of a key that was pasted. */
	pasted = el('p', { class: 'pasted', role: 'status', hidden: true });
	place = el('div');
	/** @type {Map<string, KeyVolume>} what came with a key */
	volumes = new Map();
	/** @type {Map<string, Element>} where it is said */
	places = new Map();

	/** @param {ViewContext} context */
	constructor({ api, root, signal, fixed }) {
		this.api = api;
		this.fixed = fixed;
		this.root = root;
		this.signal = signal;
		this.nextLoad = supersede(signal);
		this.tools = this.toolbar();
	}

	toolbar() {
		/** @param {'text' | 'status' | 'type'} name */
		const set = name => (/** @type {string} */ value) => {
			this.filter[name] = value;
			this.load();
		};
		const type = debounce(set('text'), SEARCH_DELAY_MS);
		/** @type {(event: Event & { currentTarget: HTMLInputElement }) => void} */
		const search = event => {
			this.say('');
			const found = keyIn(event.currentTarget.value,
				event instanceof InputEvent && event.inputType.startsWith('insertFrom'));
			if (found)
				event.currentTarget.value = found.display; // the key itself is not kept
			type(event.currentTarget.value);
			if (found)
				this.identify(found);
		};
		const id = newId('search');
		return el('div', { class: 'toolbar', role: 'search' },
			el('label', { class: 'visually-hidden', for: id }, 'Search keys'),
			el('input', { id, type: 'search', class: 'search', placeholder: 'Name, or paste a key',
				autocomplete: 'off', spellcheck: 'false', on: { input: search } }),
			choice('Status', { '': 'All statuses', ...STATUSES }, set('status')),
			choice('Endpoint type', { '': 'All endpoints', ...TYPES }, set('type')), this.count,
			this.pasted);
	}

	/** @param {string} text about a pasted key */
	say(text) {
		this.pasted.textContent = text;
		this.pasted.hidden = text === '';
	}

	/**
	 * Says which key a pasted one is. Until then the list shows those that look like it.
	 *
	 * @param {NonNullable<ReturnType<typeof keyIn>>} found
	 */
	async identify({ hash, fault }) {
		this.say(fault);
		const asked = await hash;
		if (!asked)
			return;
		this.asked = asked;
		const text = await this.api.post('find-key', { key_hash: asked }, this.signal).then(
			({ key }) => key ? `The pasted key is ${isolate(key.name)}: ${STATUSES[key.status]}.`
				: 'No key of this organization is the pasted one. A sender that uses it is refused,'
					+ ' unless it is of another organization.',
			error => problemOf(error).message);
		if (this.asked === asked && !this.signal.aborted)
			this.say(text);
	}

	/** @param {Key[]} keys */
	remember(keys) {
		keys.forEach(key => this.keys.set(String(key.id), key));
	}

	/**
	 * What an opened row shows; the other keys of a rotation are looked up if they are not known.
	 *
	 * @param {Key} key
	 * @param {AbortSignal} signal
	 */
	detail(key, signal) {
		const make = () => [this.actions(key), this.details(key)];
		const missing = [key.successor_of, key.successor].filter(id =>
			id !== null && !this.find(id));
		if (missing.length === 0)
			return make();
		const place = el('div');
		fillWith(place, 'key', signal, () => Promise.all(missing.map(id =>
			this.api.get(`keys/${id}`, {}, signal))), found => {
			this.remember(found);
			return el('div', null, make());
		});
		return place;
	}

	get filtered() {
		return Boolean(this.filter.text.trim() || this.filter.status || this.filter.type);
	}

	nothing() {
		return this.filtered ? empty('No keys match', 'Try a different search or filter.')
			: empty('No API keys yet', 'The first signal is three steps away:',
				el('ol', { class: 'steps' }, STEPS.map(step => el('li', null, step))),
				button('Create key', () => this.create(), { class: 'button primary' }));
	}

	/** @param {Id | null} next behind the keys that are shown */
	tell(next) {
		const count = plural(this.shown, 'key', 'keys');
		this.count.textContent = next === null ? count : `The first ${count}`;
		this.tools.hidden = this.shown === 0 && !this.filtered;
	}

	/** The newest keys that pass the filters. */
	load() {
		const signal = this.nextLoad();
		const { text, status, type } = this.filter;
		this.keys.clear();
		this.places.clear();
		return pages(this.place, { caption: 'API keys', signal,
			detail: key => this.detail(key, signal),
			about: key => isolate(key.name),
			columns: columnsOf(key => this.open(() => this.refusals(key)),
				key => this.volume(key)),
			nothing: () => this.nothing(),
			load: async before => {
				const query = { match: text.trim(), status, endpoint_type: type, limit: PAGE,
					before };
				// Before the volumes, which nobody waits for: a process answers one at a time.
				const asked = this.api.get('keys', query, signal);
				this.tellVolumes(this.api.get('key-volumes', query, signal));
				const { keys, next } = await asked;
				this.shown = keys.length + (before === null ? 0 : this.shown);
				this.remember(keys);
				this.tell(next);
				return { rows: keys, next };
			} });
	}

	/** @param {Key} key */
	volume(key) {
		const id = String(key.id);
		const place = el('span', { class: 'sub' }, this.line(id));
		this.places.set(id, place);
		return place;
	}

	/**
	 * "21 in 7 days, 3 rejected", which lead to them.
	 *
	 * @param {string} id
	 */
	line(id) {
		const volume = this.volumes.get(id);
		const rejected = Number(volume?.rejected_7_days ?? 0);
		const place = { ...this.fixed, key: id };
		const accepted = volume && Number(volume.accepted_7_days) > 0
			? `${number(volume.accepted_7_days)} in 7 days` : '';
		const list = volume && this.find(volume.key_id)?.endpoint_type === 'product_orgs'
			? 'product-orgs' : null;
		return [accepted && el('a', { href: address('staging', { ...place, list }) }, accepted),
			rejected === 0 ? ''
			: el('a', { class: 'sub warn-text', href: address('staging', { ...place,
				list: 'rejects' }) }, `${number(rejected)} rejected`)];
	}

	/**
	 * Those of a part of the list, which is of use without them; an opened row tells what is wrong.
	 *
	 * @param {Promise<Gets['key-volumes']>} asked
	 */
	async tellVolumes(asked) {
		const { volumes } = await asked.catch(() => ({ volumes: [] }));
		for (const volume of volumes) {
			const id = String(volume.key_id);
			this.volumes.set(id, volume);
			this.places.get(id)?.replaceChildren(...this.line(id));
		}
	}

	/** @param {Id | null} id */
	find(id) {
		return id === null ? undefined : this.keys.get(String(id));
	}

	/** @param {() => Promise<void>} dialog loads it and opens it */
	open(dialog) {
		dialog().catch(() =>
			announce('The dialog could not be loaded. Check your network and try again.'));
	}

	/**
	 * What is known of a key, below them.
	 *
	 * @param {Key} key
	 */
	details(key) {
		const place = el('div');
		fillWith(place, 'details', this.signal, () => import('./key-detail.js'),
			({ detailOf }) => detailOf({ api: this.api, signal: this.signal, key,
				find: id => this.find(id) }));
		return place;
	}

	/**
	 * What can be done with a key: the buttons of its opened row.
	 *
	 * @param {Key} key
	 */
	actions(key) {
		/** @type {(label: string, open: () => Promise<void>, name?: string) => Node} */
		const action = (label, open, name = '') => button(label, () => this.open(open),
			{ class: `button small ${name}`.trim(),
				'aria-label': `${label}: ${isolate(key.name)}` });
		return el('div', { class: 'actions' }, key.status === 'deactivated' ? [] : [
			action('Edit', () => this.edit(key)),
			this.find(key.successor) && this.find(key.successor)?.status !== 'deactivated' ? null
				: action('Rotate', () => this.rotate(key)),
			action('Secret', () => this.secret(key)),
		], action('History', () => this.history(key), 'quiet'),
		action('Refusals', () => this.refusals(key), 'quiet'), key.status === 'deactivated' ? null
			: action('Deactivate', () => this.deactivate(key), 'quiet-danger'));
	}

	/**
	 * After a change: says so, and shows the keys as they are now.
	 *
	 * @param {string} text
	 */
	async done(text) {
		announce(text);
		await this.load();
		// the button that had the focus is gone
		this.root.querySelector('h1')?.focus();
	}

	async create() {
		const { openCreateKey } = await import('./create-key.js');
		openCreateKey({ api: this.api, signal: this.signal, changed: () => this.load() });
	}

	/** @param {Key} key */
	async edit(key) {
		const { openEdit } = await import('./edit-key.js');
		openEdit({ api: this.api, signal: this.signal, key,
			done: () => this.done(`${isolate(key.name)} was changed`) });
	}

	/** @param {Key} key */
	async rotate(key) {
		const { openRotate } = await import('./rotate-key.js');
		openRotate({ api: this.api, signal: this.signal, key,
			done: () => this.done(`${isolate(key.name)} was rotated`) });
	}

	/** @param {Key} key */
	async secret(key) {
		const { openSecret } = await import('./secret-form.js');
		openSecret({ api: this.api, signal: this.signal, key, done: text => this.done(text) });
	}

	/** @param {Key} key */
	async history(key) {
		const { openHistory } = await import('./history.js');
		openHistory({ api: this.api, signal: this.signal, key });
	}

	/** @param {Key} key */
	async refusals(key) {
		const { openRefusals } = await import('./refusals.js');
		openRefusals({ api: this.api, signal: this.signal, key });
	}

	/** @param {Key} key */
	async deactivate(key) {
		const { openDeactivate } = await import('./deactivate.js');
		openDeactivate({ api: this.api, signal: this.signal, key,
			done: () => this.done(`${isolate(key.name)} was deactivated`) });
	}
}

/** @param {ViewContext} context */
export function render(context) {
	const list = new KeyList(context);
	context.root.append(
		el('div', { class: 'head' },
			el('div', null, el('h1', { tabindex: -1 }, 'API keys'),
				el('p', { class: 'lead' }, 'Give each sender its own key, so that you can'
					+ ' deactivate one without affecting the others.')),
			button('Create key', () => list.create(), { class: 'button primary' })),
		el('section', { class: 'card', 'aria-label': 'Keys' },
			el('h2', { class: 'visually-hidden' }, 'Keys'), list.tools, list.place));
	list.load();
}

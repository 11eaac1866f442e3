// @ts-check
// rejects.js - payloads that could not be stored: why, with the bad place marked in the bytes; and
// what can be done with one, or with all of a kind, which is a reason and a key.

import { announce, bdi, button, el, isolate, visible } from './dom.js';
import { openDialog } from './dialog.js';
import { Results } from './results.js';
import { SEARCHES } from './search.js';
import { empty, failed } from './state.js';
import { REJECT_STATES } from './status.js';
import { clamp, clip, code, facts, listPages, sub, text } from './table.js';
import { minute, number, plural, relative, second } from './time.js';

/** @import { Context as ResultsContext } from './results.js' */
/** @import { Child, Place, Reject, RejectKind, TableOptions } from './types.js' */
/** @typedef {ResultsContext & { manages: boolean }} Context */

const KINDS_FIRST = 5;
const KINDS_MORE = 50;

/**
 * The line of a payload with the bad place in it, which is marked; null where none is known.
 *
 * @param {Place | null} place
 */
export function placeOf(place) {
	return place === null ? null : [
		el('p', null, `Line ${number(place.line)}, column ${number(place.column)}`
			+ `${place.bad === '' ? ', where the payload ends' : ''}:`),
		el('pre', { class: 'json reject-place', tabindex: 0, role: 'region',
			'aria-label': 'Bad place' },
		el('bdi', null, visible(place.before), el('mark', null, visible(place.bad) || '⌁'),
			visible(place.after)))];
}

/**
 * What is wrong. The places in it are for the sender, from 0: people count items from 1, and
 * placeOf() says the line and column of what is shown.
 *
 * @param {{ detail: string, place: Place | null }} bad
 */
export function detailOf({ detail, place }) {
	return place === null ? detail : detail.replace(/ at byte (?:offset )?\d+/u, '')
		.replace(/^item index (\d+)/u, (_, index) => `item ${Number(index) + 1}`);
}

/** @param {Reject} row */
function stateOf(row) {
	const at = row.replayed_at ?? row.discarded_at;
	const by = row.replayed_by ?? row.discarded_by;
	const [label, tone] = REJECT_STATES[row.state];
	return [el('span', { class: `badge ${tone}` }, label), at === null ? null
		: el('span', { class: 'sub' }, relative(at), by ? [' by ', bdi(by)] : null)];
}

// ---- one ----

/**
 * A question before something is done; act() does it, and done() is called then.
 *
 * @param {Context} context
 * @param {{ title: string, body: Child, label: string, danger?: boolean,
 *   act: () => Promise<string> }} question act gives what is announced
 * @param {() => void} done
 */
function ask({ signal }, { title, body, label, danger, act }, done) {
	const trouble = el('div', { class: 'trouble' });
	const confirm = button(label, async () => {
		confirm.disabled = true;
		trouble.replaceChildren();
		try {
			const told = await act();
			dialog.close();
			announce(told);
			done();
		} catch (error) {
			confirm.disabled = false;
			trouble.replaceChildren(failed(error));
		}
	}, { class: `button ${danger ? 'danger' : 'primary'}` });
	const dialog = openDialog({ title, class: 'narrow', signal, body: [body, trouble],
		foot: [button('Cancel', () => dialog.close(), { autofocus: true }), confirm] });
}

/**
 * @param {Context} context
 * @param {Reject} row
 * @param {() => void} done
 */
function askReplay(context, row, done) {
	const { api, signal } = context;
	ask(context, { title: 'Replay this payload?', label: 'Replay', body: el('p', null,
		'It is read again as it was received, as if the sender had just sent it, and stored if'
			+ ' nothing is wrong any more. It helps after a key\'s payload template or a limit was'
			+ ' changed; a payload that is bad in itself has to be edited.'),
	act: async () => {
		const { ids } = await api.post(`rejects/${row.id}/replay`, {}, signal);
		return `${plural(ids.length, 'row is', 'rows are')} stored`;
	} }, done);
}

/**
 * @param {Context} context
 * @param {Reject} row
 * @param {() => void} done
 */
function askDiscard(context, row, done) {
	const { api, signal } = context;
	ask(context, { title: 'Discard this payload?', label: 'Discard', danger: true,
		body: el('p', null, 'It is marked as not needed, and is no longer among the open ones. Its'
			+ ' bytes stay until the retention is over.'),
		act: async () => {
			await api.post(`rejects/${row.id}/discard`, {}, signal);
			return 'The payload is discarded';
		} }, done);
}

/**
 * @param {Context} context
 * @param {Reject} row
 * @param {() => void} done
 */
function actionsOf(context, row, done) {
	return !context.manages || row.state !== 'open' ? null : el('div', { class: 'actions' },
		button('Edit and replay', async () => {
			const { openEditReject } = await import('./edit-reject.js');
			openEditReject({ api: context.api, signal: context.signal, id: row.id, done });
		}),
		button('Replay', () => askReplay(context, row, done)),
		button('Discard', () => askDiscard(context, row, done), { class: 'button quiet-danger' }));
}

/**
 * @param {Context} context
 * @param {() => void} done
 * @returns {TableOptions<Reject>}
 */
function options(context, done) {
	return {
		caption: 'Rejects, newest first',
		about: row => `reject ${row.id}`,
		columns: [
			{ label: 'Received', class: 'nowrap', cell: row => second(row.received_at) },
			{ label: 'Reason', class: 'cell-name', cell: row =>
				[clamp(row.why), sub(detailOf(row))] },
			{ label: 'Key', cell: row => clip(row.key_name) },
			{ label: 'Source', cell: row => clip(row.source) },
			{ label: 'Bytes', class: 'number', cell: row => number(row.payload_bytes) },
			{ label: 'State', cell: stateOf }],
		detail: row => [actionsOf(context, row, done),
			el('p', null, el('strong', null, bdi(row.why)), ': ', bdi(detailOf(row))),
			placeOf(row.place), facts([
				['Reject ID', code(row.id)], ['Kind', text(row.kind)], ['Code', code(row.code)],
				['Key', text(row.key_name)], ['Key ID', code(row.key_id)],
				['Item', row.position === null ? null : number(row.position + 1)],
				['Request ID', code(row.request_id)],
				['Replayed', row.replayed_at && minute(row.replayed_at)],
				['Discarded', row.discarded_at && minute(row.discarded_at)],
			]), el('h3', null, 'Received bytes'),
			el('pre', { class: 'json', tabindex: 0, role: 'region',
				'aria-label': 'Received bytes' },
			el('bdi', null, visible(row.preview, '\t\n')),
			row.truncated ? el('span', { class: 'json-mark' }, '\n… truncated') : null)],
	};
}

// ---- all of a kind ----

/**
 * Replays all of a kind, part by part, and says how far it has come.
 *
 * @param {Context} context
 * @param {RejectKind} kind
 * @param {Element} told
 * @param {AbortSignal} signal
 */
async function replayAll({ api }, kind, told, signal) {
	let replayed = 0;
	let bad = 0;
	/** @type {RejectKind['until'] | undefined} */
	let after;
	do {
		const part = await api.post('replay-rejects',
			{ code: kind.code, key_id: kind.key_id, until: kind.until, after }, signal);
		replayed += part.replayed;
		bad += part.failed.length;
		after = part.next ?? undefined;
		told.replaceChildren(`${number(replayed)} replayed, ${number(bad)} still bad`
			+ `${after === undefined ? '.' : ' …'}`);
	} while (after !== undefined);
	return { replayed, bad };
}

/**
 * @param {Context} context
 * @param {RejectKind} kind
 * @param {() => void} done
 */
function openReplayAll(context, kind, done) {
	const stop = new AbortController();
	const signal = AbortSignal.any([context.signal, stop.signal]);
	let tried = false;
	const told = el('p', { role: 'status' });
	const trouble = el('div', { class: 'trouble' });
	const label = `Replay ${number(kind.open)}`;
	const close = button('Cancel', () => dialog.close(), { autofocus: true });
	const confirm = button(label, async () => {
		tried = confirm.disabled = true;
		trouble.replaceChildren();
		try {
			const { bad } = await replayAll(context, kind, told, signal);
			if (bad > 0)
				told.append(' What is still bad stays open: edit it, or discard it.');
			confirm.remove();
			close.textContent = 'Close';
			close.focus();
		} catch (error) {
			if (signal.aborted)
				return;
			confirm.disabled = false;
			trouble.replaceChildren(failed(error));
		}
	}, { class: 'button primary' });
	const dialog = openDialog({ title: `Replay ${plural(kind.open, 'payload', 'payloads')}?`,
		class: 'narrow', signal: context.signal, foot: [close, confirm],
		closed: () => {
			stop.abort();
			if (tried)
				done();
		}, body: [
			el('p', { class: 'subject' }, el('span', { class: 'clamp' }, bdi(kind.why)),
				el('span', { class: 'clip' }, bdi(kind.key_name ?? String(kind.key_id)))),
			el('p', null, 'Each is read again as it was received. Those that are still bad stay as'
				+ ' they are.'),
			kind.key_status && kind.key_status !== 'active'
				? el('p', { class: 'warn-text' }, `The key is ${kind.key_status} now. What came`
					+ ' while it was not is stored all the same.') : null,
			told, trouble] });
}

/**
 * @param {Context} context
 * @param {RejectKind} kind
 * @param {() => void} show
 * @param {() => void} done
 */
function kindOf(context, kind, show, done) {
	const count = plural(kind.open, 'open payload', 'open payloads');
	const about = `${kind.why}, key ${isolate(kind.key_name ?? String(kind.key_id))}`;
	return el('li', null,
		el('span', { class: 'reject-kind' }, el('strong', null, count), ' ', bdi(kind.why),
			el('span', { class: 'sub' }, 'Key ',
				bdi(kind.key_name ?? String(kind.key_id)),
				', most recently ', relative(kind.last_at))),
		el('span', { class: 'reject-buttons' },
			button('Show', show, { class: 'button small', 'aria-label': `Show: ${about}` }),
			context.manages ? button('Replay all', () => openReplayAll(context, kind, done),
				{ class: 'button small', 'aria-label': `Replay all: ${about}` }) : null));
}

/**
 * The kinds of the open ones, the most frequent first.
 *
 * @param {Context} context
 * @param {HTMLElement} place
 * @param {(kind: RejectKind) => void} show
 * @param {() => void} done
 */
function kinds(context, place, show, done) {
	const { api, signal } = context;
	return listPages(place, 'kinds', { signal, nothing: () => [], load: async before => {
		const { kinds: rows, next } = await api.get('reject-kinds',
			{ limit: before === null ? KINDS_FIRST : KINDS_MORE, before }, signal);
		return { rows, next };
	} }, () => {
		const element = el('ul', { class: 'reject-kinds', 'aria-label': 'Open payloads by kind' });
		/** @param {RejectKind[]} some */
		const add = some => {
			const made = some.map(kind => kindOf(context, kind, () => show(kind), done));
			element.append(...made);
			return made;
		};
		return { element, add };
	});
}

// ---- the view ----

/**
 * Fills `place`.
 *
 * @param {HTMLElement} place
 * @param {Context} context
 */
export function rejects(place, context) {
	const { api } = context;
	const summary = el('div', { class: 'reject-summary' });
	const body = el('div');
	/** After a change. */
	const again = () => {
		showKinds();
		results.start();
		results.focus('state', { preventScroll: true });
	};
	const results = new Results(body, context, { search: SEARCHES.rejects,
		one: 'rejected payload', many: 'rejected payloads', path: 'rejects', file: 'rejects',
		options: options(context, again),
		remark: context.manages ? null : 'Long payloads are truncated in a file.',
		load: async (query, all) => {
			const { rejects: rows, next, searched_until: until } = await api.get('rejects', query,
				all);
			return { rows, next, until };
		},
		nothing: () => empty('Nothing has been rejected', 'Bad items of batches and unreadable'
			+ ' bodies are kept here, so that nothing a sender posts is lost.') });
	const showKinds = () => kinds(context, summary, ({ code: why, key_id: key }) => {
		results.choose({ state: 'open', code: why, key: String(key) });
		results.focus('state');
	}, again);
	place.replaceChildren(summary, body);
	showKinds();
	results.show();
}

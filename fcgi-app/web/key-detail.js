// @ts-check
// key-detail.js - what an opened row of the keys says: how much came with the key, and all that is
// known of it.

import { bdi, el } from './dom.js';
import { view as jsonView } from './json.js';
import { facts } from './table.js';
import { minute, relative } from './time.js';
import { volumePlace } from './volume.js';

/** @import { Api } from './api.js' */
/** @import { Child, EndpointType, Id, Key, Timestamp } from './types.js' */

/** @type {Record<EndpointType, string>} */
const PATHS = {
	signal_staging: '/api/signal-staging/webhook/',
	product_orgs: '/api/product-orgs/webhook/',
};
const SHORT_NAME = 30; // characters that the row shows

/**
 * "Nov 14, 2026, 10:00 AM by olga"; null when it has not happened.
 *
 * @param {Timestamp | null} timestamp
 * @param {string} joint
 * @param {string | null} text
 * @returns {Child}
 */
function when(timestamp, joint, text) {
	return timestamp === null ? null : [minute(timestamp), text ? [joint, bdi(text)] : null];
}

/**
 * @param {Key} key
 * @returns {Child}
 */
function secretOf(key) {
	if (!key.has_secret)
		return 'None';
	if (key.secret_needed_from)
		return ['Required in the X-Api-Secret header from ', minute(key.secret_needed_from),
			' on'];
	return ['Required, in the X-Api-Secret header', key.old_secret_until
		? el('span', { class: 'sub' }, 'The old one is valid, too, until ',
			minute(key.old_secret_until)) : null];
}

/**
 * Another key of a rotation, and when it was last used.
 *
 * @param {Id | null} id
 * @param {Key | undefined} key
 * @returns {Child}
 */
function linked(id, key) {
	if (id === null || !key)
		return id === null ? null : el('code', null, String(id));
	return [el('code', null, key.display), el('span', { class: 'sub' }, key.last_used_at
		? ['last used ', relative(key.last_used_at)] : 'never used', key.status !== 'active'
		? `, ${key.status}` : key.expires_at ? [', ends ', relative(key.expires_at)] : null)];
}

/**
 * @param {{ api: Api, signal: AbortSignal, key: Key,
 *   find: (id: Id | null) => Key | undefined }} context
 */
export function detailOf({ api, signal, key, find }) {
	return el('div', null, volumePlace({ api, signal, key }), facts([
		['Name', key.name.length > SHORT_NAME ? bdi(key.name) : null],
		['Path', el('code', null, `${PATHS[key.endpoint_type] ?? ''}{key}`)],
		['Secret', secretOf(key)],
		['Replaces', linked(key.successor_of, find(key.successor_of))],
		['Replaced by', linked(key.successor, find(key.successor))],
		['Created', when(key.created_at, ' by ', key.created_by)],
		['Expires', when(key.expires_at, '', null)],
		['Delivery ID', key.delivery_id_member && el('code', null, key.delivery_id_member)],
		['Networks', key.networks && el('code', null, key.networks.join(', '))],
		['Deactivated', when(key.deactivated_at, ' by ', key.deactivated_by)],
		['Last refused', when(key.last_refused_at, ': ', key.last_refused_reason)],
		['ID', el('code', null, String(key.id))],
	]), key.payload_template
		? [el('h3', null, 'Payload template'), jsonView(key.payload_template, 'Payload template')]
		: null);
}

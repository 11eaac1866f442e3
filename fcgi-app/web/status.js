// @ts-check
// status.js - the statuses of staged rows, and the states and reasons of rejects: their names, and
// how good or bad each is.

import { el } from './dom.js';

/** @import { Reject, StagingStatus } from './types.js' */

/** @type {Record<StagingStatus, [label: string, tone: string]>} */
export const STATUSES = {
	pending: ['Pending', 'wait'],
	processing: ['Processing', 'wait'],
	completed: ['Completed', 'good'],
	failed: ['Failed', 'warn'],
	skipped: ['Skipped', 'idle'],
	permanently_failed: ['Permanently failed', 'bad'],
};

/** @type {Record<Reject['state'], [label: string, tone: string]>} */
export const REJECT_STATES = { open: ['Open', 'warn'], replayed: ['Replayed', 'good'],
	discarded: ['Discarded', 'idle'] };

/** Why a payload can have been rejected, by its code. @type {Record<string, string>} */
export const REASONS = {
	malformed_json: 'Not valid JSON',
	not_an_object: 'Not a JSON object',
	item_too_large: 'An item is too large',
	nesting_too_deep: 'Nested too deeply',
	number_too_large: 'A number has too many digits',
	invalid_value: 'A value that the database does not take',
	not_a_batch: 'No array of items',
	too_many_items: 'Too many items',
	body_too_large: 'The body is too large',
	malformed_coding: 'Compressed, and damaged',
	unsupported_coding: 'Compression is not supported',
	unsupported_media_type: 'Neither JSON nor a form',
	missing_product_org_id: 'No product org ID',
};

/** @param {string} status */
export function statusBadge(status) {
	const [label, tone] = status === 'cold_storage' ? ['Cold storage', 'idle']
		: STATUSES[/** @type {StagingStatus} */ (status)] ?? [status, 'idle'];
	return el('span', { class: `badge ${tone}` }, label);
}

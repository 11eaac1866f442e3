// @ts-check
// status.js - the statuses of staged rows: their names, and how good or bad each is.

import { el } from './dom.js';

/** @import { StagingStatus } from './types.js' */

/** @type {Record<StagingStatus, [label: string, tone: string]>} */
export const STATUSES = {
	pending: ['Pending', 'wait'],
	processing: ['Processing', 'wait'],
	completed: ['Completed', 'good'],
	failed: ['Failed', 'warn'],
	skipped: ['Skipped', 'idle'],
	permanently_failed: ['Permanently failed', 'bad'],
};

/** @param {string} status */
export function statusBadge(status) {
	const [label, tone] = status === 'cold_storage' ? ['Cold storage', 'idle']
		: STATUSES[/** @type {StagingStatus} */ (status)] ?? [status, 'idle'];
	return el('span', { class: `badge ${tone}` }, label);
}

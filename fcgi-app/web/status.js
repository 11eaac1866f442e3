// status.js - what becomes of a staged row: the names, and how good or bad each is.

import { el } from './dom.js';

export const STATUSES = {
	pending: ['Pending', 'wait'],
	processing: ['Processing', 'wait'],
	completed: ['Completed', 'good'],
	failed: ['Failed', 'warn'],
	skipped: ['Skipped', 'idle'],
	permanently_failed: ['Permanently failed', 'bad'],
};

export function statusBadge(status) {
	const [label, tone] = STATUSES[status] ?? [status, 'idle'];
	return el('span', { class: `badge ${tone}` }, label);
}

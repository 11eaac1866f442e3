// @ts-check
// test-payload.js - a payload that fits a key: marked as a test, under an id that no other has.

/** @import { Json, JsonObject } from './types.js' */

/** A value for each field of a template; what is not here is a custom field. */
const VALUES = {
	/** @param {string} id */
	product_org_id: id => id,
	name: () => 'Test org',
	plan_id: () => 'test',
	plan_name: () => 'Test',
	user_count: () => 1,
	mrr: () => 0,
	trial_status: () => 'test',
	last_active_at: () => new Date().toISOString(),
	feature_flags: () => ({ test: true }),
};

/** @param {string} path "traits.plan", "items.0.id"; "\\." is a literal dot */
const stepsOf = path => (path.match(/(?:\\.|[^.\\])+/g) ?? []).map(step =>
	step.replace(/\\(.)/g, '$1'));

/**
 * Puts a value where a path leads, unless something is there.
 *
 * @param {any} root
 * @param {string} path
 * @param {unknown} value
 */
function put(root, path, value) {
	const steps = stepsOf(path);
	let place = root;
	steps.forEach((step, index) => {
		if (typeof place !== 'object')
			return;
		place[step] ??= index === steps.length - 1 ? value
			: /^\d+$/.test(steps[index + 1] ?? '') ? [] : {};
		place = place[step];
	});
}

export function newTestId() {
	return `test-${Array.from(crypto.getRandomValues(new Uint8Array(8)),
		byte => byte.toString(16).padStart(2, '0')).join('')}`;
}

/**
 * What the template of a key maps to a whole row.
 *
 * @param {JsonObject} template
 * @param {string} id of the product org
 * @returns {Record<string, unknown>}
 */
export function productOrg(template, id) {
	const payload = {};
	const { custom, ...fields } = template;
	for (const [field, path] of Object.entries(fields))
		put(payload, String(path), VALUES[/** @type {keyof VALUES} */ (field)]?.(id));
	for (const path of Object.values(/** @type {Record<string, Json>} */ (custom ?? {})))
		put(payload, String(path), 'test');
	return { ...payload, test: true, sent_by: 'settings page' };
}

/** @param {string} id of the message */
export function signal(id) {
	return { event: 'test', email: 'lead@example.com', messageId: id, test: true,
		sent_by: 'settings page' };
}

// @ts-check
// find-key.js - what a pasted text says of a key. The key stays in the browser: only its SHA-256 is
// sent.

const WHOLE = /sk_[0-9A-Za-z]{38}(?![0-9A-Za-z])/;
const PART = /sk_[0-9A-Za-z]{9,}/; // more than the list shows
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECKED = 35; // characters before the checksum

/** @param {string} text of ASCII */
function crc32(text) {
	let crc = 0xffffffff;
	for (const character of text) {
		crc ^= character.charCodeAt(0);
		for (let bit = 0; bit < 8; bit++)
			crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
	}
	return ~crc >>> 0;
}

/**
 * Whether the last six characters of a key are the checksum of the others.
 *
 * @param {string} key
 */
function isSound(key) {
	let [rest, check] = [crc32(key.slice(0, CHECKED)), ''];
	for (let digit = CHECKED; digit < key.length; digit++) {
		check = DIGITS.charAt(rest % DIGITS.length) + check;
		rest = Math.floor(rest / DIGITS.length);
	}
	return key.endsWith(check);
}

/** @param {string} text */
async function sha256(text) {
	const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
	return Array.from(new Uint8Array(hash), byte => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The key in a text, such as a webhook address, in the form that may be shown; null without one.
 * `hash` is its SHA-256, or null where a browser does not hash: `fault` says so, or what is wrong
 * with the key. A part of a key counts only if it was pasted, or it could not be typed.
 *
 * @param {string} text
 * @param {boolean} pasted
 * @returns {{ display: string, hash: Promise<string> | null, fault: string } | null}
 */
export function keyIn(text, pasted) {
	const [key] = WHOLE.exec(text) ?? [];
	if (!key) {
		const [part] = pasted ? PART.exec(text) ?? [] : [];
		return part ? { display: part.slice(0, 7), hash: null,
			fault: `This is no whole key: it has ${part.length} characters instead of 41.` } : null;
	}
	const display = `${key.slice(0, 7)}…${key.slice(-4)}`;
	if (!isSound(key))
		return { display, hash: null, fault: 'This key has a mistake: its last six characters do'
			+ ' not match the others. A sender that uses it is refused.' };
	return crypto.subtle ? { display, hash: sha256(key), fault: '' }
		: { display, hash: null, fault: 'Found by its first and last characters alone: without'
			+ ' https the browser cannot hash a key, and it is not sent as it is.' };
}

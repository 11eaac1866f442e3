// @ts-check
// follow.js - asks again and again for what is new: seldom while the page is hidden or there is no
// answer, and at once when that is over.

const EVERY_MS = 3000;
const AT_MOST_MS = 60000;

/**
 * Calls `ask` until `signal` aborts, one call at a time. `told` is called with what went wrong, or
 * null once an answer has come again.
 *
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} ask
 * @param {(error: unknown) => void} told
 */
export function follow(signal, ask, told) {
	let wait = EVERY_MS;
	let timer = 0;
	let asking = false;
	const turn = async () => {
		clearTimeout(timer);
		if (signal.aborted || asking)
			return;
		if (!document.hidden) {
			asking = true;
			try {
				await ask();
				wait = EVERY_MS;
				told(null);
			} catch (error) {
				wait = Math.min(2 * wait, AT_MOST_MS);
				if (!signal.aborted)
					told(error);
			}
			asking = false;
		}
		timer = setTimeout(turn, document.hidden ? AT_MOST_MS : wait);
	};
	const again = () => {
		wait = EVERY_MS;
		turn();
	};
	document.addEventListener('visibilitychange', again, { signal });
	addEventListener('online', again, { signal });
	signal.addEventListener('abort', () => clearTimeout(timer));
	timer = setTimeout(turn, wait);
}

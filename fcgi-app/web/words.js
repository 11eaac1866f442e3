// @ts-check
// words.js - what a refusal means for the person at the page, and what to do about it. The words of
// the API are for programs, too, and those of a web server say nothing.

/** @import { ProblemMembers } from './types.js' */

// of the codes with status 503
const SAY_MORE = ['outcome_unknown', 'misconfigured'];
const TELL = 'If that does not help, tell the operator of Sluice.';

/**
 * By the code of the API's problem.
 *
 * @type {Record<string, (detail: string, problem: ProblemMembers) => ProblemMembers>}
 */
const BY_CODE = {
	not_a_member: () => ({ stale: true }),
	role_too_low: detail => ({ stale: true, detail: `${detail} If your role was changed meanwhile,`
		+ ' reload the page to see what you may do; else ask an owner of the organization.' }),
	csrf_refused: detail => ({ stale: true, title: 'The page is not up to date',
		detail: `Reload the page and try again. ${TELL} The service says: ${detail}` }),
	wrong_state: detail => ({ stale: true, title: 'This cannot be done now',
		detail: detail.includes('Reload') ? detail
			: `${detail} Reload the page to see how it is now.` }),
	invalid_request: (detail, { errors = [] }) => ({ title: 'This is not accepted as it is',
		detail: errors.length > 0 ? 'Correct this, and try again:' : detail }),
	not_found: detail => ({ title: 'This is not there',
		detail: `${detail === 'Check the path.' ? 'The page and the service are of different'
			+ ' versions.' : detail} Reload the page. ${TELL}` }),
};

/**
 * By the status, where a web server has answered instead of the service.
 *
 * @type {Record<number, [title: string, detail: string]>}
 */
const BY_STATUS = {
	403: ['The web server does not let you do this',
		'Ask the operator of Sluice whether you may use this page.'],
	404: ['The service was not found', `Reload the page. ${TELL}`],
	413: ['This is too much at once', 'Shorten it, and try again.'],
	429: ['Too many requests at once', 'Others may be using the page, too.'],
};

/**
 * @param {string} method
 * @param {number} seconds as Retry-After says; 0: it does not
 */
function later(method, seconds) {
	return `${method === 'GET' ? '' : 'Nothing was changed. '}Try again ${seconds > 5
		&& seconds <= 120 ? `in ${seconds} seconds` : 'in a moment'}.`;
}

/**
 * @param {ProblemMembers} told by the API, or of its answer
 * @param {string} method of the request
 * @param {number} seconds as Retry-After says; 0: it does not
 * @returns {ProblemMembers}
 */
export function inWords(told, method, seconds) {
	const { status = 0, code = '', detail = '' } = told;
	if (status === 503 && code && !SAY_MORE.includes(code))
		return { ...told, detail: `${later(method, seconds)} ${TELL}` };
	if (code)
		return { ...told, ...BY_CODE[code]?.(detail, told) };
	if (status >= 500)
		return { ...told, title: 'The service does not answer', detail: `${method === 'GET' ? ''
			: 'It is not known whether anything was changed. '}It may be restarting: try again in a`
			+ ` moment. ${TELL}` };
	const [title = told.title, words = detail] = BY_STATUS[status] ?? [];
	return { ...told, title,
		detail: status === 429 ? `${words} ${later(method, seconds)}` : words };
}

'use strict';
// post.js LIBRARY URL NAME=VALUE... - sends the signal in each of a library's ways; see
// test_clients.py.

const { Readable } = require('node:stream');
const { pathToFileURL } = require('node:url');

const [library, url, ...pairs] = process.argv.slice(2);
const signal = Object.fromEntries(pairs.map((pair) => pair.split(/=(.*)/s)));
const headers = { 'X-Source': library };
const ndjson = { ...headers, 'Content-Type': 'application/x-ndjson' };

// Also one that is a module: an import does not look in NODE_PATH.
function load(name) {
	return import(pathToFileURL(require.resolve(name)));
}

function named(name) {
	return { ...signal, messageId: name };
}

function batch() {
	return [1, 2, 3].map((number) => ({ ...named(`batch-${number}`), number, part: number / 7 }));
}

function form(name) {
	const made = new FormData();

	for (const [field, value] of Object.entries(named(name)))
		made.append(field, value);
	return made;
}

function* lines() {
	for (const number of [1, 2])
		yield `${JSON.stringify(named(`stream-${number}`))}\n`;
}

const LIBRARIES = {
	async axios() {
		const { default: axios } = await load('axios');

		await axios.post(url, named('json'), { headers });
		await axios.post(`${url}/batch`, batch(), { headers });
		await axios.postForm(url, named('multipart'), { headers });
		await axios.post(url, new URLSearchParams(named('form')), { headers });
		await axios.post(`${url}/batch`, Readable.from(lines()), { headers: ndjson });
	},

	async fetch() {
		for (const [to, options] of [
			[url, { headers, body: JSON.stringify(named('json')) }],
			[`${url}/batch`, { headers, body: JSON.stringify(batch()) }],
			[url, { headers, body: form('multipart') }],
			[url, { headers, body: new URLSearchParams(named('form')) }],
			[`${url}/batch`, { headers: ndjson, duplex: 'half',
				body: ReadableStream.from(lines()).pipeThrough(new TextEncoderStream()) }],
		]) {
			const answer = await fetch(to, { method: 'POST', ...options });

			if (!answer.ok)
				throw new Error(await answer.text());
		}
	},

	async got() {
		const { got } = await load('got');

		await got.post(url, { headers, json: named('json') });
		await got.post(`${url}/batch`, { headers, json: batch() });
		await got.post(url, { headers, body: form('multipart') });
		await got.post(url, { headers, form: named('form') });
		await got.post(`${url}/batch`, { headers: ndjson, body: lines() });
	},

	async undici() {
		const { FormData: Form, request } = await load('undici');
		const multipart = new Form();

		for (const [field, value] of Object.entries(named('multipart')))
			multipart.append(field, value);
		for (const [to, options] of [
			[url, { body: JSON.stringify(named('json')) }],
			[`${url}/batch`, { body: JSON.stringify(batch()) }],
			[url, { body: multipart }],
			[url, { body: new URLSearchParams(named('form')).toString(), headers: { ...headers,
				'Content-Type': 'application/x-www-form-urlencoded' } }],
			[`${url}/batch`, { headers: ndjson, body: Readable.from(lines()) }],
		]) {
			const { statusCode, body } = await request(to, { method: 'POST', headers,
				...options });

			if (statusCode >= 300)
				throw new Error(await body.text());
			await body.dump();
		}
	},

	async 'got-retry'() {
		const { got } = await load('got');

		await got.post(url, { headers, json: named('json'),
			retry: { limit: 300, methods: ['POST'], backoffLimit: 500 } });
	},

	async 'undici-retry'() {
		const { Agent, interceptors, request } = await load('undici');
		const dispatcher = new Agent().compose(interceptors.retry({ maxRetries: 300,
			maxTimeout: 500, methods: ['POST'] }));
		const { body } = await request(url, { method: 'POST', headers, dispatcher,
			body: JSON.stringify(named('json')) });

		await body.dump();
	},
};

LIBRARIES[library]();

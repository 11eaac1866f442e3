'use strict';
// Sends with Segment's library; prints {"posted": [body, …], "failures": [text, …]}.

const { Analytics } = require('@segment/analytics-node');
const { settings, sendAll, tellStatus } = require('./messages');

async function main() {
	const { url, path, key, count, batch } = settings();
	const analytics = new Analytics({ writeKey: key, host: url, path, flushAt: batch });
	const posted = [];

	analytics.on('http_request', ({ body }) => posted.push(JSON.parse(body)));
	analytics.on('http_response', ({ status }) => tellStatus(status));
	analytics.on('error', () => {}); // told to each message's callback, too
	const { failures, ended } = sendAll(count, (type, message, done) =>
		analytics[type](message, done));
	await analytics.closeAndFlush();
	await ended;
	console.log(JSON.stringify({ posted, failures }));
}

main();

'use strict';
// Sends with Segment's library.

const { Analytics } = require('@segment/analytics-node');
const { settings, sendAll, tell } = require('./messages');

async function main() {
	const { url, path, key, count, batch } = settings();
	const analytics = new Analytics({ writeKey: key, host: url, path, flushAt: batch });

	analytics.on('error', () => {}); // told to each message's callback, too
	const { failures, ended } = sendAll(count, (type, message, done) =>
		analytics[type](message, done));
	await analytics.closeAndFlush();
	await ended;
	tell(failures);
}

main();

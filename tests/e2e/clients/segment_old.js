'use strict';
// Sends with Segment's library of before, analytics-node.

const Analytics = require('analytics-node');
const { settings, sendAll, tell } = require('./messages');

async function main() {
	const { url, path, key, count, batch } = settings();
	const analytics = new Analytics(key, {
		host: url,
		path,
		flushAt: batch,
		retryCount: 10,
		errorHandler: () => {}, // told to each message's callback, too
	});
	const { failures, ended } = sendAll(count, (type, message, done) =>
		analytics[type](message, done));
	await analytics.flush();
	await ended;
	tell(failures);
}

main();

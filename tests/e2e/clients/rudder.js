'use strict';
// Sends with RudderStack's library, which gzips. Every other message that has a time has it as
// events have that an application keeps until it is online: in originalTimestamp.

const Analytics = require('@rudderstack/rudder-sdk-node');
const { settings, sendAll, tell } = require('./messages');

function queued({ timestamp, ...message }) {
	return { ...message, originalTimestamp: timestamp };
}

async function main() {
	const { url, path, key, count, batch, headers } = settings();
	const analytics = new Analytics(key, {
		dataPlaneUrl: url,
		path,
		flushAt: batch,
		logLevel: 'none',
		retryCount: 10,
		errorHandler: () => {}, // told to each message's callback, too
		axiosConfig: { headers },
	});
	let number = 0;
	const { failures, ended } = sendAll(count, (type, message, done) =>
		analytics[type](number++ % 2 ? queued(message) : message, done));
	while (analytics.queue.length > 0)
		await analytics.flush();
	await ended;
	tell(failures);
}

main();

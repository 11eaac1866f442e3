'use strict';
// Sends with RudderStack's library, which gzips; prints {"posted": [body, …], "failures":
// [text, …]}.

const zlib = require('zlib');
const Analytics = require('@rudderstack/rudder-sdk-node');
const { settings, sendAll, tellStatus } = require('./messages');

async function main() {
	const { url, path, key, count, batch, headers } = settings();
	const posted = [];
	const analytics = new Analytics(key, {
		dataPlaneUrl: url,
		path,
		flushAt: batch,
		logLevel: 'none',
		retryCount: 10,
		errorHandler: () => {}, // told to each message's callback, too
		axiosConfig: {
			headers,
			transformRequest: (body) => {
				posted.push(JSON.parse(zlib.gunzipSync(body)));
				return body;
			},
			validateStatus: (status) => {
				tellStatus(status);
				return status >= 200 && status < 300;
			},
		},
	});
	const { failures, ended } = sendAll(count, (type, message, done) =>
		analytics[type](message, done));
	while (analytics.queue.length > 0)
		await analytics.flush();
	await ended;
	console.log(JSON.stringify({ posted, failures }));
}

main();

'use strict';
// Sends with Amplitude's library. It flushes by itself: flush() would not try again.

const amplitude = require('@amplitude/analytics-node');
const { data, moment, settings, tell } = require('./messages');

async function main() {
	const { url, path, key, count, batch } = settings();
	const sent = [];

	await amplitude.init(key, {
		serverUrl: url + path,
		flushQueueSize: batch,
		flushIntervalMillis: 50,
		flushMaxRetries: 30,
		logLevel: amplitude.Types.LogLevel.None,
	}).promise;
	for (let number = 0; number < count; number++) {
		const who = { user_id: `user-${number}`, device_id: `device-${number}` };

		if (number % 4 === 1) {
			const traits = new amplitude.Identify();
			traits.set('plan', 'growth').add('visits', number);
			sent.push(amplitude.identify(traits, who));
		} else {
			const time = moment(number);

			sent.push(amplitude.track({ ...who, event_type: `Event ${number}`,
				...(time && { time: time.getTime() }), event_properties: data(number) }));
		}
	}
	const results = await Promise.all(sent.map(({ promise }) => promise));
	tell(results.filter(({ code }) => code < 200 || code >= 300).map(({ message }) => message));
}

main();

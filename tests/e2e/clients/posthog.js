'use strict';
// Sends with PostHog's library, which gzips and puts /batch/ behind the host it is given.

const { PostHog } = require('posthog-node');
const { data, moment, settings, tell } = require('./messages');

async function main() {
	const { url, path, key, count, batch } = settings();
	const failures = [];
	const posthog = new PostHog(key, {
		host: url + path,
		flushAt: batch,
		maxBatchSize: batch,
		fetchRetryCount: 300,
		fetchRetryDelay: 200,
	});

	posthog.on('error', (error) => failures.push(String(error.message || error)));
	for (let number = 0; number < count; number++) {
		const distinctId = `user-${number}`;

		if (number % 4 === 1)
			posthog.identify({ distinctId, properties: data(number) });
		else if (number % 4 === 3)
			posthog.groupIdentify({ distinctId, groupType: 'company',
				groupKey: `group-${number}`, properties: data(number) });
		else
			posthog.capture({ distinctId, event: `Event ${number}`,
				properties: data(number), timestamp: moment(number) });
	}
	await posthog.shutdown();
	tell(failures);
}

main();

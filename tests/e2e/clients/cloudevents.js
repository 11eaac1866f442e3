'use strict';
// Sends with the library of CloudEvents: by turns in its binary and its structured mode, and at
// last, as it has no way to send them, a batch of events with fetch.

const { CloudEvent, Mode, emitterFor, httpTransport } = require('cloudevents');
const { data, moment, settings, tell } = require('./messages');

function event(number) {
	return new CloudEvent({
		type: 'org.example.order.paid',
		source: '/orders/eu',
		subject: `order-${number}`,
		time: moment(number)?.toISOString(),
		data: data(number),
		tenant: 'blue', // an extension
	});
}

async function main() {
	const { url, path, count, batch } = settings();
	const send = [Mode.BINARY, Mode.STRUCTURED].map((mode) =>
		emitterFor(httpTransport(url + path), { mode }));
	const events = Array.from({ length: count }, (_, number) => event(number));
	const alone = events.slice(0, count - batch);

	for (const [number, each] of alone.entries())
		await send[number % 2](each);
	await fetch(url + path, {
		method: 'POST',
		headers: { 'Content-Type': 'application/cloudevents-batch+json' },
		body: JSON.stringify(events.slice(alone.length)),
	});
	tell([]);
}

main();

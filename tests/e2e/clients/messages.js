'use strict';
// What the libraries are given to send, and the frame in which they do.

const TYPES = ['track', 'identify', 'page', 'group'];
const TEXT = 'Grüße, "quoted" \\ back\u0001\u2028 𝄞 </script>';

function data(number) {
	return {
		number,
		email: `Person-${number}@Example.COM`,
		text: TEXT,
		price: number / 7,
		large: Number.MAX_SAFE_INTEGER,
		nested: { list: [number, null, true, {}, []], '': 'empty name' },
	};
}

// A moment of the past; undefined for every fifth, where it is for the library to add.
function moment(number) {
	return number % 5 === 0 ? undefined : new Date(Date.UTC(2024, 0, 1) + number * 1001);
}

// By turns a track, an identify, a page and a group of Segment's specification: [type, message].
function message(number) {
	const common = { userId: `user-${number}` };

	if (number % 5 !== 0)
		common.timestamp = moment(number);
	switch (TYPES[number % TYPES.length]) {
	case 'track':
		return ['track', { ...common, event: `Event ${number}`, properties: data(number) }];
	case 'identify':
		return ['identify', { ...common, traits: data(number) }];
	case 'page':
		return ['page', { ...common, name: `Page ${number}`, properties: data(number) }];
	default:
		return ['group', { ...common, groupId: `group-${number}`, traits: data(number) }];
	}
}

function settings() {
	return JSON.parse(require('fs').readFileSync(0, 'utf8'));
}

// Calls send(type, message, done) for every message; done is the library's callback.
function sendAll(count, send) {
	const failures = [];
	const ends = [];

	for (let number = 0; number < count; number++) {
		const [type, content] = message(number);
		ends.push(new Promise((resolve) => {
			send(type, content, (error) => {
				if (error)
					failures.push(String(error.reason || error.message || error));
				resolve();
			});
		}));
	}
	return { failures, ended: Promise.all(ends) };
}

// What a script prints: why the library gave messages up, an entry for each.
function tell(failures) {
	console.log(JSON.stringify(failures));
}

module.exports = { data, moment, settings, sendAll, tell };

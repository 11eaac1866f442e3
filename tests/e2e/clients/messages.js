'use strict';
// What both libraries are given to send: by turns a track, an identify, a page and a group.

const TYPES = ['track', 'identify', 'page', 'group'];
const TEXT = 'Grüße, "quoted" \\ back\u0001\u2028 𝄞 </script>';

function message(number) {
	const data = {
		number,
		email: `Person-${number}@Example.COM`,
		text: TEXT,
		price: number / 7,
		large: Number.MAX_SAFE_INTEGER,
		nested: { list: [number, null, true, {}, []], '': 'empty name' },
	};
	const common = { userId: `user-${number}` };

	if (number % 5 !== 0) // else it is for the library to add
		common.timestamp = new Date(Date.UTC(2024, 0, 1) + number * 1001);

	switch (TYPES[number % TYPES.length]) {
	case 'track':
		return ['track', { ...common, event: `Event ${number}`, properties: data }];
	case 'identify':
		return ['identify', { ...common, traits: data }];
	case 'page':
		return ['page', { ...common, name: `Page ${number}`, properties: data }];
	default:
		return ['group', { ...common, groupId: `group-${number}`, traits: data }];
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

// Told at once, so that the test can act while the library goes on.
function tellStatus(status) {
	process.stderr.write(`${status}\n`);
}

module.exports = { settings, sendAll, tellStatus };

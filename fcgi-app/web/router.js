// router.js - which view the address shows: "#/staging?organization=2&window=7d". No server knows
// what follows "#", and nothing secret ever stands there.

export function read() {
	const [, view = '', query = ''] = /^#\/([a-z-]*)(?:\?(.*))?$/.exec(location.hash) ?? [];
	return { view, parameters: new URLSearchParams(query) };
}

// Empty values are left out.
export function address(view, parameters = {}) {
	const query = new URLSearchParams();
	for (const [name, value] of Object.entries(parameters))
		if (value !== null && value !== undefined && value !== '')
			query.set(name, value);
	return `#/${view}${query.size ? `?${query}` : ''}`;
}

// The address follows what the reader has chosen within a view; "back" leaves the view.
export function replace(view, parameters) {
	history.replaceState(null, '', address(view, parameters));
}

export function onChange(show) {
	addEventListener('hashchange', () => {
		if (/^(#\/|#?$)/.test(location.hash))
			show();
	});
}

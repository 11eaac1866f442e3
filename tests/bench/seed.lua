-- wrk script: posts the seed signal, and prints what was measured as one line of JSON.

wrk.method = "POST"
wrk.path = os.getenv("BENCH_PATH")
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"email": "lead@example.com", "event": "form_submission", "properties": ' ..
	'{"form_name": "Contact Form", "page_url": "https://yoursite.com/contact"}}'

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format(
		'RESULT {"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,' ..
		'"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f}\n',
		summary.requests, summary.duration / 1e6, errors.status,
		errors.connect + errors.read + errors.write + errors.timeout,
		latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end

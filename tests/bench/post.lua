-- wrk script: posts a body to one or many paths by turns, and prints what was measured as one line
-- of JSON.
--
-- BENCH_TARGETS is a file with "path secret" a line ("-": no secret), BENCH_BODY a file with the body
-- and BENCH_TYPE its media type. With BENCH_MEMBER each body, an object then, gets a member of that name
-- with a value of its own.

local member = os.getenv("BENCH_MEMBER")
local targets = {}
local prepared = {}
local number = 0
local run

for line in io.lines(os.getenv("BENCH_TARGETS")) do
	local path, secret = line:match("^(%S+) (%S+)$")
	targets[#targets + 1] = {
		path = path,
		headers = {
			["Content-Type"] = os.getenv("BENCH_TYPE"),
			["X-Api-Secret"] = secret ~= "-" and secret or nil,
		},
	}
end

local file = io.open(os.getenv("BENCH_BODY"), "rb")
local body = file:read("*a")
file:close()

-- One target and one body: wrk's own way, which asks nobody for a request.
wrk.method = "POST"
wrk.path = targets[1].path
wrk.headers = targets[1].headers
wrk.body = body

-- Ids in no order, as the UUIDs that libraries send.
local function with_member()
	return string.format('{"%s":"%08x-%s-%d",%s', member, math.random(0, 0x7fffffff), run, number,
		body:sub(2))
end

if member then
	function request()
		number = number + 1
		local target = targets[number % #targets + 1]
		return wrk.format("POST", target.path, target.headers, with_member())
	end
elseif #targets > 1 then
	function request()
		number = number + 1
		return prepared[number % #prepared + 1]
	end
end

function init()
	math.randomseed(os.time())
	run = string.format("%08x%08x", math.random(0, 0x7fffffff), math.random(0, 0x7fffffff))
	for at, target in ipairs(targets) do
		prepared[at] = wrk.format("POST", target.path, target.headers, body)
	end
end

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format(
		'RESULT {"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,' ..
		'"mean_ms":%.4f,"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f}\n',
		summary.requests, summary.duration / 1e6, errors.status,
		errors.connect + errors.read + errors.write + errors.timeout, latency.mean / 1000,
		latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end

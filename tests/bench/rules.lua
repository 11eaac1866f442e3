-- wrk script: signals that differ in one member, which is their id or is not, with one key or many; or
-- product-org updates, each of its own product org or all of one.
--
-- BENCH_MEMBER is the member's name, for product orgs "id", or "hot" when all are of one; BENCH_KEYS a file with a path a line. Prints what was measured as
-- one line of JSON.

local member = os.getenv("BENCH_MEMBER")
local signal = '{"email":"lead@example.com","event":"form_submission","%s":"%08x-%s-%d",' ..
	'"properties":{"form_name":"Contact Form","page_url":"https://yoursite.com/contact"}}'
local update = '{"%s":"%08x-%s-%d","name":"Example Ltd","plan":"ent","plan_name":"Enterprise","users":42,' ..
	'"mrr":129900,"trial":"none","at":"2026-11-14T10:00:00Z","flags":{"beta":true},"industry":"Logistics"}'
local paths = {}
local number = 0
local run

for line in io.lines(os.getenv("BENCH_KEYS")) do
	paths[#paths + 1] = line
end

function init()
	math.randomseed(os.time())
	run = string.format("%08x%08x", math.random(0, 0x7fffffff), math.random(0, 0x7fffffff))
end

-- Ids in no order, as the UUIDs that libraries send.
function request()
	number = number + 1
	local format = (member == "id" or member == "hot") and update or signal
	local body = string.format(format, member, math.random(0, 0x7fffffff), run, number)
	if member == "hot" then
		body = '{"id":"acct-1",' .. body:sub(2)
	end
	return wrk.format("POST", paths[number % #paths + 1], {["Content-Type"] = "application/json"},
		body)
end

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format('RESULT {"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d}\n',
		summary.requests, summary.duration / 1e6, errors.status,
		errors.connect + errors.read + errors.write + errors.timeout))
end

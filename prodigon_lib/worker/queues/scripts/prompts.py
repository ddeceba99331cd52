"""Scripts for workers."""

CLAIM = """
local limit, lease, worker, seconds = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
if limit == 0 then return {} end
promote()
local entries = {}
local again = redis.call('ZRANGE', front, 0, limit - 1)
if #again > 0 then
    take_out(front, again)
    local ids = {}
    for i, number in ipairs(again) do ids[i] = entry(number) end
    in_parts(ids, function(...)
        for _, found in ipairs(redis.call('XCLAIM', stream, group, worker, 0, ...)) do
            entries[#entries + 1] = found
        end
    end)
end
if #again < limit then
    local function read()
        local room = limit - #again
        return redis.pcall('XREADGROUP', 'GROUP', group, worker, 'COUNT', room, 'STREAMS', stream, '>')
    end
    local got = read()
    if got and got.err and string.find(got.err, 'NOGROUP', 1, true) then
        redis.call('XGROUP', 'CREATE', stream, group, 0, 'MKSTREAM')
        got = read()
    end
    if got and got.err then return got end
    for _, found in ipairs(got and got[1][2] or {}) do entries[#entries + 1] = found end
end
local claims, heads = {}, {}
local ends = digits(now() + seconds * 1000000)
for _, found in ipairs(entries) do
    local number = string.match(found[1], '^%d+')
    local job, position = found[2][2], found[2][4]
    local _, attempts = state(job, position)
    if not attempts then -- somebody deleted its job by hand: an error here would stop the queue for ever
        leave({found[1]})
    else
        if not heads[job] then
            heads[job] = redis.call('HMGET', job_key(job), 'model', 'max_tokens', 'request_id', 'traceparent')
            turn(job, 'running')
        end
        attempts = attempts + 1
        note(job, position, 'running', attempts, number, lease)
        redis.call('ZADD', leases, ends, job .. ' ' .. position)
        local text = redis.call('LINDEX', job_key(job) .. ':prompts', position)
        claims[#claims + 1] = {job, tonumber(position), attempts, text, unpack(heads[job], 1, 4)}
    end
end
return claims
"""

EXTEND = """
local held, members, ends = {}, {}, digits(now() + ARGV[1] * 1000000)
for at = 2, #ARGV, 3 do
    local _, _, _, lease = state(ARGV[at], ARGV[at + 1])
    if lease == ARGV[at + 2] then
        held[#held + 1] = (at - 2) / 3
        members[#members + 1] = ARGV[at] .. ' ' .. ARGV[at + 1]
    end
end
take_out(leases, members)
for _, member in ipairs(members) do redis.call('ZADD', leases, ends, member) end
return held
"""

SETTLE = """
local verb = ARGV[1]
local kept, held, members, gone = {}, {}, {}, {}
for at = 2, #ARGV, 5 do
    local job, position, lease, first, second = unpack(ARGV, at, at + 4)
    local member = job .. ' ' .. position
    local status, attempts, number, holder = state(job, position)
    -- Once, and only under the lease that computed it: it is there while the prompt runs, and no longer.
    if status == 'running' and holder == lease and not held[member] then
        held[member] = true
        kept[#kept + 1] = {(at - 2) / 5, job, position, attempts, number, first, second}
        members[#members + 1] = member
        if verb ~= 'release' then gone[#gone + 1] = entry(number) end
    end
end
take_out(leases, members)
leave(gone)
local ended, failed, numbers_kept = {}, {}, {}
for i, one in ipairs(kept) do
    local index, job, position, attempts, number, first, second = unpack(one)
    numbers_kept[i] = index
    if verb == 'release' then
        give_back(job, position, attempts - 1, number)
    elseif verb == 'retry' then
        redis.call('ZADD', delayed, digits(now() + first * 1000000), job .. ' ' .. position)
        note(job, position, 'pending', attempts)
    else
        ended[job] = (ended[job] or 0) + 1
        if verb == 'fail' then
            failed[job] = (failed[job] or 0) + 1
            fail(job, position, attempts, first, second)
        else
            redis.call('HSET', job_key(job), 'r' .. position, first)
            note(job, position, 'completed', attempts)
        end
    end
end
if #kept > 0 and (verb == 'release' or verb == 'retry') then wake() end
return {numbers_kept, count_down(ended, failed)}
"""

REAP = """
local most, limit, code, message = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local expired = redis.call('ZRANGEBYSCORE', leases, '-inf', '(' .. digits(now()), 'LIMIT', 0, limit)
take_out(leases, expired)
local released, lost, ended, gone = 0, 0, {}, {}
-- Somebody deleted the job by hand: only its entries can tell which they are.
local function sweep(job)
    for _, found in ipairs(redis.call('XRANGE', stream, '-', '+')) do
        if found[2][2] == job then gone[#gone + 1] = found[1] end
    end
end
for _, member in ipairs(expired) do
    local job, position = parts(member)
    local _, attempts, number = state(job, position)
    if not attempts then
        sweep(job)
    elseif tonumber(attempts) < most then
        released = released + 1
        give_back(job, position, attempts, number)
    else
        lost = lost + 1
        gone[#gone + 1] = entry(number)
        ended[job] = (ended[job] or 0) + 1
        fail(job, position, attempts, code, message)
    end
end
leave(gone)
if released > 0 then wake() end
return {released, lost, count_down(ended, ended)}
"""

CLAIMED_UNDER = """
local tokens, claims = {}, {}
for _, token in ipairs(ARGV) do tokens[token] = true end
for _, member in ipairs(redis.call('ZRANGE', leases, 0, -1)) do
    local job, position = parts(member)
    local _, attempts, _, lease = state(job, position)
    if tokens[lease] then claims[#claims + 1] = {job, tonumber(position), lease, tonumber(attempts)} end
end
return claims
"""

FORGET_WORKERS = """
-- A worker's name is its process's: those that ended would stay for ever. One that has entries is kept, as
-- they would go with it.
if redis.call('EXISTS', stream) == 0 then return 0 end
local names = {}
for _, said in ipairs(redis.pcall('XINFO', 'CONSUMERS', stream, group)) do
    local facts = {}
    for at = 1, #said, 2 do facts[said[at]] = said[at + 1] end
    if facts.pending == 0 and facts.idle > ARGV[1] * 1000 then names[#names + 1] = facts.name end
end
for _, name in ipairs(names) do redis.call('XGROUP', 'DELCONSUMER', stream, group, name) end
return #names
"""

DEPTH = """
-- Counted, and not walked: what is in the stream either runs or is ready.
local time, running = now(), redis.call('ZCARD', leases)
local due = redis.call('ZCOUNT', delayed, '-inf', digits(time))
local ready = redis.call('XLEN', stream) - running
local oldest = time
local function since(number) if number then oldest = math.min(oldest, tonumber(number)) end end
if ready > 0 then
    since(redis.call('ZRANGE', front, 0, 0)[1])
    local last = '0-0'
    local said = redis.pcall('XINFO', 'GROUPS', stream)
    for at = 1, #(said[1] or {}), 2 do
        if said[1][at] == 'last-delivered-id' then last = said[1][at + 1] end
    end
    local first = redis.call('XRANGE', stream, '(' .. last, '+', 'COUNT', 1)[1]
    since(first and string.match(first[1], '^%d+'))
end
if due > 0 then since(redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]) end
return {ready + due, redis.call('ZCARD', delayed) - due, running, digits(time - oldest)}
"""

NEXT_DUE = """
-- Microseconds until something can be claimed: 0 when it can be now, nothing when no time will bring it.
if redis.call('XLEN', stream) > redis.call('ZCARD', leases) then return 0 end
local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
if not first[2] then return false end
return math.max(0, first[2] - now())
"""

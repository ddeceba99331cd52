"""What the scripts share; it comes before each of them."""

COMMON = """
local prefix = KEYS[1]
local stream, group = prefix .. ':prompts', 'workers'
local front, delayed, leases = prefix .. ':front', prefix .. ':delayed', prefix .. ':leases'
local finished, clock = prefix .. ':finished', prefix .. ':clock'

local function job_key(job) return prefix .. ':job:' .. job end
local function jobs_of(user, status) return prefix .. ':user:' .. user .. ':jobs' .. (status or '') end
local function keys_of(user) return prefix .. ':user:' .. user .. ':keys' end

-- Microseconds, by Redis' own clock: those of the workers' machines may differ.
local function now()
    local time = redis.call('TIME')
    return time[1] * 1000000 + time[2]
end

local function digits(number) return string.format('%.0f', number) end
local function entry(number) return number .. '-0' end

-- The first of so many new numbers. A number is the moment it was given, made greater than all before it: it
-- orders prompts and jobs, and tells since when they are there.
local function numbers(count)
    local first = math.max(now(), (tonumber(redis.call('GET', clock)) or 0) + 1)
    redis.call('SET', clock, digits(first + count - 1))
    return first
end

-- A call takes so many arguments at most, and an error among a script's writes would leave half of them.
local function in_parts(items, call)
    for at = 1, #items, 1000 do call(unpack(items, at, math.min(at + 999, #items))) end
end

local function leave(entries)
    in_parts(entries, function(...)
        redis.call('XACK', stream, group, ...)
        redis.call('XDEL', stream, ...)
    end)
end

local function take_out(set, members)
    in_parts(members, function(...) redis.call('ZREM', set, ...) end)
end

-- Its status, claims so far, number and lease. One that nobody claimed yet has none written: its number is
-- its job's first, and its position more.
local function state(job, position)
    local said = redis.call('HGET', job_key(job), 's' .. position)
    if said then return string.match(said, '^(%S+) (%S+) (%S+) (%S+)$') end
    local created = redis.call('HGET', job_key(job), 'created')
    if created then return 'pending', '0', digits(created + position), '-' end
end

local function note(job, position, status, attempts, number, lease)
    local said = table.concat({status, attempts, number or '-', lease or '-'}, ' ')
    redis.call('HSET', job_key(job), 's' .. position, said)
end

local function parts(member) return string.match(member, '^(%S+) (%S+)$') end

local function wake() redis.call('PUBLISH', prefix .. ':work', '1') end

local function enter(job, position, attempts, number)
    redis.call('XADD', stream, entry(number), 'job', job, 'position', position)
    note(job, position, 'pending', attempts, number)
end

-- What is due takes its place before anything that comes later does.
local function promote()
    local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', digits(now()), 'LIMIT', 0, 1000)
    if #due == 0 then return end
    take_out(delayed, due)
    local first = numbers(#due)
    for i, member in ipairs(due) do
        local job, position = parts(member)
        local _, attempts = state(job, position)
        if attempts then enter(job, position, attempts, digits(first + i - 1)) end
    end
end

local function turn(job, status)
    local old, user, created = unpack(redis.call('HMGET', job_key(job), 'status', 'user', 'created'))
    if old == status then return end
    redis.call('HSET', job_key(job), 'status', status)
    redis.call('ZREM', jobs_of(user, ':' .. old), job)
    redis.call('ZADD', jobs_of(user, ':' .. status), created, job)
end

local function finish(job, status)
    local at = digits(numbers(1))
    turn(job, status)
    redis.call('HSET', job_key(job), 'completed', at)
    redis.call('ZADD', finished, at, job)
    -- Memory is what a queue in Redis is short of, and only what failed may run again.
    if status ~= 'failed' then redis.call('DEL', job_key(job) .. ':prompts') end
end

-- Count prompts that ended; the statuses of those jobs whose last one that was.
local function count_down(ended, failed)
    local over = {}
    for job, count in pairs(ended) do
        local failures = redis.call('HINCRBY', job_key(job), 'failed', failed[job] or 0)
        if redis.call('HINCRBY', job_key(job), 'remaining', -count) == 0 then
            local status = failures > 0 and 'failed' or 'completed'
            finish(job, status)
            over[#over + 1] = {job, status}
        end
    end
    return over
end

-- To the front: the entry stays with the group, where the worker that had it is its consumer until the next.
local function give_back(job, position, attempts, number)
    redis.call('ZADD', front, number, number)
    note(job, position, 'pending', attempts, number)
end

local function fail(job, position, attempts, code, message)
    redis.call('HSET', job_key(job), 'c' .. position, code, 'm' .. position, message)
    note(job, position, 'failed', attempts)
end
"""

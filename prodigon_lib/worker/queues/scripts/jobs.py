"""Scripts for those who want work done, and for what is kept of it."""

ENQUEUE = """
-- All keys are looked at before anything is written: one conflict, and nothing was enqueued.
local new, known, at, prompts = {}, {}, 1, 0
local answers = {}
while at <= #ARGV do
    local job = {}
    job.id, job.user, job.key, job.hash, job.total = unpack(ARGV, at, at + 4)
    job.at = at
    at = at + 9 + job.total
    local owned = job.user .. ' ' .. job.key
    local earlier = known[owned]
    if job.key ~= '' and not earlier then
        local id = redis.call('HGET', keys_of(job.user), job.key)
        earlier = id and {id = id, hash = redis.call('HGET', job_key(id), 'hash')}
    end
    if earlier and earlier.hash ~= job.hash then return false end
    if earlier then
        answers[#answers + 1] = {earlier.id}
    else
        if job.key ~= '' then known[owned] = job end
        new[#new + 1], prompts = job, prompts + job.total
        answers[#answers + 1] = job
    end
end
if #new == 0 then return answers end
numbers(0) -- a write that a full Redis refuses, before those that it would not
promote()
local number = numbers(prompts)
for _, job in ipairs(new) do
    local created, key = digits(number), job_key(job.id)
    local fields = {'user', job.user, 'status', 'pending', 'created', created, 'total', job.total,
                    'remaining', job.total, 'failed', 0, 'max_tokens', ARGV[job.at + 5]}
    local given = {key = job.key, hash = job.hash, model = ARGV[job.at + 6],
                   request_id = ARGV[job.at + 7], traceparent = ARGV[job.at + 8]}
    for name, value in pairs(given) do
        if value ~= '' then fields[#fields + 1], fields[#fields + 2] = name, value end
    end
    redis.call('HSET', key, unpack(fields))
    for position = 0, job.total - 1 do
        redis.call('RPUSH', key .. ':prompts', ARGV[job.at + 9 + position])
        redis.call('XADD', stream, entry(digits(number + position)), 'job', job.id, 'position', position)
    end
    redis.call('ZADD', jobs_of(job.user), created, job.id)
    redis.call('ZADD', jobs_of(job.user, ':pending'), created, job.id)
    if job.key ~= '' then redis.call('HSET', keys_of(job.user), job.key, job.id) end
    job[1], job[2], number = job.id, created, number + job.total
end
wake()
return answers
"""

CANCEL = """
local job, user = ARGV[1], ARGV[2]
local owner, status, total = unpack(redis.call('HMGET', job_key(job), 'user', 'status', 'total'))
if owner ~= user then return false end
if status ~= 'pending' and status ~= 'running' then return status end
local members, entries, fronts, stopped = {}, {}, {}, {}
for position = 0, total - 1 do
    local now_is, attempts, number = state(job, position)
    if now_is == 'pending' or now_is == 'running' then
        members[#members + 1] = job .. ' ' .. position
        stopped[#stopped + 1] = {position, attempts}
        if number ~= '-' then
            entries[#entries + 1], fronts[#fronts + 1] = entry(number), number
        end
    end
end
leave(entries)
take_out(leases, members)
take_out(delayed, members)
take_out(front, fronts)
-- Without its lease, a result that still comes is refused.
for _, one in ipairs(stopped) do note(job, one[1], 'cancelled', one[2]) end
redis.call('HSET', job_key(job), 'remaining', 0)
finish(job, 'cancelled')
redis.call('PUBLISH', prefix .. ':cancelled', job)
return status
"""

RETRY_FAILED = """
local job, user = ARGV[1], ARGV[2]
local facts = redis.call('HMGET', job_key(job), 'user', 'status', 'total', 'failed', 'remaining')
local owner, status, total, failed, remaining = unpack(facts)
if owner ~= user then return false end
failed = tonumber(failed)
if failed == 0 or status == 'cancelled' then return {status, 0} end
local number = numbers(failed)
for position = 0, total - 1 do
    if state(job, position) == 'failed' then
        redis.call('HDEL', job_key(job), 'c' .. position, 'm' .. position)
        enter(job, position, 0, digits(number))
        number = number + 1
    end
end
redis.call('HSET', job_key(job), 'remaining', remaining + failed, 'failed', 0)
redis.call('HDEL', job_key(job), 'completed')
redis.call('ZREM', finished, job)
if tonumber(remaining) == 0 then turn(job, 'pending') end
wake()
return {status, failed}
"""

PRUNE = """
-- Only what has finished is among these.
local before = digits(now() - ARGV[1] * 1000000)
local old = redis.call('ZRANGEBYSCORE', finished, '-inf', before, 'LIMIT', 0, ARGV[2])
for _, job in ipairs(old) do
    local user, status, key = unpack(redis.call('HMGET', job_key(job), 'user', 'status', 'key'))
    redis.call('DEL', job_key(job), job_key(job) .. ':prompts')
    redis.call('ZREM', finished, job)
    redis.call('ZREM', jobs_of(user), job)
    redis.call('ZREM', jobs_of(user, ':' .. status), job)
    if key then redis.call('HDEL', keys_of(user), key) end
end
return #old
"""

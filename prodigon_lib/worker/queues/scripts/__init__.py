"""The Redis queue's Lua, all of it: each verb is one script, and Redis runs one script at a time.

What begins with a queue's prefix:

    prompts     a stream: an entry for each prompt that is ready or runs, in the order in which they got ready
    front       numbers of entries that were claimed and given back: claimed again before any other
    delayed     "job position" of prompts that a retry put off, by the moment that they are due
    leases      "job position" of prompts that run, by the moment that their lease ends
    job:ID      the job, and of each prompt its state `s`, result `r`, error's code `c` and message `m`
    job:ID:prompts                          their texts
    user:ID:jobs[:STATUS], user:ID:keys     a user's jobs by age, and by idempotency key
    finished, clock                         jobs by when they ended; the last number given

The consumer group `workers` hands out each entry once, and knows which worker has it. It does not know for
how long: how idle an entry is says nothing of a lease that its claim set and its heartbeats moved. So leases
are a set of their own, and their tokens stand in the prompts' states.

A full Redis refuses a script whose first write would add something. So what ends a prompt, or keeps its
lease, takes something away first: what was accepted goes on, and only new work is refused. Once a script has
written, nothing stops it half way.

Keys are made from what the scripts find, so all of them must be on one server: a cluster is not supported.
"""

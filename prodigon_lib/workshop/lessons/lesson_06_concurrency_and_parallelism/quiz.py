"""Six questions on waiting, computing, limits and races."""

from prodigon_lib.workshop.quizzes import Question, right, wrong

QUESTIONS = (
    Question(
        "threads",
        "A function compares texts in plain Python. It gets two threads on two processors. How much faster?",
        right("Hardly at all", "Whoever computes holds the interpreter's lock, and the other waits for it."),
        wrong("Twice as fast", "That is what two processes may give, or a build without the lock."),
        wrong(
            "It depends on asyncio",
            "asyncio schedules what awaits. This computes, and never gives the loop back.",
        ),
    ),
    Question(
        "loop",
        "The loop-lag metric of a service rises to half a second, now and then. What does that say?",
        right(
            "Something ran on the loop for half a second",
            "And every request of the process waited so long; the log line says where it stood.",
        ),
        wrong("The model answers slowly", "Waiting for it with await leaves the loop free, and the lag low."),
        wrong("There are too many requests in flight", "Many that wait are no lag; one that computes is."),
    ),
    Question(
        "little",
        "A gateway answers 50 requests a second, each in 0.4 seconds. How many are under way on average?",
        right("20", "Rate times latency: Little's law, whatever the arrivals look like."),
        wrong("50", "That would be so if each took a whole second."),
        wrong("125", "It is rate times latency, not rate over latency."),
    ),
    Question(
        "gather",
        "One of the coroutines in asyncio.gather raises. What about the others?",
        right(
            "They run on, and nobody waits for them",
            "gather raises at once. A TaskGroup cancels them and waits for their end.",
        ),
        wrong("They are cancelled", "A TaskGroup does that; gather only when it is cancelled itself."),
        wrong("They are awaited first", "gather raises the first error as soon as it is there."),
    ),
    Question(
        "limit",
        "A worker meets a rate limit, and somebody doubles its concurrency. What changes?",
        right(
            "More calls are refused, and no more get through",
            "The limit sets the rate. Refusals use up attempts, until prompts fail for good.",
        ),
        wrong("It gets nearly twice as much done", "It would, if anything but the limit had held it up."),
        wrong("Nothing at all", "The rate stays, but refused calls are work, and each costs an attempt."),
    ),
    Question(
        "race",
        "At read committed, two transactions each read a number and write it back plus one. What may happen?",
        right(
            "One increment is lost",
            "Both read the same number. SET n = n + 1 in one statement, or FOR UPDATE, prevents it.",
        ),
        wrong("The second fails", "At repeatable read it would. At read committed it overwrites in silence."),
        wrong("Nothing: a transaction is isolated", "Isolated to a degree, and the default one allows this."),
    ),
)

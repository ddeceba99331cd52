"""Eight questions."""

from prodigon_lib.workshop.quizzes import Question, right, wrong

QUESTIONS = (
    Question(
        "who_waits",
        "A report over ten thousand documents is wanted by tomorrow morning. How do you run it?",
        right(
            "As jobs in a queue",
            "Nobody waits for one answer, so it can wait, be tried again, and leave room for people.",
        ),
        wrong("As streams", "A stream is for somebody who reads along; here nobody does."),
        wrong(
            "As real-time calls, all at once",
            "They would hold ten thousand connections open and push the people out of the model.",
        ),
    ),
    Question(
        "streaming_faster",
        "What does streaming make faster?",
        right("The first words", "The same tokens come at the same pace; they are only no longer held back."),
        wrong("The last words", "The whole answer takes as long as before."),
        wrong("The model", "It does the same work, and serves no more requests than before."),
    ),
    Question(
        "little",
        "20 requests a second come, and each stays 3 seconds. How many are inside?",
        right("60", "Little's law: L = λ · W, whatever the distributions, as long as the system is stable."),
        wrong("7", "That is the rate divided by the time; the law multiplies them."),
        wrong("It depends on how irregularly they come", "The law needs no distribution, only averages."),
    ),
    Question(
        "window",
        "A micro-batcher's model is busy nearly all the time. What does a longer window bring?",
        right(
            "Little: batches fill while the model is busy",
            "What came during a call is a batch when it ends. The window matters with little to do.",
        ),
        wrong("Much more throughput", "The batches are full without it."),
        wrong("Lower latency", "A window can only add to it."),
    ),
    Question(
        "bound",
        "A queue gets half as much again as can be done, for hours. What does an unbounded one give?",
        right(
            "Soon, only answers that nobody waits for any more",
            "Everybody waits behind all who came before; the model works as hard as ever, and in vain.",
        ),
        wrong("All answers, a little later", "Later without end: the queue grows as long as too much comes."),
        wrong("An error for everyone", "That would be kinder. It accepts everything, and says nothing."),
    ),
    Question(
        "retry_after",
        "Why does a 429 carry Retry-After?",
        right(
            "So that the client comes again when there is room",
            "Without it, clients guess, mostly too early, and their repeated calls are a load of their own.",
        ),
        wrong("Because the status is not valid without", "It is optional, which is why many forget it."),
        wrong("So that the server remembers the client", "The server keeps nothing; it only says a time."),
    ),
    Question(
        "exactly_once",
        "A worker is killed between a job's effect and the note of it. What keeps the effect single?",
        right(
            "One transaction for both, or an effect that knows its repetition",
            "Delivery is at least once, whatever you do; only the effect can be made to happen once.",
        ),
        wrong("A longer lease", "The worker is dead; a longer lease only delays the repetition."),
        wrong("Noting it as done first", "Then the same crash loses the effect in place of doubling it."),
    ),
    Question(
        "omission",
        "A load test of one client that waits for each answer reports a fine p99. What may it have missed?",
        right(
            "The requests that it did not send while it waited",
            "In each stall it sends nothing, so a stall of any length is one slow sample among thousands.",
        ),
        wrong(
            "Nothing: every answer was measured",
            "Every answer to what was sent. People would have sent more.",
        ),
        wrong("The connection's set-up", "That is in it; the stall is what counts as one."),
    ),
)

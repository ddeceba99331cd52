"""Eight questions."""

from prodigon_lib.workshop.quizzes import Question, right, wrong

QUESTIONS = (
    Question(
        "slow_one",
        "One of three replicas is five times slower. What does round robin give it?",
        right(
            "A third of the requests, as ever",
            "It counts turns, and sees neither time nor load. So a third of all callers wait long.",
        ),
        wrong("A fifth of the others' share", "It would have to know how long answers take."),
        wrong("Nothing, until it is quicker", "It answers, so nothing takes it out."),
    ),
    Question(
        "p99_stays",
        "You change to least connections. The slow replica's share falls to a tenth. What of the p99?",
        right(
            "It stays nearly as it was",
            "A tenth is still more than a hundredth. To better the p99, take the slow one out, or mend it.",
        ),
        wrong(
            "It falls by as much as the share", "The p99 looks at the slowest hundredth, which are all there."
        ),
        wrong("It rises", "Nobody waits longer than before; only fewer wait long."),
    ),
    Question(
        "sent_post",
        "A replica dies with a POST in hand that makes a booking. What should the balancer do?",
        right(
            "Tell the caller that it failed",
            "The replica may have made the booking. Who can tell is the caller, with an idempotency key.",
        ),
        wrong("Send it to another replica", "Then there may be two bookings."),
        wrong("Wait until the replica is back", "What it had in hand died with it."),
    ),
    Question(
        "address",
        "nginx adds to X-Forwarded-For, and a service limits callers by its first entry. Safe?",
        right(
            "No: the first entry is what the client wrote",
            "Each request can claim another address. Set the header at the edge, or count from the right.",
        ),
        wrong("Yes: nginx checks it", "It adds the peer's address at the end, and believes the rest."),
        wrong("Yes, over TLS", "TLS hides the header on its way; it does not make it true."),
    ),
    Question(
        "layer_four",
        "Why does a balancer of connections pin a gRPC caller to one replica?",
        right(
            "All its calls share one long-lived connection",
            "It had one connection to deal out. Balance calls: in the client, or in an HTTP/2 proxy.",
        ),
        wrong("It hashes the caller's address", "It may take turns; there is only one turn to take."),
        wrong("gRPC forbids balancing", "A client that knows the addresses balances each call."),
    ),
    Question(
        "key",
        "Two users get each other's answers from a cache. What is missing?",
        right(
            "The user, in the key",
            "The key must hold all that changes the answer, and all that decides who may see it.",
        ),
        wrong("A shorter expiry", "Then they get each other's answers for a shorter time."),
        wrong("Single flight", "It decides who computes, not who may read."),
    ),
    Question(
        "stampede",
        "A hot answer expires, and a hundred requests for it come at once. What protects the model?",
        right(
            "One of them computes, the others wait for its result",
            "That is single flight. Expiry with jitter only keeps different answers from expiring together.",
        ),
        wrong("A larger cache", "The answer was not pushed out. It expired."),
        wrong("More replicas", "They do the same work a hundred times, only sooner."),
    ),
    Question(
        "redis_gone",
        "The cache's Redis is away. What should requests do?",
        right(
            "Go to the model, as if nothing were kept",
            "A cache may make answers sooner or cheaper. It must never decide whether there are any.",
        ),
        wrong("Fail with 503 until it is back", "Then the cache has lowered the system's availability."),
        wrong("Wait for it, with a long timeout", "Every request would pay for a store that nobody needs."),
    ),
)

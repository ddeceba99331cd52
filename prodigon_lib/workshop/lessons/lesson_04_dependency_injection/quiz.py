"""Six questions on who is given what, and for how long."""

from prodigon_lib.workshop.quizzes import Question, right, wrong

QUESTIONS = (
    Question(
        "scope",
        "Where does an HTTP client belong that is dear to make and safe to share?",
        right(
            "To the application",
            "Made once, closed at shutdown, and every request finds its connections warm.",
        ),
        wrong("To the request", "Each request would pay for TLS contexts and connections again."),
        wrong(
            "To the module", "It would be made at import, for every test, and in no event loop in particular."
        ),
    ),
    Question(
        "cache",
        "Three dependencies of one request each ask for the current user. How often is the provider called?",
        right("Once", "Within one request FastAPI keeps what a provider gave, and hands it to all who ask."),
        wrong("Three times", "That is what use_cache=False asks for."),
        wrong(
            "Once in the life of the application",
            "The cache ends with the request; the next has another user.",
        ),
    ),
    Question(
        "commit",
        'A dependency commits after its yield, with the default scope "request", and the commit fails.'
        " What has the client been told?",
        right(
            "That it succeeded", 'The answer was sent before. With scope "function" the commit comes first.'
        ),
        wrong("500", "The status was on its way before the commit was tried."),
        wrong("Nothing: the connection is cut", "The whole answer was sent already."),
    ),
    Question(
        "blocking",
        "An async def dependency calls a driver that blocks for 200 ms. Who waits?",
        right(
            "Every request of the process", "There is one loop, and while it is blocked nobody's code runs."
        ),
        wrong(
            "Only this request",
            "That would be so in a thread: with a plain def, as long as threads are free.",
        ),
        wrong(
            "At most 40 requests", "Forty is the size of the thread pool, which an async def does not use."
        ),
    ),
    Question(
        "lifespan",
        "A test overrides the model client's provider, yet the lifespan opens a real client. Why?",
        right(
            "The lifespan asks for nothing by Depends",
            "Overrides replace what dependencies give, nothing else.",
        ),
        wrong("The override was set too late", "However early it is set, the lifespan does not look at it."),
        wrong("Overrides only work within routers", "They work for every dependency of the application."),
    ),
    Question(
        "cancelled",
        "A client leaves, its request's task is cancelled. What does an except of Exception see?",
        right(
            "Nothing",
            "CancelledError is a BaseException, so that nobody swallows it by accident. Use finally.",
        ),
        wrong("CancelledError", "It has not been an Exception since Python 3.8."),
        wrong("ClientDisconnect", "That is raised where a request's body is read, not at the yield."),
    ),
)

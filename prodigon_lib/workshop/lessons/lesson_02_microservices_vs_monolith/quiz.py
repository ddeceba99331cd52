"""Questions on lesson 2."""

from prodigon_lib.workshop.quizzes import Question, right, wrong

QUESTIONS = (
    Question(
        "chain",
        "A page needs five services, each of which answers 99.9 % of its calls. How often is it whole?",
        right(
            "About 99.5 % of the time", "All five must answer, so the shares multiply: 0.999 to the fifth."
        ),
        wrong("99.9 % of the time", "That is one service; the page fails whenever any of the five does."),
        wrong(
            "More often than each alone, as there are five of them",
            "Five replicas of one service would help; five different ones are all needed.",
        ),
    ),
    Question(
        "isolation",
        "Split into processes, what still keeps a hanging worker from taking the gateway down?",
        right(
            "Time limits, a share of the connections for each service, and a breaker",
            "A process stops a crash. A call that hangs holds what is the gateway's own.",
        ),
        wrong("The operating system, as they are processes", "It isolates memory, not waiting."),
        wrong("More workers", "They hang as well when what they share hangs, and the waiting calls remain."),
    ),
    Question(
        "retries",
        "Three services in a row each try three times. The last one is down. What does one request cost it?",
        right(
            "27 calls",
            "Each of three tries makes three of the next service, and each of those three more.",
        ),
        wrong("9 calls", "That counts one try at each of three hops, or three at two of them."),
        wrong("3 calls", "That would be so if only one of the hops tried again, which is a good rule."),
    ),
    Question(
        "fan_out",
        "One call in a hundred is slow. A page makes fifty and waits for all. How many pages are slow?",
        right("About four in ten", "It is fast only when all fifty are: 0.99 to the fiftieth is about 0.6."),
        wrong("One in a hundred", "It waits for its slowest call, and has fifty chances of meeting one."),
        wrong(
            "One in two, since fifty of a hundred are called", "Chances of misses multiply, they do not add."
        ),
    ),
    Question(
        "first",
        "Two people begin a product and do not know its boundaries yet. What would you begin with?",
        right(
            "One process with seams in it: protocols between its parts, and a linter that keeps them",
            "A wrong boundary costs an edit there; between services, two deployments and a migration.",
        ),
        wrong(
            "A service for each noun, as it will have to scale",
            "Boundaries drawn before they are known are wrong, and the network makes them hard to move.",
        ),
        wrong(
            "One process without any inner boundary, to be quick",
            "Quick for a month; what grows together without a seam can't be cut later.",
        ),
    ),
)

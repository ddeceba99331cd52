"""Six questions on where time goes, and how one finds out."""

from prodigon_lib.workshop.quizzes import Question, right, wrong

QUESTIONS = (
    Question(
        "amdahl",
        "A step takes a tenth of a request. You make it ten times as fast. The whole request is then",
        right(
            "About 1.1 times as fast",
            "What remains is nine tenths and a hundredth: all the rest did not move.",
        ),
        wrong("Ten times as fast", "Only if it were all of the request."),
        wrong("Twice as fast", "Not even at no cost at all: nine tenths would still be there."),
    ),
    Question(
        "tracing",
        "cProfile says that a tiny function takes most of the time. It is called a million times. What next?",
        right(
            "Look with a sampler before you believe it",
            "Tracing adds its own cost to each call, and charges it to what is called most.",
        ),
        wrong("Inline it", "Perhaps for a gain that exists only under the tracer."),
        wrong("Rewrite it in C", "Its share without the tracer is not known yet."),
    ),
    Question(
        "waiting",
        "A request takes 300 ms of wall time and 10 ms of processor time. Where do you look?",
        right(
            "At what it waits for",
            "Queries, other services, locks, files: a profile by processor time does not even show them.",
        ),
        wrong("At the function with the most processor time", "All of it together is a thirtieth."),
        wrong("At the garbage collector", "That would be processor time."),
    ),
    Question(
        "flame",
        "In a flame graph one box is wide, and no box stands on it. What does that say?",
        right("The function itself takes that time", "What it called would stand on it."),
        wrong("It is called very often", "Width is time; a graph of samples knows no counts."),
        wrong("It ran first", "Left and right mean nothing."),
    ),
    Question(
        "guard",
        "Which figure do you give a test that runs on shared machines?",
        right(
            "The number of queries of a request",
            "A count is the same on every machine, and fails when the fault comes back.",
        ),
        wrong("The p99 in milliseconds", "It tells about the neighbours as much as about the code."),
        wrong("The best of three times", "Still an absolute time: another machine, another verdict."),
    ),
    Question(
        "order",
        "Four steps of a request are slow. Which do you mend first?",
        right(
            "The one with the greatest measured share", "Its bound, one over one minus its share, is highest."
        ),
        wrong("The one whose code looks worst", "Looks and shares have little to do with each other."),
        wrong("The database, as ever", "Often right, and a guess until it is measured."),
    ),
)

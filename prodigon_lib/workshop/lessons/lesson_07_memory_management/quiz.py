"""Eight questions on what memory is made of, and who keeps it."""

from prodigon_lib.workshop.quizzes import Question, right, wrong

QUESTIONS = (
    Question(
        "added_up",
        "Four workers map one file of a gigabyte. Their resident sizes add up to four. How much is in use?",
        right(
            "One gigabyte, about",
            "The pages are there once; each process that has them counts them. Proportional size divides.",
        ),
        wrong("Four gigabytes", "Resident size counts a shared page again for each process that has it."),
        wrong("None: a mapped file is on disk", "What was looked at is in memory, in the page cache."),
    ),
    Question(
        "fork_objects",
        "Why do forked workers of Python come to hold copies of what was loaded before the fork?",
        right(
            "To use an object is to write its count of references",
            "The count stands in the object itself, so the page is written to, and copied.",
        ),
        wrong("fork copies all memory", "It copies nothing but tables; a page is copied when it is written."),
        wrong("The garbage collector moves objects", "CPython's never moves an object."),
    ),
    Question(
        "first_look",
        "A service's resident size rises for its first thousand requests, then stays. What is it?",
        right(
            "No leak: pools, caches and the heap have found their size",
            "That is why a slope is measured after a warm-up, over many requests.",
        ),
        wrong("A leak that has stopped", "What leaks does not stop by itself."),
        wrong("A leak, and the collector is cleaning up", "It would rise again then."),
    ),
    Question(
        "not_given_back",
        "A burst of large answers is over, all objects are gone, and the resident size stays high. Why?",
        right(
            "The allocator keeps freed memory, or one survivor holds a whole arena",
            "Free memory within a process is used again; it is not always given back to the system.",
        ),
        wrong("The objects are not really gone", "A traced size says that they are; it is the heap's shape."),
        wrong("The kernel was too busy to take it", "It takes at once what is given back."),
    ),
    Question(
        "exception",
        "A list keeps the last thousand exceptions for support. What does it keep alive?",
        right(
            "Every local variable of all frames that they passed through",
            "Exception, traceback, frame, locals: request bodies and answers among them.",
        ),
        wrong("A thousand messages", "That is what keeping str(error) would do."),
        wrong("Nothing: frames end when functions return", "A traceback holds them beyond their end."),
    ),
    Question(
        "generator",
        "A function reads a file of a gigabyte line by line in a generator. What makes it a gigabyte again?",
        right(
            "sorted(), list(), or join() of what it yields",
            "A stream is as lazy as its greediest consumer.",
        ),
        wrong("A second for loop over it", "That one gets nothing: a generator is used up."),
        wrong("Closing it early", "That lets go of everything it held."),
    ),
    Question(
        "ceiling",
        "Why should a worker watch its own size, when the container has a limit already?",
        right(
            "It can choose the moment, and give its work back first",
            "The kernel's killer asks nobody: what runs is cut off, and waits for its lease to end.",
        ),
        wrong("The container's limit is not exact", "It is exact, and merciless."),
        wrong("Then the leak need not be found", "Recycling buys time. The slope says how much."),
    ),
    Question(
        "tracemalloc",
        "Resident size grows, and tracemalloc finds nothing. Where do you look next?",
        right(
            "At memory of C libraries: memray sees it",
            "tracemalloc hears of what goes through Python's allocators, and of nothing else.",
        ),
        wrong("At the resident size, which must be wrong", "It is what the kernel counts, and what kills."),
        wrong("At the garbage collector's thresholds", "Uncollected objects are traced like all others."),
    ),
)

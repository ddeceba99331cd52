"""Two questions."""

from prodigon_lib.workshop.quizzes import Question, right, wrong

QUESTIONS = (
    Question(
        "bound",
        "Why is a fan-out bounded?",
        right(
            "So that what is called is not flooded",
            "Work beyond what it can do only waits there, and costs memory.",
        ),
        wrong("So that the results keep their order", "Order has nothing to do with how many run at once."),
        wrong("Because asyncio allows no more than 100 tasks", "It allows as many as memory holds."),
    ),
    Question(
        "hash",
        "What does looking up by hash cost as the set grows?",
        right("About the same", "The hash says where to look; how many others there are hardly matters."),
        wrong("It doubles with the size", "That is a list: it looks at each of its items."),
    ),
)

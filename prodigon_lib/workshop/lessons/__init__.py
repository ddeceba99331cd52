"""The lessons. Everything about one lesson but its notebook is in one package here, found by name.

    lessons/lesson_03_batch_vs_realtime_vs_streaming/
        __init__.py                      the docstring's first line is the lesson's title
        exercise_1_micro_batcher.py      exercise 3.1, of the file `micro_batcher.py`
        exercise_2_back_pressure.py      exercise 3.2
        quiz.py                          QUESTIONS, a tuple of `workshop.quizzes.Question`

The exercise itself is `exercises/03_batch_vs_realtime_vs_streaming/micro_batcher.py`, generated from the file
at the same path in `solutions/` (see `workshop.gaps`). Wrong answers that its check must catch are kept in
`tests/wrong_answers/03_batch_vs_realtime_vs_streaming/micro_batcher__why.py`, other right ones in
`tests/right_answers/`.

A module of an exercise is this, and nothing else is registered anywhere:

    \"""A micro-batcher.\"""                    # the exercise's title

    from prodigon_lib.workshop.checks import Attempt, CallCounter, Check, Findings

    HINTS = (                                  # three, about 40 words each, the last just short of the answer
        "…",
        "…",
        "…",
    )
    FILE = "balancer.conf"                     # only where the file is not `micro_batcher.py`

    class MicroBatcherCheck(Check):
        seconds = 10                           # its limit; 30 is the default and the most

        async def run(self, attempt: Attempt, findings: Findings) -> None:
            model = CallCounter(answer)
            batcher = attempt.get("MicroBatcher")(model, largest=8)
            prompts = [attempt.token() for _ in range(40)]
            results = await findings.finishes(
                "40 prompts", gather_all(batcher, prompts), within=5, step="…"
            )
            findings.equal("results, in order", results, [answer(p) for p in prompts], step="…")
            findings.at_most("model calls for 40 prompts", model.calls, 7, step="…")

Docstrings, HINTS and FILE are read without importing the module; it is imported only in the process that
checks, so it may import what it likes, and an edit of it needs no kernel restart.
"""

"""Distinct, fast."""

from prodigon_lib.workshop.checks import Attempt, Check, Findings, interleaved_ratio

HINTS = (
    "The slow version asks for each item whether a list has it already, and a list answers by looking at all"
    " of its items. Twice as many items cost four times as much: which structure answers without looking?",
    "A set and a dictionary find an item by its hash, in about the same time however many they hold. A"
    " dictionary keeps the order in which its keys came, and that order is wanted here.",
    "dict.fromkeys makes a dictionary whose keys are the items, each of them once, in the order of their"
    " first appearance. A list of such a dictionary is a list of its keys, and that is the answer.",
)


def slow(items: list[str]) -> list[str]:
    found: list[str] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


class DistinctCheck(Check):
    seconds = 12

    def run(self, attempt: Attempt, findings: Findings) -> None:
        distinct = attempt.get("distinct")
        items = attempt.random.choices([attempt.token() for _ in range(700)], k=1500)
        findings.equal(
            "the distinct items, in order", distinct(list(items)), slow(items), step="Keep the order."
        )
        ratio = interleaved_ratio(lambda: distinct(list(items)), lambda: slow(items))
        findings.faster("1,500 items, beside the slow version", ratio, 4, step="Look items up by their hash.")

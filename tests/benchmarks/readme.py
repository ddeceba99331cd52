"""The block of the README that a run rewrites."""

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"


def with_block(text: str, block: str) -> str:
    """`text` with what stands between the two marks replaced.

    Raises:
        ValueError: the marks are not there, once each and in order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"the page needs one {BEGIN} and, after it, one {END}")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{block.strip()}\n\n{END}{after}"

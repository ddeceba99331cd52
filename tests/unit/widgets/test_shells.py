"""In which of the kernel's shells a message of the page is dealt with."""

from types import SimpleNamespace

from prodigon_lib.widgets.panel import keep_its_shell


def test_the_page_says_it_whatever_our_last_message_came_from() -> None:
    comm = SimpleNamespace(_reply_subshell_for=lambda data, default: None)  # as ipykernel 7.4 has it
    keep_its_shell(comm)
    assert comm._reply_subshell_for({"method": "custom"}, "a subshell") == "a subshell"


def test_an_older_kernel_is_left_as_it_is() -> None:
    comm = SimpleNamespace()
    keep_its_shell(comm)
    assert not vars(comm)

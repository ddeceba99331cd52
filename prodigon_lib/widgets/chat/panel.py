"""The chat panel as a widget."""

from prodigon_lib.widgets.chat.desk import ChatDesk
from prodigon_lib.widgets.panel import Panel


class ChatPanel(Panel):
    """Conversations with the model, kept in Postgres: a kernel's restart or another browser finds them.

        ChatPanel()                         # of the default stack, started if need be
        ChatPanel(stack)
        ChatPanel("http://127.0.0.1:8000")
        ChatPanel(stack, user="ada")        # where accounts are on

    An answer goes on while cells run, and when the page is closed.
    """

    KIND = "chat"
    TITLE = "The chat"
    DESK = ChatDesk

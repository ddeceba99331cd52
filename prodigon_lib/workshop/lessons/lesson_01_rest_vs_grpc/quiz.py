"""The quiz of lesson 1."""

from prodigon_lib.workshop.quizzes import Question, right, wrong

QUESTIONS = (
    Question(
        "per_call",
        "A service calls another one and is slow. Its code makes an HTTP client for each call. What first?",
        right(
            "Make one client at the start and keep it",
            "To build a client and open its connection cost more here than everything else in the call.",
        ),
        wrong(
            "Switch to gRPC",
            "With a channel for each call it would pay for connections too; kept open, both are fast.",
        ),
        wrong("Compress the bodies", "Bytes were not what the time went into; look at the bars again."),
    ),
    Question(
        "size",
        "For which answer does protobuf save the most bytes?",
        right(
            "An embedding of 1,536 numbers", "A number is four bytes there, and about twenty digits in JSON."
        ),
        wrong("A long chat answer", "Text is UTF-8 in both; only the few bytes around it differ."),
        wrong(
            "A stream of short tokens",
            "Each message has a frame of its own, so that little words weigh about as much as in events.",
        ),
    ),
    Question(
        "deadline",
        "A caller gives up after two seconds and closes its connection. Why set a deadline all the same?",
        right(
            "Every hop knows how long its work is still wanted",
            "So it can refuse at once, or ask for less, and it stops by itself when word of the end is lost.",
        ),
        wrong("A deadline makes the model faster", "It only ends what nobody waits for any more."),
        wrong(
            "Without one, gRPC calls never end",
            "They end with their connection. But a connection that silently died may take minutes to notice.",
        ),
    ),
    Question(
        "field_number",
        "A field was removed last year. May its number be given to a new field?",
        right(
            "No, never: reserve it",
            "Some program, queue or log still holds the old bytes, and would read them as the new field.",
        ),
        wrong(
            "Yes, if the type is the same", "Then nothing even fails: the old meaning is read as the new one."
        ),
        wrong(
            "Yes, once all servers are updated",
            "Clients, stored messages and rollbacks are older than the servers.",
        ),
    ),
    Question(
        "pinned",
        "Three replicas, a layer-4 balancer, one caller over gRPC: one replica does all the work. Why?",
        right(
            "The balancer dealt out one connection",
            "All calls share it. Balance calls instead: in the client, or in a proxy that speaks HTTP/2.",
        ),
        wrong("The other two are unhealthy", "They would get new connections; there are no new ones."),
        wrong("Round robin is broken", "It works on connections, and there was only one to deal out."),
    ),
)

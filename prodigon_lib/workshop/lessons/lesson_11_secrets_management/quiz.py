"""Seven questions."""

from prodigon_lib.workshop.quizzes import Question, right, wrong

QUESTIONS = (
    Question(
        "pushed",
        "A key was pushed to a repository a minute ago. What comes first?",
        right(
            "Revoke it",
            "Whoever cloned or crawled the repository has it. The rest hides it from those who come later.",
        ),
        wrong("Rewrite the history and push with force", "Clones, forks and caches keep the old one."),
        wrong("Delete the line and commit", "The commit before still has it, for everybody."),
    ),
    Question(
        "command_line",
        "A service starts a tool with --key and the key after it. Who can read that on Linux?",
        right(
            "Every user of the machine",
            "/proc/PID/cmdline is open to all, and ps prints it. A pipe or a file is read by its owner.",
        ),
        wrong("The same user alone", "That holds for the environment, not for the command line."),
        wrong("Nobody, once the tool has read it", "It stays there for as long as the tool runs."),
    ),
    Question(
        "child",
        "Why is a file better than the environment for a secret?",
        right(
            "Children do not inherit it, and it can change",
            "An environment is copied into every child, and stays as it was when the process began.",
        ),
        wrong("Files are encrypted", "Mostly they are not; what protects them is who may open them."),
        wrong("An environment can be read by every user", "On Linux by its user and root alone."),
    ),
    Question(
        "traceback",
        "An error carries the address that was called, with ?key=… in it. Where does the key end up?",
        right(
            "In the log, the traceback, and perhaps in the answer",
            "An error's text goes wherever errors go. Secrets belong into headers, and not into errors.",
        ),
        wrong("Nowhere: TLS encrypts addresses", "On the wire. Both ends write them down in clear."),
        wrong("In the browser's history alone", "No browser is needed: each hop has an access log."),
    ),
    Question(
        "lease",
        "A key was copied and nobody noticed. What limits the harm?",
        right(
            "A short lease",
            "It ends by itself. All other ends begin with somebody who notices.",
        ),
        wrong(
            "Two keys that are valid at once",
            "That keeps requests from failing. The copy works meanwhile, too.",
        ),
        wrong("A longer key", "It was copied, not guessed."),
    ),
    Question(
        "order",
        "You replace a key while requests run. In which order?",
        right(
            "Make the new one, use it, wait, revoke the old one",
            "At each moment every request holds a key that is valid, also those that began before.",
        ),
        wrong("Revoke the old one, make the new one, use it", "Between the first two nobody has a key."),
        wrong("Make the new one, revoke the old one, use the new", "Whoever works with the old one fails."),
    ),
    Question(
        "envelope",
        "A sealed record is to come under a new key version. What is encrypted anew?",
        right(
            "Its data key, which is a few bytes",
            "The record stays as it is. That is why a rotation of a large store takes minutes and not days.",
        ),
        wrong("The whole record", "That is what the envelope spares."),
        wrong(
            "Nothing: the name of the version is changed",
            "Then the wrapped key could not be opened any more.",
        ),
    ),
)

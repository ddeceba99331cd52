"""Nine questions."""

from prodigon_lib.workshop.quizzes import Question, right, wrong

QUESTIONS = (
    Question(
        "three_gateways",
        "Three gateways each keep a limit of 100 a minute in their own memory. What may a caller send?",
        right(
            "Up to 300 a minute",
            "Each counts what it sees. The balancer spreads a flood, and each third stays below the limit.",
        ),
        wrong(
            "100 a minute", "That takes one count for all: in Redis, in a database, or in one place before."
        ),
        wrong("33 a minute", "Nobody divides the limit among the gateways."),
    ),
    Question(
        "window_edge",
        "A limit counts anew each full minute. What is the most that can come within two seconds?",
        right(
            "Twice the limit",
            "All of one minute in its last second, all of the next in its first. A bucket has no such edge.",
        ),
        wrong("The limit", "Only where both seconds lie in the same minute."),
        wrong("A thirtieth of it", "A window says nothing of the pace within it."),
    ),
    Question(
        "another_id",
        "A caller asks for another's session by its id. Which answer tells least?",
        right(
            "404, as for an id that is nobody's",
            "403 would say that it exists. The query asks for the owner too, so nothing is found.",
        ),
        wrong("403, since they may not see it", "Then whoever guesses ids learns which are in use."),
        wrong("401, since it is not theirs", "They are known; 401 asks who they are."),
    ),
    Question(
        "extra_field",
        "A registration takes a body with `role` in it, and a user becomes operator. What was missing?",
        right(
            "A list of what a caller may set",
            "The body was copied into the row. A schema with only what is theirs drops or refuses the rest.",
        ),
        wrong(
            "A longer password", "The attacker has an account of their own; nobody's password was guessed."
        ),
        wrong("A check of the field's type", "`operator` is a good role, in the wrong hands."),
    ),
    Question(
        "a_request_costs",
        "100 requests a minute are allowed, each up to 8,192 tokens. Is the bill bounded?",
        right(
            "By nearly a million tokens a minute, for each caller",
            "What costs must be counted in what it costs: tokens, reserved before the call.",
        ),
        wrong("Yes, by 100", "A request is not a price. One may cost a thousand times as much as another."),
        wrong("Yes, by the timeout", "It bounds how long one of them takes, not how many there are."),
    ),
    Question(
        "cors",
        "Your API answers only one origin's preflight. Whom does this stop?",
        right(
            "Scripts on other sites, in somebody's browser",
            "The browser keeps the rule, for its user. curl, and any server, never asks.",
        ),
        wrong(
            "Everybody who is not on that site", "Only browsers ask, and only scripts in them are stopped."
        ),
        wrong("Nobody", "A page that a user has open can't read your answers with their rights."),
    ),
    Question(
        "ssrf_look",
        "A service looks a host up, sees a public address, then hands the URL to its HTTP client. Safe?",
        right(
            "No: the client looks it up again",
            "The second answer may be 169.254.169.254. Connect to the address that was looked at.",
        ),
        wrong("Yes: the address was public", "It was, at the first look. The name's owner decides at each."),
        wrong("Yes, over HTTPS", "Of no help where inside speaks HTTP, and a redirect may lead there."),
    ),
    Question(
        "a_prompt",
        "The system prompt says: never reveal the notes below. What does it protect?",
        right(
            "Nothing that must be kept",
            "A prompt asks; it decides nothing. What a user may not see, their model must not read.",
        ),
        wrong("The notes, if it is worded well", "There is always another wording that gets around it."),
        wrong("The notes, at temperature 0", "That makes the leak repeatable."),
    ),
    Question(
        "error_text",
        "An answer's 500 has the text of the database's exception. What is the harm?",
        right(
            "It tells table names, hosts, versions, at times a secret",
            "Give the request's id; whoever may read the log finds the text by it.",
        ),
        wrong("None, it helps the caller", "The caller can mend nothing there. An attacker can use it."),
        wrong("It is slow", "It is as quick as any other text."),
    ),
)

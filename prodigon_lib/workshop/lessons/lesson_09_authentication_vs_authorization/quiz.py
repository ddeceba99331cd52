"""Nine questions."""

from prodigon_lib.workshop.quizzes import Question, right, wrong

QUESTIONS = (
    Question(
        "who_and_may",
        "A request has a valid token, and asks for somebody else's chat. Which of the two has failed?",
        right(
            "Authorization: we know who asks, and they may not",
            "The token proves who it is, and nothing more. What they may see is asked each time anew.",
        ),
        wrong("Authentication: the token should not have been taken", "The token is good: it is theirs."),
        wrong("Neither: a valid token opens what it asks for", "Then one account opens all accounts."),
    ),
    Question(
        "slow_hash",
        "Why is a password hashed with Argon2id, and a refresh token of 256 random bits with SHA-256?",
        right(
            "A password can be guessed, and such a token can't",
            "A slow hash makes each guess dear. Where there is nothing to guess, it only makes us slow.",
        ),
        wrong("Argon2id gives longer hashes", "The length is not what protects: SHA-256's are long enough."),
        wrong("Tokens are secret, passwords are not", "Both are; the difference is who thought of them."),
    ),
    Question(
        "salt",
        "What is the salt of a password hash for?",
        right(
            "One guess can't be tried against all users at once",
            "Each hash must be attacked by itself, and equal passwords do not look equal. It is no secret.",
        ),
        wrong("It makes each guess slower", "That is what memory and passes are for."),
        wrong(
            "It is a second secret", "It stands beside the hash. A secret kept elsewhere is called a pepper."
        ),
    ),
    Question(
        "enumeration",
        "Login says the same for an unknown name and a wrong password. Can names still be found out?",
        right(
            "Yes, by time: nothing is hashed for an unknown name",
            "Hash something for those too. Then look at lockout, registration and lost passwords.",
        ),
        wrong("No: the texts are equal", "A text is one thing to see; time, status and lockout are others."),
        wrong(
            "No: names are no secret",
            "A list of who has an account here is worth money, and half of a login.",
        ),
    ),
    Question(
        "alg",
        "How does a verifier know with which algorithm a token is signed?",
        right(
            "It says so itself, by the key; the header only has to agree",
            "The header is written by who sends it. An algorithm belongs to a key, and a key to us.",
        ),
        wrong(
            "From alg in the header", "Then the attacker chooses: none, or our public key as a shared secret."
        ),
        wrong("It tries all that it knows", "Then one weak algorithm is enough."),
    ),
    Question(
        "audience",
        "Two services trust the same issuer. What does aud protect from?",
        right(
            "One of them using its callers' tokens at the other",
            "A good signature says who issued it. For whom it was issued is said by aud alone.",
        ),
        wrong("Tokens that have expired", "That is exp."),
        wrong("Tokens that were tampered with", "That is the signature."),
    ),
    Question(
        "reuse",
        "A refresh token is used a second time. Who is it?",
        right(
            "Nobody can tell, so the whole login ends",
            "Either the thief or the owner came first. Both lose it, and only the owner can log in again.",
        ),
        wrong("The thief: the owner has the new one", "The thief may have been first, and have the new one."),
        wrong(
            "The owner, over a bad network",
            "It may be; some systems allow seconds for that. A thief uses them too.",
        ),
    ),
    Question(
        "not_found",
        "Why 404 and not 403 for somebody else's chat?",
        right(
            "403 says that it exists",
            "With it, ids can be collected. And a query with the owner in it can't tell the two apart.",
        ),
        wrong("404 is quicker", "Both cost one query."),
        wrong("403 is for those who are not logged in", "That is 401."),
    ),
    Question(
        "new_route",
        "A colleague adds a route and forgets its rule. What should happen?",
        right(
            "It is denied to all, and a test fails that goes through the routes",
            "Forgetting then costs a question and not a leak: the default decides that.",
        ),
        wrong("Whoever is logged in may use it", "For an operator's route that is everybody."),
        wrong(
            "The review will find it",
            "Reviews look at what is there. What is missing has no line to look at.",
        ),
    ),
)

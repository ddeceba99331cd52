"""For a name that nobody has a hash is made and thrown away; who waits is kept as a list of failures."""

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError


class Answer:
    def __init__(self, status, body, **headers):
        self.status, self.body = status, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Logins:
    def __init__(self, accounts, hasher: PasswordHasher, clock):
        self.accounts, self.hasher, self.clock, self.failed_at = accounts, hasher, clock, {}

    def register(self, name, password):
        self.accounts[name] = self.hasher.hash(password)

    def wait(self, name):
        failed_at = self.failed_at.get(name, [])
        if len(failed_at) < 3:
            return 0.0
        return failed_at[-1] + min(900, 2 ** (len(failed_at) - 3)) - self.clock()

    def log_in(self, name, password):
        wait = self.wait(name)
        if wait > 0:
            return Answer(429, "wait", Retry_After=str(int(-(-wait // 1))))
        kept = self.accounts.get(name)
        try:
            if kept is None:
                self.hasher.hash(password)
                raise VerificationError
            self.hasher.verify(kept, password)
        except VerificationError:
            self.failed_at.setdefault(name, []).append(self.clock())
            return Answer(401, f"{name} may not come in like this")
        self.failed_at[name] = []
        if self.hasher.check_needs_rehash(kept):
            self.register(name, password)
        return Answer(200, "come in")

"""Asks the service in this container whether it lives: `python -m services.health 8000`.

An image of Python has no curl. It says nothing of what the service depends on: a container is not mended by
a restart while Postgres is away. A proxy that the environment names is not for this.
"""

import http.client
import sys

PATH = "/health/live"
SECONDS = 3.0


def lives(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", PATH)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if lives(int(sys.argv[1])) else 1)

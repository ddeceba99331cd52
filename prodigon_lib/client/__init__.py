"""Clients of the gateway for Python, sync and async, alike in every method.

    with Client("http://127.0.0.1:8000") as client:
        print(client.generate("Explain microservices in one sentence").text)
        for token in client.stream("And in one more"):
            print(token, end="")
        print(client.submit_job(["One?", "Two?"]).wait(timeout=60).results)

Errors are those of `prodigon_lib.core.errors`, with the `request_id` to look for in the logs.
"""

from prodigon_lib.client.asynchronous import AsyncClient
from prodigon_lib.client.jobs import AsyncJob, Job
from prodigon_lib.client.streams import AsyncTokenStream, TokenStream
from prodigon_lib.client.sync import Client
from prodigon_lib.client.values import Generation

__all__ = ["AsyncClient", "AsyncJob", "AsyncTokenStream", "Client", "Generation", "Job", "TokenStream"]

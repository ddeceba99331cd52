"""Lesson 8's comparison of two queues, on servers of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from redis import Redis

from prodigon_lib.stack.postgres import EmbeddedPostgres
from prodigon_lib.workshop.lessons.lesson_08_load_balancing_and_caching.two_queues import (
    queues_table,
    two_queues,
)
from tests.integration.conftest import run_sql, server_of_its_own
from tests.integration.redis_server import RedisServer, redis_of_its_own


@dataclass(frozen=True)
class Servers:
    """Of a stack what the comparison needs; who is killed comes back."""

    postgres: EmbeddedPostgres
    redis: RedisServer

    @property
    def database_url(self) -> str:
        return self.postgres.url("prodigon")

    @property
    def redis_url(self) -> str:
        return self.redis.url

    def kill(self, name: str) -> None:
        if name == "redis":
            self.redis.kill()
            self.redis.start()
        else:
            assert self.postgres.process is not None
            self.postgres.process.kill()
            self.postgres.process.wait(10)
            self.postgres.start()


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with server_of_its_own({}) as postgres, redis_of_its_own() as redis:
        run_sql(postgres.url(), "CREATE DATABASE prodigon")
        yield Servers(postgres, redis)


async def test_what_was_accepted_is_left_on_both_and_nothing_else_remains(servers: Servers) -> None:
    runs = await two_queues(servers, rounds=1)
    assert [run.queue for run in runs] == ["postgres", "redis"]
    for run in runs:
        assert run.found == run.accepted > 0
        assert min(run.enqueued, run.drained, run.picked_up, run.away) > 0
    assert len(queues_table(runs)) == 2
    with Redis.from_url(servers.redis_url) as redis:
        assert redis.keys() == []


async def test_without_its_file_redis_has_nothing_left(servers: Servers) -> None:
    with Redis.from_url(servers.redis_url) as redis:
        redis.config_set("appendonly", "no")
    postgres, redis_run = await two_queues(servers, rounds=1)
    assert postgres.found == postgres.accepted
    assert redis_run.found < redis_run.accepted

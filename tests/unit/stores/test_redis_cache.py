"""What the Redis cache makes of its settings, before anything is opened; unit tests cannot open a socket."""

import traceback

import pytest

from adapters.redis_cache import RedisCache

UNUSABLE = [
    "",
    "hunter2",
    "http://:hunter2@cache:6379/0",
    "redis://:hunter2@cache:port/0",
    "redis://:hunter2@cache:99999/0",
    "redis://:hunter2/3@cache:6379/0",  # a slash in a password must be escaped
    "redis://:hunter2@[cache/0",
    "redis://:hunter2@cache/0?db=hunter2",
    "redis://:hunter2@cache/0?no_such_option=hunter2",
    "rediss://:hunter2@cache/0?ssl_cert_reqs=hunter2",
]


@pytest.mark.parametrize(
    "url",
    [
        "redis://cache",
        "redis://cache:6379/3",
        "redis://user:hunter2@cache:6379/0",
        "redis://:p%2Fw@[::1]:6379/0",
        "rediss://cache:6380/0?ssl_cert_reqs=required",
        "unix:///run/redis.sock?db=1",
    ],
)
async def test_a_cache_is_made_and_closed_without_opening_anything(url: str) -> None:
    cache = RedisCache(url)
    assert cache.last_failure is None
    for _ in range(2):
        await cache.aclose()


@pytest.mark.parametrize("url", UNUSABLE)
def test_an_address_that_cannot_be_used_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="the address of Redis cannot be used") as caught:
        RedisCache(url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value, chain=True))
    assert "hunter2" not in repr(caught.value)


def test_a_cache_does_not_show_its_password() -> None:
    assert "hunter2" not in repr(RedisCache("redis://user:hunter2@cache:6379/0"))


def test_a_cache_without_a_namespace_is_refused() -> None:
    with pytest.raises(ValueError, match="prefix"):
        RedisCache("redis://cache", prefix="")


async def test_a_socket_that_may_not_be_opened_is_a_miss_like_any_other() -> None:
    cache = RedisCache("redis://127.0.0.1:1/0")
    assert await cache.get("key") is None
    assert cache.last_failure is not None
    await cache.aclose()

"""The suite's own walls."""

import socket

import pytest
import redis
from django.db import connection


def test_connect_elsewhere_is_blocked():
    with socket.socket() as sock, pytest.raises(AssertionError, match="192\\.0\\.2\\.1"):
        sock.connect(("192.0.2.1", 80))


def test_resolve_elsewhere_is_blocked():
    with pytest.raises(AssertionError, match=r"eu\.api\.knowbe4\.com"):
        socket.create_connection(("eu.api.knowbe4.com", 443), timeout=1)


def test_connect_here_is_allowed():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


def test_redis_is_real_and_not_the_installations(redis_url):
    with redis.from_url(redis_url) as client:
        client.set("guard", "here")
        assert client.get("guard") == b"here"
        assert client.connection_pool.connection_kwargs["db"] >= 1


@pytest.mark.django_db
def test_database_is_a_test_database_on_postgres_18():
    assert connection.settings_dict["NAME"].startswith("test_")
    assert connection.pg_version // 10000 == 18

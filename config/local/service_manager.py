"""The process that owns the embedded Postgres and Redis, started by `config.local.embedded`.

It starts both, starts them again if one dies, and stops both when the last user is gone. If the service manager itself
is killed, the kernel tells both to stop.
"""

import fcntl
import logging
import os
import signal
import time
from collections import deque
from types import FrameType

from config.local import embedded
from config.local.owner import find_owner
from config.local.postgres import Postgres
from config.local.redis import Redis

logger = logging.getLogger("rollcall.service_manager")

_POLL_SECONDS = 0.25
# More deaths than this within a minute and starting again helps nobody.
_MOST_RESTARTS = 5
_LARGEST_LOG = 10 * 1024 * 1024


class ServiceManager:
    """Both services and whether they are still wanted."""

    def __init__(self, users_lock: int) -> None:
        self.users_lock = users_lock
        self.is_told_to_stop = False
        self.services: list[Postgres | Redis] = []
        self.restarts: deque[float] = deque(maxlen=_MOST_RESTARTS)

    def start(self) -> None:
        """Start both side by side and wait until they answer; EmbeddedError says why they do not."""
        var, fast = embedded.VAR_DIR, embedded.is_fast()
        binaries = embedded.find_binaries()
        owner = find_owner(var / "postgres")
        sockets = embedded.socket_dir()
        owner.make_private(sockets)
        owner.reach(sockets)
        for name in ("postgres.log", "redis.log", "embedded.log"):
            log = var / "log" / name
            if log.exists() and log.stat().st_size > _LARGEST_LOG:
                log.rename(log.with_suffix(".log.1"))
        self.services = [
            Redis(binary=binaries.redis, var=var, sockets=sockets, owner=owner, fast=fast),
            Postgres(binaries=binaries.postgres, var=var, sockets=sockets, owner=owner, fast=fast),
        ]
        for service in self.services:
            service.prepare()
            service.start()
        for service in self.services:
            self._await(service)

    def keep(self) -> None:
        """Stay until told to stop or until nobody is left; start again what dies."""
        while not self.is_told_to_stop and not embedded.try_lock(self.users_lock, fcntl.LOCK_EX):
            for service in self.services:
                if service.process is not None and service.process.poll() is not None:
                    self._restart(service)
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop both; nothing stays behind."""
        for service in self.services:
            service.stop()

    def _await(self, service: Postgres | Redis) -> None:
        while not service.answers():
            if service.process is None or service.process.poll() is not None:
                raise embedded.EmbeddedError(service.complaint())
            if self.is_told_to_stop:
                raise embedded.EmbeddedError("The embedded services were told to stop while they started.")
            time.sleep(0.03)

    def _restart(self, service: Postgres | Redis) -> None:
        assert service.process is not None  # noqa: S101
        logger.warning("%s ended with %s; starting it again", service.name, service.process.returncode)
        now = time.monotonic()
        if len(self.restarts) == _MOST_RESTARTS and now - self.restarts[0] < 60:
            raise embedded.EmbeddedError(f"{service.name} keeps dying: see {service.log}.")
        self.restarts.append(now)
        embedded.write_state("starting")
        service.prepare()
        service.start()
        self._await(service)
        embedded.write_state("ready")


def main() -> int:
    """Detach, keep the services until nobody uses them, and return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # Opened in this order: should the service manager be killed, its own lock is freed before the users'.
    # The file is still called as in 0.1.0, so that a service manager of that version is seen.
    manager_lock = embedded.open_lock("keeper.lock")
    for _ in range(100):
        if embedded.try_lock(manager_lock, fcntl.LOCK_EX):
            break
        time.sleep(0.02)
    else:
        logger.error("another service manager is running")
        return 1
    embedded.write_state("starting")
    # The one that waits for this process goes on; the lock lives on in the child.
    if os.fork():
        os._exit(0)

    users_lock = embedded.open_lock("embedded.lock")
    manager = ServiceManager(users_lock)

    def told_to_stop(_signal: int, _frame: FrameType | None) -> None:
        manager.is_told_to_stop = True

    signal.signal(signal.SIGTERM, told_to_stop)
    signal.signal(signal.SIGINT, told_to_stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    status = 0
    try:
        manager.start()
        embedded.write_state("ready")
        manager.keep()
    except embedded.EmbeddedError as error:
        logger.error("%s", error)
        embedded.write_state("failed", str(error))
        status = 1
    except Exception as error:
        logger.exception("the embedded services cannot run")
        embedded.write_state("failed", f"The embedded services cannot run: {error} (see {embedded.VAR_DIR / 'log'}).")
        status = 1
    finally:
        manager.stop()
    if status == 0:
        (embedded.VAR_DIR / "embedded.json").unlink(missing_ok=True)
    return status


if __name__ == "__main__":
    ended_with = main()
    logging.shutdown()
    # At once, and both locks with it: whoever waits for them must find no service manager left.
    os._exit(ended_with)

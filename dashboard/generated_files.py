"""Static files that are not kept in git: Django's finders that make them when they are first asked for."""

import hashlib
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.storage import FileSystemStorage


class GeneratedFilesFinder(BaseFinder, ABC):
    """Finds the files called `names`, and nothing else."""

    names: tuple[str, ...] = ()

    @abstractmethod
    def folder(self) -> Path:
        """Return the folder that holds the files, up to date."""

    def check(self, **kwargs: Any) -> list[Any]:
        """Return no problems: there is nothing to configure."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return where the file is; an empty list for any other path."""
        if path not in self.names:
            return []
        found = str(self.folder() / path)
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """Yield each file's name with the storage that holds it."""
        names = [name for name in self.names if not matches_patterns(name, [*(ignore_patterns or ())])]
        if names:
            storage = FileSystemStorage(location=self.folder())
            yield from ((name, storage) for name in names)


def made_once(folder: Path, sources: Iterable[Path], make: Callable[[Path], None], *, versions: str = "") -> Path:
    """Return a folder within `folder` that `make` has filled; filled anew when a source or `versions` has changed.

    `make` is given an empty folder, which is then moved into its place: other processes find nothing or all of it.
    """
    digest = hashlib.sha256(versions.encode())
    for source in sources:
        digest.update(source.read_bytes())
    made = folder / digest.hexdigest()[:16]
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as unfinished:
            part = Path(unfinished) / "part"
            part.mkdir()
            make(part)
            try:
                part.rename(made)
            except OSError:
                # Another process was quicker, with the same files.
                if not made.exists():
                    raise
    return made

"""Reads the training data as Rasa does, and checks no file twice that has not changed."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from rasa.shared.core.domain import Domain, InvalidDomain
from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
from rasa.shared.core.training_data.structures import StoryGraph, StoryStep
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data import loading
from rasa.shared.nlu.training_data.formats import RasaYAMLReader
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.io import raise_warning, read_file, read_yaml
from rasa.shared.utils.validation import validate_training_data_format_version

from bot.nlu.encoder_files import cache_folder, write_whole
from bot.nlu.example import Example

_logger = logging.getLogger(__name__)

_CHECKED_ON_DISK = 2000


class Checked:
    """The digests of files that passed Rasa's checks, on disk; without it, all are checked."""

    def __init__(self, path: Path) -> None:
        self._path, self._version = path, metadata.version("rasa")
        try:
            self._digests = path.read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError):
            self._digests = []

    @classmethod
    @lru_cache(maxsize=1)
    def at(cls, path: Path) -> Checked:
        """The same for all who read it, as none of them reads it again."""
        return cls(path)

    @contextmanager
    def once(self, kind: str, content: str) -> Iterator[bool]:
        """Gives whether the content must be checked still; noted unless something is raised.

        Args:
            kind: What the content is checked as.
            content: Of a file.
        """
        parts = "\0".join((self._version, kind, content))
        digest = hashlib.sha256(parts.encode(errors="surrogatepass")).hexdigest()
        unchecked = digest not in self._digests
        yield unchecked
        if unchecked:
            self._digests = [*self._digests, digest][-_CHECKED_ON_DISK:]
            write_whole(self._path, "\n".join(self._digests).encode())


@lru_cache(maxsize=1)
def _nlu_data(
    contents: tuple[tuple[str, str], ...], language: str | None, checked: Checked
) -> TrainingData:
    return TrainingData().merge(*(_nlu_file(*file, language, checked) for file in contents))


def _nlu_file(path: str, content: str, language: str | None, checked: Checked) -> TrainingData:
    if loading.guess_format(path) != loading.RASA_YAML:
        return loading.load_data(path, language)
    with checked.once("nlu", content) as unchecked:
        reader = RasaYAMLReader() if unchecked else _UncheckedReader()
        data = reader.read(path, language=language, fformat=loading.RASA_YAML)
    data.training_examples = [Example.of(message) for message in data.training_examples]
    return data


class _UncheckedReader(RasaYAMLReader):
    def validate(self, string: str) -> None:
        """The same content passed before."""


def forget() -> None:
    """Frees the examples that are kept for whoever asks next."""
    _nlu_data.cache_clear()


class FileImporter(RasaFileImporter):
    """Rasa's default importer, faster; ``importers`` of ``config.yml`` names it.

    Rasa checks each file against a schema whenever it reads it, which takes ten times as long as
    reading it, and reads all files several times in a training. Here a file is checked when its
    content is new.
    """

    def __init__(
        self,
        config_file: str | None = None,
        domain_path: str | None = None,
        training_data_paths: list[str] | str | None = None,
    ) -> None:
        super().__init__(config_file, domain_path, training_data_paths)
        self._checked = Checked.at(cache_folder().parent / "checked.txt")

    def get_nlu_data(self, language: str | None = "en") -> TrainingData:
        """The examples, lookup tables, regular expressions and synonyms of all files.

        They are read once, as long as no file changes, and belong to all who ask: Rasa's importers
        around this one copy them.
        """
        contents = tuple((path, read_file(path)) for path in self._nlu_files)
        return _nlu_data(contents, language, self._checked)

    def get_stories(self, exclusion_percentage: int | None = None) -> StoryGraph:
        """The stories and rules of all files."""
        if exclusion_percentage:
            return super().get_stories(exclusion_percentage)
        domain = self.get_domain()
        return StoryGraph([s for path in self._story_files for s in self._steps(path, domain)])

    def _steps(self, path: str, domain: Domain) -> list[StoryStep]:
        with self._checked.once("stories", read_file(path)) as unchecked:
            reader = YAMLStoryReader(domain, path)
            steps: list[StoryStep] = reader.read_from_file(path, skip_validation=not unchecked)
        return steps

    def get_domain(self) -> Domain:
        """The domain; an empty one, and a warning, where it is invalid."""
        path = self._domain_path
        if not path or not Path(path).is_file():
            return super().get_domain()
        content = read_file(path)
        try:
            with self._checked.once("domain", content) as unchecked:
                if unchecked:
                    return Domain.from_file(path)
            data = read_yaml(content)
            if validate_training_data_format_version(data, path):
                return Domain.from_dict(data)
        except InvalidDomain as error:
            raise_warning(
                f"Loading domain from '{path}' failed. Using empty domain. Error: '{error}'"
            )
        return Domain.empty()

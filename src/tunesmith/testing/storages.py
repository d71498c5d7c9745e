"""Whether a storage keeps its contract: a suite to subclass, for ours and for those of others."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tunesmith._core.errors import Conflict, SettingError, StudyNotFound
from tunesmith.storage import Storage

Reopen: TypeAlias = Callable[[], Storage]

PROGRAM = """
import sys
from tunesmith._core.errors import Conflict
from tunesmith.storage import connect

url, study, me, count = sys.argv[1:]
storage = connect(url)
length = 0
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(count)):
    while number % 2:
        try:
            length = storage.append(study, [f"{me} {number} {length}"], expect=length)
            break
        except Conflict:
            length += len(storage.read(study, length))
    else:
        storage.append(study, [f"{me} {number}"])
storage.close()
"""


class StorageConformance:
    """Tests that every storage passes.

    A subclass gives the fixture `storage`, an empty one. If it outlives the object it gives
    `reopen`, too, which opens another object on the same data; then `connect(storage.url)` must
    find it from another process, hence its scheme be registered.

    Example::

        class TestRedis(StorageConformance):
            @pytest.fixture
            def storage(self) -> Redis:
                return Redis.open("localhost/15")

            @pytest.fixture
            def reopen(self) -> Reopen:
                return lambda: Redis.open("localhost/15")
    """

    @pytest.fixture
    def reopen(self) -> Reopen | None:
        """How another object on the same data is opened; None: it does not outlive the object."""
        return None

    def test_a_log_is_known_by_its_first_line(self, storage: Storage) -> None:
        """An append that names another first line, or finds none, writes nothing; nor is another one's log read."""
        storage.append("a", ["1", "2"])
        assert storage.append("a", ["3"], first="1") == 3
        storage.delete("a")
        for made_anew in (False, True):
            if made_anew:
                storage.append("a", ["other"])
            with pytest.raises(StudyNotFound, match="was deleted meanwhile"):
                storage.append("a", ["4"], first="1")
            with pytest.raises(StudyNotFound):
                storage.append("a", ["4"], expect=3, first="1")
        with pytest.raises(StudyNotFound, match="was deleted meanwhile"):
            storage.read("a", 0, first="1")
        assert storage.read("a", 0, first="other") == storage.read("a", 0, 1, "other") == ["other"]
        assert storage.read("a", 1, first="other") == storage.read("b", first="1") == []
        assert storage.read("a") == ["other"]

    def test_reads_what_was_appended(self, storage: Storage) -> None:
        """Lines come back in order, from any position and up to any limit."""
        assert storage.append("a", ["0", "1"]) == 2
        assert storage.append("a", ["2"]) == 3
        assert storage.read("a") == ["0", "1", "2"]
        assert storage.read("a", 1) == ["1", "2"]
        assert storage.read("a", 1, 1) == ["1"]
        assert storage.read("a", 0, 0) == storage.read("a", 3) == storage.read("a", 9, 9) == []

    def test_reading_creates_nothing(self, storage: Storage) -> None:
        """What does not exist is empty, and stays so when it is asked for, or deleted."""
        storage.delete("a")
        assert storage.read("a") == []
        assert storage.wait("a", 0, 0) == 0
        assert storage.alive("a") == set()
        assert storage.kept_fold("a") is None
        assert storage.append("a", []) == storage.append("a", [], expect=0) == 0
        assert storage.names() == []

    def test_files_have_a_place_or_none(self, storage: Storage) -> None:
        """Asking for the place creates nothing; what is put there is found again."""
        if storage.files is not None:
            assert storage.files.within("a").keys() == set()
            with storage.files.within("a").put("key"):
                pass
            assert storage.files.within("a").keys() == {"key"}
        assert storage.names() == []

    def test_keeps_any_text(self, storage: Storage) -> None:
        """Names and lines may hold quotes, signs of patterns, any Unicode; lines may be long."""
        names = sorted(["%", "a", "A", "a%", "_", "it's", 'a "b"', "ä/ß 漢字 🎛", " ", "; DROP"])
        for name in names:
            storage.append(name, [name, "x" * 100_000])
        assert storage.names() == names
        assert [storage.read(name) for name in names] == [[name, "x" * 100_000] for name in names]

    def test_refuses_a_study_without_name(self, storage: Storage) -> None:
        """The empty name is refused, and nothing is appended."""
        with pytest.raises(SettingError, match="name"):
            storage.append("", ["0"])
        assert storage.names() == []

    def test_conflict_appends_nothing(self, storage: Storage) -> None:
        """With another length than expected the log stays as it is, and the error tells it."""
        assert storage.append("a", ["0", "1"], expect=0) == 2
        for wrong in (0, 1, 3):
            with pytest.raises(Conflict) as caught:
                storage.append("a", ["no", "no"], expect=wrong)
            assert caught.value.length == 2
            with pytest.raises(Conflict):
                storage.append("a", [], expect=wrong)
        with pytest.raises(Conflict):
            storage.append("b", ["no"], expect=1)
        assert storage.read("a") == ["0", "1"]
        assert storage.names() == ["a"]

    def test_wait_returns_at_once_when_there_is_more(self, storage: Storage) -> None:
        """A log that is already longer is not waited for."""
        storage.append("a", ["0", "1"])
        assert storage.wait("a", 1, 20) == 2

    def test_wait_ends_with_its_time(self, storage: Storage) -> None:
        """When nothing comes, the length is returned as it was."""
        storage.append("a", ["0"])
        assert storage.wait("a", 1, 0) == storage.wait("a", 1, 0.01) == 1

    def test_wait_wakes_up(self, storage: Storage) -> None:
        """Who waits learns of a line that another thread appends."""
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(storage.wait, "a", 0, 20)
            storage.append("a", ["0"])
            assert waiting.result(10) == 1

    def test_delete_leaves_nothing(self, storage: Storage) -> None:
        """Lines, owners and fold go with their study; its neighbours stay."""
        for name in ("a", "b", "c"):
            storage.append(name, [name])
            storage.beat(name, "me", 1000)
            storage.keep_fold(name, 1, b"fold")
        storage.delete("b")
        assert storage.names() == ["a", "c"]
        assert storage.read("b") == []
        assert storage.alive("b") == set()
        assert storage.append("b", ["new"], expect=0) == 1
        assert storage.kept_fold("b") is None
        for name in ("a", "c"):
            assert storage.read(name) == [name]
            assert storage.alive(name) == {"me"}
            assert storage.kept_fold(name) == (1, b"fold")

    def test_owners_live_while_they_beat(self, storage: Storage) -> None:
        """A beat holds for its time, 0 ends it; it makes no study, and studies do not share it."""
        storage.beat("a", "staying", 1000)
        storage.beat("a", "leaving", 1000)
        storage.beat("a", "late", 1e-9)
        assert storage.alive("a") == {"staying", "leaving"}
        storage.beat("a", "leaving", 0)
        storage.beat("a", "late", 1000)
        assert storage.alive("a") == {"staying", "late"}
        assert storage.alive("b") == set()
        assert storage.names() == []

    def test_keeps_one_fold(self, storage: Storage) -> None:
        """The last fold is kept, byte for byte; never one of more lines than there are."""
        storage.append("a", ["0", "1"])
        storage.keep_fold("a", 2, bytes(range(256)))
        assert storage.kept_fold("a") == (2, bytes(range(256)))
        storage.keep_fold("a", 1, b"")
        storage.keep_fold("a", 3, b"of a log that was deleted meanwhile")
        assert storage.kept_fold("a") == (1, b"")
        storage.keep_fold("b", 0, b"no such study")
        assert storage.kept_fold("b") is None

    def test_can_be_used_after_close(self, storage: Storage) -> None:
        """Closing releases, and a later use, or closing again, is allowed."""
        storage.append("a", ["0"])
        storage.close()
        storage.close()
        assert storage.append("a", ["1"], expect=1) == 2
        assert storage.read("a") == ["0", "1"]

    def test_behaves_like_lists(self, storage: Storage, reopen: Reopen | None) -> None:
        """Whatever is done in whatever order, it does what plain lists would."""
        run_state_machine_as_test(
            _machine(storage, reopen),
            settings=settings(
                max_examples=20,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )

    def test_threads_share_one_order(self, storage: Storage) -> None:
        """Threads that append at once, with and without `expect`, lose and double nothing."""

        def append(me: int) -> None:
            for number in range(25):
                while me % 2:
                    length = len(storage.read("a"))
                    try:
                        storage.append("a", [f"{me} {number} {length}"], expect=length)
                        break
                    except Conflict:
                        continue
                else:
                    storage.append("a", [f"{me} {number}"])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(append, range(4)))
        check_interleaved(storage.read("a"), writers=4, count=25)

    def test_reopening_finds_everything(self, storage: Storage, reopen: Reopen | None) -> None:
        """Another object on the same data sees what this one has written, and the other way."""
        if reopen is None:
            pytest.skip("it does not outlive the object")
        storage.append("a", ["0"])
        storage.beat("a", "me", 1000)
        storage.keep_fold("a", 1, b"fold")
        other = reopen()
        assert other.url == storage.url
        assert other.read("a") == ["0"]
        assert other.alive("a") == {"me"}
        assert other.kept_fold("a") == (1, b"fold")
        assert other.append("a", ["1"], expect=1) == 2
        assert storage.wait("a", 1, 20) == 2
        other.close()
        assert storage.append("a", ["2"], expect=2) == 3

    def test_processes_share_one_order(self, storage: Storage, reopen: Reopen | None) -> None:
        """Processes that append at once, with and without `expect`, lose and double nothing."""
        if reopen is None:
            pytest.skip("it does not outlive the object")
        hammer(storage.url, "a", writers=3, count=50)
        check_interleaved(storage.read("a"), writers=3, count=50)


def hammer(url: str, study: str, writers: int, count: int) -> None:
    """Let `writers` processes append `count` lines each at once, every other with `expect`.

    Line n of writer w is "w n", or "w n p" if it was expected to come to position p.

    Raises:
        AssertionError: One of them failed.
    """
    processes = [
        subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", PROGRAM, url, study, str(writer), str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for writer in range(writers)
    ]
    for process in processes:
        if process.stdout is not None:
            process.stdout.readline()  # it is ready
    for process in processes:
        if process.stdin is not None:
            process.stdin.write("go\n")
            process.stdin.flush()
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors


def check_interleaved(lines: Sequence[str], writers: int, count: int) -> None:
    """Check that the lines of `hammer` are there once, in each writer's order, where expected.

    Raises:
        AssertionError: They are not.
    """
    numbers: list[list[int]] = [[] for _ in range(writers)]
    for position, line in enumerate(lines):
        writer, number, *expected = map(int, line.split())
        numbers[writer].append(number)
        assert expected in ([], [position])
    assert numbers == [list(range(count))] * writers


def _machine(storage: Storage, reopen: Reopen | None) -> type[RuleBasedStateMachine]:
    studies = st.sampled_from(["a", "b", "it's 100 % ü"])
    lines = st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5),
        max_size=4,
    )
    owners = st.sampled_from(["x", "y"])
    few = st.integers(0, 8)

    class Machine(RuleBasedStateMachine):
        """A storage beside the plain lists that it must equal."""

        def __init__(self) -> None:
            super().__init__()
            self.storage = storage
            self.open_another = reopen
            self.logs: dict[str, list[str]] = {}
            self.owners: dict[str, set[str]] = {}
            self.folds: dict[str, tuple[int, bytes]] = {}
            for study in ("a", "b", "it's 100 % ü"):
                storage.delete(study)

        @rule(study=studies, lines=lines)
        def append(self, study: str, lines: list[str]) -> None:
            log = [*self.logs.get(study, []), *lines]
            assert self.storage.append(study, lines) == len(log)
            if log:
                self.logs[study] = log

        @rule(study=studies, lines=lines, expect=few)
        def append_expecting(self, study: str, lines: list[str], expect: int) -> None:
            length = len(self.logs.get(study, []))
            if expect == length:
                assert self.storage.append(study, lines, expect) == length + len(lines)
                if lines:
                    self.logs.setdefault(study, []).extend(lines)
            else:
                with pytest.raises(Conflict) as caught:
                    self.storage.append(study, lines, expect)
                assert caught.value.length == length

        @rule(study=studies, start=few, limit=st.none() | few)
        def read(self, study: str, start: int, limit: int | None) -> None:
            rest = self.logs.get(study, [])[start:]
            assert self.storage.read(study, start, limit) == rest[:limit]

        @rule(study=studies, length=few)
        def wait(self, study: str, length: int) -> None:
            assert self.storage.wait(study, length, 0) == len(self.logs.get(study, []))

        @rule(study=studies)
        def delete(self, study: str) -> None:
            self.storage.delete(study)
            for kept in (self.logs, self.owners, self.folds):
                kept.pop(study, None)

        @rule(study=studies, owner=owners, lives=st.booleans())
        def beat(self, study: str, owner: str, lives: bool) -> None:
            self.storage.beat(study, owner, 1000 if lives else 0)
            alive = self.owners.setdefault(study, set())
            (alive.add if lives else alive.discard)(owner)

        @rule(study=studies, length=few, fold=st.binary(max_size=5))
        def keep_fold(self, study: str, length: int, fold: bytes) -> None:
            self.storage.keep_fold(study, length, fold)
            if study in self.logs and length <= len(self.logs[study]):
                self.folds[study] = (length, fold)

        @precondition(lambda self: self.open_another is not None)
        @rule()
        def reopen(self) -> None:
            self.storage.close()
            if self.open_another is not None:
                self.storage = self.open_another()

        @invariant()
        def is_as_told(self) -> None:
            assert self.storage.names() == sorted(self.logs)
            for study in ("a", "b", "it's 100 % ü"):
                assert self.storage.read(study) == self.logs.get(study, [])
                assert self.storage.alive(study) == self.owners.get(study, set())
                assert self.storage.kept_fold(study) == self.folds.get(study)

        def teardown(self) -> None:
            self.storage.close()

    return Machine

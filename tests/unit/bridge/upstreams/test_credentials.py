from pathlib import Path

import pytest

from bridge.upstreams.credentials import LARGEST_FILE, CredentialUnusable, FileCredential, NotReloaded, Reloaded


def read(contents: dict[Path, bytes]) -> str:
    """The test's credential is two words that are the same."""
    words = {content.decode() for content in contents.values()}
    if len(words) != 1:
        raise CredentialUnusable("the words differ")
    return words.pop()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("one", "two"):
        (tmp_path / name).write_text("old", encoding="utf-8")
    return tmp_path / "one", tmp_path / "two"


def write(files: tuple[Path, ...], word: str) -> None:
    for file in files:
        file.write_text(word, encoding="utf-8")


def test_nothing_changes_while_the_files_stay(files: tuple[Path, Path]) -> None:
    credential = FileCredential(files, read)
    files[0].touch()
    assert credential.look() is None
    assert credential.current() == "old"


def test_files_that_changed_are_the_credential(files: tuple[Path, Path]) -> None:
    credential = FileCredential(files, read)
    write(files, "new")
    assert credential.look() == Reloaded()
    assert credential.current() == "new"
    assert credential.look() is None


def test_a_change_of_the_same_size_within_the_clock_s_tick_is_seen(files: tuple[Path, Path]) -> None:
    credential = FileCredential(files, read)
    for number in range(100):
        write(files, f"{number:03}")
        assert credential.look() == Reloaded()
        assert credential.current() == f"{number:03}"


@pytest.mark.row("T89")
def test_what_cannot_be_used_is_said_once_and_the_old_one_stays(files: tuple[Path, Path]) -> None:
    credential = FileCredential(files, read)
    write(files[:1], "new")
    assert credential.look() is None, "it may be only half written yet"
    assert credential.look() == NotReloaded("the words differ")
    assert [credential.look() for _ in range(3)] == [None, None, None]
    assert credential.current() == "old"


def test_a_rotation_of_several_files_within_two_looks_is_no_complaint(files: tuple[Path, Path]) -> None:
    credential = FileCredential(files, read)
    write(files[:1], "new")
    assert credential.look() is None
    write(files[1:], "new")
    assert credential.look() == Reloaded()


def test_each_unusable_content_is_said_once(files: tuple[Path, Path]) -> None:
    credential = FileCredential(files, read)
    for word in ("bad", "worse"):
        write(files[:1], word)
        assert [credential.look() for _ in range(3)] == [None, NotReloaded("the words differ"), None]
    write(files[:1], "old")
    assert credential.look() is None
    write(files[:1], "bad")
    assert [credential.look() for _ in range(2)] == [None, NotReloaded("the words differ")]


@pytest.mark.row("T89")
def test_a_file_that_is_gone_leaves_the_old_one(files: tuple[Path, Path]) -> None:
    credential = FileCredential(files, read)
    files[0].unlink()
    assert credential.look() is None
    assert credential.look() == NotReloaded(f"{files[0]} cannot be read: no such file or directory")
    assert credential.current() == "old"
    write(files, "new")
    assert credential.look() == Reloaded()


def test_a_new_value_that_is_not_acceptable_yet_is_taken_once_it_is(files: tuple[Path, Path]) -> None:
    def too_early(_word: str) -> None:
        raise CredentialUnusable("not valid yet")

    credential = FileCredential(files, read)
    write(files, "new")
    assert [credential.look(too_early) for _ in range(3)] == [None, NotReloaded("not valid yet"), None]
    assert credential.current() == "old"
    assert credential.look() == Reloaded()


@pytest.mark.row("T89")
def test_files_that_change_while_they_are_read_wait_for_the_next_look(files: tuple[Path, Path]) -> None:
    def read_slowly(contents: dict[Path, bytes]) -> str:
        word = read(contents)
        if word == "new":
            write(files, "newer")
        return word

    credential = FileCredential(files, read_slowly)
    write(files, "new")
    assert credential.look() is None
    assert credential.current() == "old"
    assert credential.look() == Reloaded()
    assert credential.current() == "newer"


@pytest.mark.row("T89")
def test_a_file_without_end_is_not_read_to_its_end() -> None:
    lengths = []

    def measure(contents: dict[Path, bytes]) -> str:
        lengths.extend(len(content) for content in contents.values())
        return ""

    FileCredential([Path("/dev/zero")], measure)
    assert lengths == [LARGEST_FILE]


def test_at_start_a_missing_or_unusable_file_is_an_error(files: tuple[Path, Path]) -> None:
    write(files[:1], "other")
    with pytest.raises(CredentialUnusable, match="the words differ"):
        FileCredential(files, read)
    files[0].unlink()
    with pytest.raises(FileNotFoundError):
        FileCredential(files, read)

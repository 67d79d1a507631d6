"""Files that are complete or as they were."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys

import pytest
from anymodal.files import ABANDONED_SECONDS, forget_unfinished, replacing, write_whole

KILLED = """
import os, signal, sys
from anymodal.files import replacing

with replacing(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("lasts", [True, False])
def test_new_and_old_content(tmp_path, lasts):
    """The second takes the place of the first, and nothing else is left."""
    file = tmp_path / "kept.json"
    write_whole(file, b"one", lasts=lasts)
    write_whole(file, b"two", lasts=lasts)

    assert b"two" == file.read_bytes()
    assert [file] == list(tmp_path.iterdir())


def test_whatever_is_raised_leaves_what_was_there(tmp_path):
    """Ctrl-C is no error, and comes at any line."""
    file = tmp_path / "kept.json"
    file.write_bytes(b"one")
    with pytest.raises(KeyboardInterrupt), replacing(file) as out:
        out.write(b"half")
        assert b"one" == file.read_bytes()
        raise KeyboardInterrupt

    assert b"one" == file.read_bytes()
    assert [file] == list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_permissions(tmp_path):
    """A new file is its owner's alone; one that is there keeps what it has."""
    new, old = tmp_path / "new", tmp_path / "old"
    old.touch()
    old.chmod(0o644)
    write_whole(new, b"")
    write_whole(old, b"")

    assert [0o600, 0o644] == [stat.S_IMODE(one.stat().st_mode) for one in (new, old)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such links")
def test_links_stay(tmp_path):
    """What they lead to is written."""
    file, link = tmp_path / "file", tmp_path / "link"
    link.symlink_to(file)
    write_whole(link, b"one")

    assert link.is_symlink()
    assert b"one" == file.read_bytes()


def test_no_folder(tmp_path):
    """It is not made, and the error says which one is missing."""
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write_whole(tmp_path / "nowhere" / "kept.json", b"one")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_killed_process_leaves_nothing_for_long(tmp_path):
    """What it had half-written hides beside the file, and goes when nobody can be writing it."""
    file = tmp_path / "kept.json"
    file.write_bytes(b"one")
    ended = subprocess.run([sys.executable, "-c", KILLED, str(file)], check=False, timeout=30)
    (half,) = set(tmp_path.iterdir()) - {file}

    assert -signal.SIGKILL == ended.returncode
    assert b"one" == file.read_bytes()
    assert half.name.startswith(".kept.json.")
    forget_unfinished(tmp_path)
    assert half.exists()
    os.utime(half, (0, half.stat().st_mtime - ABANDONED_SECONDS - 1))
    forget_unfinished(tmp_path)
    assert [file] == list(tmp_path.iterdir())

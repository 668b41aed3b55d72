"""Two users of one group on one state: syncctl's, and the shop's."""

from __future__ import annotations

import grp
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Shop
from test_pull import SMALL, mirror, start, until_held, upstream
from test_state import mode

SHOP_USER, STRANGER = 60_001, 60_002
GROUP = grp.getgrgid(max(each.gr_gid for each in grp.getgrall() if each.gr_gid < 1000))

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become two users")

# The libraries are loaded before: the other user may not be able to read this interpreter's files.
AS_USER = """
import os, sqlite3, sys
path, uid, groups = sys.argv[1], int(sys.argv[2]), [int(gid) for gid in sys.argv[3:]]
os.setgroups(groups)
os.setgid(uid)
os.setuid(uid)
os.umask(0o022)
sql = sqlite3.connect(path, timeout=30, isolation_level=None)
"""
INSERT = "sql.execute(\"INSERT INTO products (sku) VALUES ('MADE-BY-SHOP')\")\n"
COUNT = "print(sql.execute('SELECT count(*) FROM catalogue').fetchone()[0])\n"
STAY = "print('there', flush=True)\ninput()\n"


@pytest.fixture
def state() -> Iterator[Path]:
    """A state in a folder that other users can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "shared" / "state.db"


def another(program: str, state: Path, *who: int) -> subprocess.Popen[str]:
    """A program of another user, which works on the state with sqlite3 alone."""
    command = [sys.executable, "-c", AS_USER + program, str(state), *map(str, who)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd="/", text=True, stdin=pipe, stdout=pipe, stderr=pipe)


def said(program: str, state: Path, *who: int) -> str:
    """What the program of another user prints, or the last line of what stops it."""
    out, err = another(program, state, *who).communicate()
    return out.strip() or err.strip().rpartition("\n")[2]


def shared(state: Path) -> dict[str, str]:
    return {"SYNCCTL_STATE": str(state), "SYNCCTL_STATE_GROUP": GROUP.gr_name}


def test_the_shop_s_user_reads_and_writes_while_a_sync_runs(shop: Shop, state: Path) -> None:
    shop.upstream.fault("hold", "^/Products/3")
    process = start(shop, "sync-recent", **shared(state), **SMALL)
    until_held(shop, process)
    assert int(said(COUNT, state, SHOP_USER, GROUP.gr_gid)) > 20
    assert said(INSERT + COUNT, state, SHOP_USER, GROUP.gr_gid).isdigit()
    assert (state.parent.stat().st_gid, mode(state.parent)) == (GROUP.gr_gid, 0o2770)
    for path in state.parent.iterdir():
        assert (path.stat().st_gid, mode(path)) == (GROUP.gr_gid, 0o660), path
    shop.upstream.request("POST", "faults/release")
    assert (process.communicate()[1], process.returncode) == ("", 0)
    assert stored(shop, state) == upstream(shop)
    assert shop.value("SELECT count(*) FROM products WHERE created_by = 'shop'") == 1


def stored(shop: Shop, state: Path) -> dict[str, tuple[str, str, str | None, float | None]]:
    shutil.copy(state, shop.state)
    return mirror(shop)


def test_the_shop_s_user_may_come_first(shop: Shop, state: Path) -> None:
    """Whoever opens the state first makes the files beside it, and the other must be able to use them."""
    shop.ok("sync-recent", **shared(state))
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": 3})
    with another(INSERT + STAY, state, SHOP_USER, GROUP.gr_gid) as first:
        assert first.stdout
        assert first.stdout.readline() == "there\n"
        assert {path.stat().st_uid for path in state.parent.glob("*-wal")} == {SHOP_USER}
        shop.ok("sync-recent", **shared(state))
        first.communicate("\n")
    assert stored(shop, state) == upstream(shop)


def test_a_stranger_reads_nothing(shop: Shop, state: Path) -> None:
    shop.ok("sync-recent", **shared(state))
    assert "unable to open" in said(COUNT, state, STRANGER)


def test_the_setting_may_come_later_and_the_group_is_let_in(shop: Shop, state: Path) -> None:
    shop.ok("sync-recent", SYNCCTL_STATE=str(state))
    assert "unable to open" in said(COUNT, state, SHOP_USER, GROUP.gr_gid)
    shop.ok("sync-recent", **shared(state))
    assert int(said(COUNT, state, SHOP_USER, GROUP.gr_gid)) > 100


def test_another_member_of_the_group_may_run_syncctl_too(shop: Shop, state: Path) -> None:
    """What it does not own it cannot give away, and need not."""
    shop.ok("sync-recent", **shared(state))
    program = (
        "from syncctl.state.database import open_database\n"
        f"database = open_database(path, group={GROUP.gr_name!r})\n"
        "print(database.row('SELECT count(*) FROM products')[0])"
    )
    early = "import syncctl.state.database, grp\n"
    command = [sys.executable, "-c", early + AS_USER + program, str(state), str(SHOP_USER), str(GROUP.gr_gid)]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert done.stdout.strip().isdigit(), done.stderr

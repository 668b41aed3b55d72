"""The scripts of `syncctl completion`, in the shells that there are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Shop

BASH = """
source <(syncctl completion bash)
press_tab() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    _syncctl_completion syncctl
    echo "${COMPREPLY[@]}"
}
press_tab syncctl sync-
press_tab syncctl queue s
press_tab syncctl prune --dry
press_tab syncctl queue list --connector ""
press_tab syncctl auth v
"""
NAMES = {
    "bash": "complete -o nosort -F _syncctl_completion syncctl",
    "zsh": "#compdef syncctl",
    "fish": "complete --no-files --command syncctl",
}


@pytest.mark.parametrize("shell", NAMES)
def test_there_is_a_script_for_each_shell(shop: Shop, shell: str) -> None:
    assert NAMES[shell] in shop.run("completion", shell).out


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_completes_commands_options_and_connectors(tmp_path: Path) -> None:
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    (tmp_path / ".env").write_text("SYNCCTL_SHOP=one\nSYNCCTL_CONNECTORS=unleashed,vend,xero\n")
    (tmp_path / ".env").chmod(0o600)
    done = subprocess.run(["bash", "-c", BASH], env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
    commands, subcommands, options, connectors, connector = done.stdout.splitlines()
    assert commands.split() == ["sync-recent", "sync-oldest", "sync-product", "sync-customers"]
    assert set(subcommands.split()) == {"show", "settle"}
    assert options.split() == ["--dry-run"]
    assert (connectors.split(), connector) == (["unleashed", "vend", "xero"], "vend")

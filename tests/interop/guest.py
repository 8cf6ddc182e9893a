# SPDX-License-Identifier: BSD-2-Clause
"""Runs the command of /out/command.json and leaves its exit status in /out/status;
/out/started says that it came to that."""

import json
import os
import pathlib
import subprocess

OUT = pathlib.Path("/out")


def main():
    (OUT / "started").touch()
    task = json.loads((OUT / "command.json").read_text())
    modules = pathlib.Path(task["modules"])
    place = pathlib.Path("/lib/modules") / modules.name
    place.parent.mkdir(exist_ok=True)
    if not place.exists():
        place.symlink_to(modules)
    try:
        status = subprocess.run(task["words"], env={**os.environ, **task["env"]}, cwd=task["cwd"]).returncode
    except OSError as error:
        print(error)
        status = 127
    (OUT / "status").write_text(f"{status if status >= 0 else 128 - status}\n")


main()

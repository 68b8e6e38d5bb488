"""Installs a wheel into an empty environment and uses it there: python -m tools.try_wheel WHEEL [PYTHON]"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent

USE = """
import boxless
found = boxless.Localizer(preset="fast").locate("coffee.jpg")
assert found.predictions[0].label == "espresso" and found.predictions[0].box, found
found.draw().save("drawn.png")
print(boxless.__version__)
"""


def try_wheel(wheel: Path, python: str) -> None:
    """Prints what was installed with what; an error is what does not work.

    Args:
        wheel: of boxless.
        python: the interpreter to try it with; the packages are those of constraints.txt.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        # Nothing of the sources or of this environment may help.
        clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}

        def run(*command: str | Path) -> str:
            done = subprocess.run(command, cwd=home, env=clean, capture_output=True, text=True, encoding="utf-8")
            if done.returncode:
                sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
            return done.stdout

        run(python, "-m", "venv", home / "environment")
        programs = home / "environment" / ("Scripts" if os.name == "nt" else "bin")
        constraints = ("--constraint", ROOT / "constraints.txt")
        run(programs / "python", "-m", "pip", "install", "--quiet", *constraints, wheel.resolve())
        shutil.copy(ROOT / "examples/pictures/coffee.jpg", home)
        version = run(programs / "python", "-c", USE).strip()
        assert run(programs / "boxless", "--version").split() == ["boxless", version]
        assert "efficientnet-lite0" in run(programs / "boxless", "models")
        (line,) = run(programs / "boxless", "locate", "coffee.jpg", "--json", "--save", "found").splitlines()
        assert json.loads(line)["predictions"][0]["label"] == "espresso"
        assert (home / "found/coffee_found.jpg").is_file()
        print(f"{wheel.name} works with {run(programs / 'python', '--version').strip()}")


if __name__ == "__main__":
    try_wheel(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else sys.executable)

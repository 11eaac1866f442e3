"""Where things are: the repository, the build under test, and what the programs may inherit."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
VARIANT = os.environ.get("SLUICE_VARIANT", "release")
BUILD = ROOT / "build" / VARIANT
# A directory of its own for each process of pytest-xdist.
OUTPUT = ROOT / "build" / "test-output" / os.environ.get("PYTEST_XDIST_WORKER", "")
# What the programs inherit: every SLUICE_<KEY> would be a setting of theirs.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.startswith("SLUICE_")}
# A sanitized build is several times slower; limits in seconds grow with it.
PATIENCE = 1 if VARIANT == "release" else 4

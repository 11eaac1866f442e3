"""Packages that come from npm when they are used; the caller is told where npm's registry is out
of reach."""

import contextlib
import fcntl
import shutil
import subprocess

from harness import ENVIRONMENT

UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH",
               "EHOSTUNREACH", "ERR_SOCKET_TIMEOUT", "ENOTCACHED",
               # what stands in its place is not it
               "SELF_SIGNED_CERT_IN_CHAIN", "DEPTH_ZERO_SELF_SIGNED_CERT",
               "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "UNABLE_TO_VERIFY_LEAF_SIGNATURE")


def install(package_json, place, node_major=0):
    """Puts what package_json wants into place, unless it is there, one process at a time. Returns
    why that cannot be done on this machine, else None."""
    assert shutil.which("node") and shutil.which("npm"), \
        "node and npm are missing: `deploy/lab/deps test` installs them"
    version = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, text=True, check=True)
    if int(version.stdout.lstrip("v").split(".")[0]) < node_major:
        return f"Node.js {node_major} is wanted, this is {version.stdout.strip()}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return install_locked(package_json.read_bytes(), place)


def install_locked(wanted, place):
    with contextlib.suppress(FileNotFoundError):
        if (place / "installed.json").read_bytes() == wanted:
            return None
    shutil.rmtree(place / "node_modules", ignore_errors=True)
    (place / "package.json").write_bytes(wanted)
    done = subprocess.run(
        ["npm", "install", "--no-package-lock", "--ignore-scripts", "--omit=optional",
         "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"],
        cwd=place, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False)
    reason = next((code for code in UNREACHABLE if f"code {code}" in done.stdout), None)
    if done.returncode and reason:
        return f"the npm registry cannot be reached ({reason})"
    assert done.returncode == 0, done.stdout
    (place / "installed.json").write_bytes(wanted)
    return None

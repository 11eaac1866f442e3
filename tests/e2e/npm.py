"""Packages that come from npm when they are used; the caller is told where npm's registry is out
of reach.

Where a package-lock.json stands beside package.json, exactly what it names comes, with its
checksums. It names no registry; after a change of package.json:

    npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts
"""

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
        return install_locked(package_json, place)


def install_locked(package_json, place):
    lock = package_json.with_name("package-lock.json")
    locked = package_json.name == "package.json" and lock.exists()
    wanted = {"package.json": package_json.read_bytes(),
              **({"package-lock.json": lock.read_bytes()} if locked else {})}
    text = b"".join(wanted.values())
    with contextlib.suppress(FileNotFoundError):
        if (place / "installed.json").read_bytes() == text:
            return None
    shutil.rmtree(place / "node_modules", ignore_errors=True)
    for name, content in wanted.items():
        (place / name).write_bytes(content)
    done = subprocess.run(
        ["npm", *(["ci"] if locked else ["install", "--no-package-lock"]),
         "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error",
         "--fetch-retries=1"],
        cwd=place, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False)
    reason = next((code for code in UNREACHABLE if f"code {code}" in done.stdout), None)
    if done.returncode and reason:
        return f"the npm registry cannot be reached ({reason})"
    assert done.returncode == 0, done.stdout
    (place / "installed.json").write_bytes(text)
    return None

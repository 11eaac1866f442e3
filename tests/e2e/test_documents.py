"""The documents: links and names that lead somewhere, and commands, run as written.

Those of deploy/README.md, from `make install` to the uninstall, run in a throwaway machine: an
overlay of this one in namespaces of its own, with a new database cluster, and nginx as the
distribution configures it. That needs root.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

import pytest

from harness import ENVIRONMENT, KEY, ROOT, SECRET, VARIANT
from harness.documents import blocks, documents

sys.path.insert(0, str(ROOT / "tests" / "machine"))

from guides import section

pytestmark = pytest.mark.skipif(VARIANT != "release", reason="not about the programs' variant")

DEPLOY = ROOT / "deploy"

# The mounts end with the namespace; what is written goes to the tmpfs at $1. The checkout gets an
# overlay of its own, since it may be on another file system.
MACHINE = r"""
layer() {
    mkdir -p "$place/$2/up" "$place/$2/work" "$3"
    mount -t overlay overlay -o "lowerdir=$1,upperdir=$place/$2/up,workdir=$place/$2/work" "$3"
}
place=$1 checkout=$2 script=$3
mount -t tmpfs tmpfs "$place"
layer / root "$place/machine"
for name in run tmp; do
    mount -t tmpfs -o mode=1777 tmpfs "$place/machine/$name"
done
mount -t proc proc "$place/machine/proc"
mount --rbind /dev "$place/machine/dev"
layer "$checkout" checkout "$place/machine$checkout"
exec chroot "$place/machine" env -i -C "$checkout" SYSTEMD_OFFLINE=1 HOME=/root LC_ALL=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    bash -euo pipefail -c "$script"
"""

# PostgreSQL as Debian sets it up, a loopback interface, and no Sluice that this machine may have.
PREPARE = r"""
python3 -c '
import fcntl, socket, struct
with socket.socket() as control:
    fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
'
make -s uninstall
rm -rf /etc/postgresql /var/lib/postgresql/* /etc/sluice /etc/systemd/system/sluice-*
for user in sluice sluice-settings sluice-maintenance; do
    ! getent passwd "$user" >/dev/null || userdel "$user"
done
! getent group sluice-web >/dev/null || groupdel sluice-web
version=$(ls /usr/lib/postgresql | sort -n | tail -n 1)
pg_createcluster --start "$version" main >/dev/null
"""

# nginx as Debian configures it, with the lines that deploy/README.md says to add.
FRONT = r"""
sed -i '0,/server_name _;/s|server_name _;|&@LINES@|' /etc/nginx/sites-available/default
printf 'olga:%s\n' "$(openssl passwd -apr1 secret)" >/etc/sluice/users
nginx
"""

# The web server has joined a group.
PAGE = """
nginx -s reload
curl -fsS --retry 5 -u olga:secret http://localhost/settings/ >/dev/null
curl -fsS --retry 5 -u olga:secret http://localhost/api/settings/me
"""

INVENTORY = """
{ find /etc /run /usr/local -name '*sluice*'; getent passwd; } | sort >/tmp/"$1"
"""


def front():
    lines = re.findall(r"`(include snippets/.*?;)`", (DEPLOY / "README.md").read_text())
    assert len(lines) == 3
    return FRONT.replace("@LINES@", "".join(lines))


def throwaway(script):
    """Runs a bash script in the throwaway machine."""
    # Not below /tmp, which that machine has of its own.
    with tempfile.TemporaryDirectory(prefix="sluice-machine-", dir="/var/tmp") as place:
        return subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--ipc", "--",
             "bash", "-euc", MACHINE, "machine", place, str(ROOT), script],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=600, check=False)


def test_links_lead_somewhere():
    """Links within the checkout, inline or as [name]: target."""
    target = re.compile(r"\]\(([^)#\s]+)|^\[[^]]+\]: ([^#\s]+)", re.M)
    links = [(file, one or other) for file in documents()
             for one, other in target.findall((ROOT / file).read_text())]
    local = [(file, link) for file, link in links if "://" not in link]
    assert len(local) > 10
    assert not [(file, link) for file, link in local if not (ROOT / file.parent / link).exists()]


def test_deploy_readme():
    if os.geteuid() != 0:
        pytest.skip("a throwaway machine needs root")
    if (tried := throwaway("true")).returncode:
        pytest.skip(f"no overlay or namespaces here: {tried.stdout.strip()}")
    steps = blocks("deploy/README.md", "sh")
    script = [PREPARE, "inventory() {", INVENTORY, "}\ninventory before\n"]
    first_request = next(n for n, step in enumerate(steps) if "curl" in step)
    members = next(n for n, step in enumerate(steps) if "member add" in step)
    for number, step in enumerate(steps):
        if number == first_request:
            script.append(front())
        if "systemctl" in step:  # offline it can enable units, not start them
            step = step.replace(" --now ", " ")
            step = f"if command -v systemctl >/dev/null; then\n{step}fi\n"
        script.append(step)
        if number == members:
            script.append(PAGE)
    script.append("inventory after\ndiff /tmp/before /tmp/after\necho uninstalled\n")
    done = throwaway("set -x\n" + "".join(script))
    assert done.returncode == 0, done.stdout[-6000:]
    assert done.stdout.endswith("uninstalled\n")


# Which tests run the commands of a document, as written.
RUN_BY = {
    "README.md": ["test_documents.py", "../check-fresh"],
    "deploy/README.md": ["test_documents.py"],
    "deploy/templates/README.md": ["test_product_orgs.py"],
    "sql-migrations/README.md": ["test_consumers.py", "test_dba.py", "test_product_orgs.py"],
}


def test_every_command_is_run():
    with_commands = [str(document) for document in documents()
                     if blocks(document, "sh") or blocks(document, "sql")]
    assert with_commands == sorted(RUN_BY)
    for document, tests in RUN_BY.items():
        for test in tests:
            text = (ROOT / "tests" / "e2e" / test).read_text()
            assert document in text or document == "README.md", f"{test} runs {document}"


def test_every_guide_is_followed():
    """By tests/machine, as a whole or in its parts."""
    guides = (ROOT / "deploy" / "README.md").read_text().partition("\n## Guides\n")[2]
    guides = guides.partition("\n## ")[0]
    followed = [re.compile(re.sub(r"\\{.*?\\}", ".*", re.escape(title)))
                for test in (ROOT / "tests" / "machine").glob("test_*.py")
                for title in re.findall(r'"([A-Z][^"\n]+)"', test.read_text())]
    titles = re.findall(r"^### (.*)\n((?:.*\n)*?)(?=### |## |\Z)", guides, re.M)
    assert titles
    for title, text in titles:
        for part in re.findall(r"^#### (.*)", text, re.M) or [title]:
            assert any(one.fullmatch(name) for one in followed for name in (title, part)), part


def test_targets_and_files_that_are_named():
    """`make TARGET` and `path/of/a.file` in running text are there."""
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))
    missing = []
    for document in documents():
        text = (ROOT / document).read_text()
        missing += [(document, f"make {target}")
                    for target in re.findall(r"`make ([a-z0-9-]+)[^`]*`", text)
                    if target not in targets]
        missing += [(document, name) for name in re.findall(
            r"`((?:fcgi-app|tests|deploy|sql-migrations)/[a-z0-9_./-]+)`", text)
                    if not (ROOT / name).exists()]
    assert not missing


def problems():
    """(code, HTTP status) of all that http/problem.c can say, in its order."""
    source = (ROOT / "fcgi-app" / "http" / "problem.c").read_text()
    return [(code, http) for http, code in re.findall(r"^PROBLEM\((\d+), (\w+),", source, re.M)
            if int(http) >= 400]


def test_every_code_is_in_the_troubleshooting():
    codes = section("Codes")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.+?) \| (.+?) \|$", codes, re.M)
    assert [(code, http) for http, code, *_ in rows] == problems()
    settings = set(re.findall(r"^#(\w+) = ", (DEPLOY / "sluice.conf.example").read_text(), re.M))
    named = {name for name in re.findall(r"`(\w+_\w+)`", codes)
             if name not in dict(problems())}
    assert named - settings <= {"last_refusal", "key_health", "max_connections", "pg_stat_activity"}
    assert len(named & settings) > 10


def test_sizes_are_those_measured():
    def rows(text):
        table = text.split("| payload | message id |")[1].split("\n\n")[0]
        return re.findall(r"^\| [\d,]+ \| (?:yes|no) \|.*$", table, re.M)

    results = (ROOT / "tests" / "bench" / "RESULTS.md").read_text()
    assert len(rows(results)) == 6
    assert rows(section("Sizing")) == rows(results)
    for figure in ("27,042", "21,096", "11,216", "185,267", "192,739",
                   "598 (500,000 signals)"):
        assert figure in results, figure
        assert figure.split()[0] in section("Sizing")


def test_promises_name_their_tests():
    rows = re.findall(r"^\| (.+?) \| (`.*`) \|$", section("What is promised"), re.M)
    assert len(rows) >= 14
    for promise, tests in rows:
        for file, name in re.findall(r"`(\S+)::(\w+)`", tests):
            assert f"\ndef {name}(" in (ROOT / file).read_text(), promise
        assert "::" in tests, promise
    maintainer = re.search(r"^Maintainer: .*<(.*)>$", (DEPLOY / "debian/control").read_text(), re.M)
    assert maintainer.group(1) in section("Report a vulnerability")


def test_files_of_the_questions():
    """fcgi-app/README.md says where a maintainer's questions are answered."""
    section = (ROOT / "fcgi-app" / "README.md").read_text().split("## Where is what")[1]
    rows = re.findall(r"^\| (.*?\?) \| (.*?) \|$", section.split("\n## ")[0], re.M)
    assert len(rows) >= 22
    for question, answer in rows:
        files = re.findall(r"`([^`]+)`", answer)
        assert files, question
        for file in files:
            assert any((root / file).exists() for root in (ROOT / "fcgi-app", ROOT)), \
                f"{question} {file}"


@pytest.mark.each_front
def test_readme_request(stack, key):
    commands, request, tool = blocks("README.md", "sh")
    shown, = blocks("README.md", "json")
    command = request.replace("https://your.host", stack.base_url).replace("sk_…", key["key"])
    done = subprocess.run(["sh", "-ec", command.replace("curl ", "curl -sS --noproxy '*' ", 1)],
                          check=True, stdout=subprocess.PIPE, timeout=60)
    answer = json.loads(done.stdout)
    assert answer == {**json.loads(shown), "id": answer["id"]}
    assert stack.ids(key) == [answer["id"]]
    # The two commands are run by check-fresh; the tool's by the next test.
    assert [line.split()[0] for line in commands.splitlines()] == ["deploy/quickstart", "tests/run"]
    assert all(line.startswith("sluicectl ") for line in tool.splitlines())


@pytest.mark.first_front
def test_readme_tool(stack_of_its_own):
    """The tool's commands in their order, with the id of the key that was made."""
    stack = stack_of_its_own
    commands = blocks("README.md", "sh")[2]
    env = {**ENVIRONMENT, **stack.env,
           "PATH": f"{os.path.dirname(stack.env['SLUICECTL'])}:{os.environ['PATH']}"}
    for line in commands.splitlines():
        if line.startswith("sluicectl key deactivate"):
            made, = [key for key in stack.ctl_json("key", "list")["keys"]
                     if key["name"] == "contact form"]
            line = line.replace(" 7 ", f" {made['id']} ")
        done = subprocess.run(["sh", "-ec", line], env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        stack.credentials.update(KEY.findall(done.stdout), SECRET.findall(done.stdout))
        assert done.returncode == 0, f"{line}\n{done.stdout}"
    assert [key["status"] for key in stack.ctl_json("key", "list")["keys"]
            if key["name"] == "contact form"] == ["deactivated"]


def test_problems_of_the_contract():
    """CONTRACT.md lists what http/problem.c can say, in its order."""
    source = (ROOT / "fcgi-app" / "http" / "problem.c").read_text()
    said = [(code, http, title) for http, code, title in re.findall(
        r'^PROBLEM\((\d+), (\w+), \d+,\s*"((?:[^"\\]|\\.)*)"', source, re.M) if int(http) >= 400]
    text = (ROOT / "fcgi-app" / "CONTRACT.md").read_text()
    table = text.split("| code | status | title |\n|---|---|---|\n")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \| (\d+) \| (.*) \|$", table, re.M) == said


def test_cases_of_the_promises():
    """Each promise of CONTRACT.md, section 10, names a test that there is, or a target of make."""
    text = (ROOT / "fcgi-app" / "CONTRACT.md").read_text()
    table = text.split("| promise | case that proves it |\n|---|---|\n")[1].split("\n\n")[0]
    there = {f"{file.name}::{name}" for folder in ("fault", "e2e")
             for file in (ROOT / "tests" / folder).glob("test_*.py")
             for name in re.findall(r"^def (test_\w+)\(", file.read_text(), re.M)}
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
    there.update(f"make {target}" for target in targets)
    for promise, cases in re.findall(r"^\| (.*) \| (.*) \|$", table, re.M):
        named = re.findall(r"`([^`]+)`", cases)
        assert named and set(named) <= there, f"{promise}: {set(named) - there}"

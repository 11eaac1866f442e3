"""The guides of deploy/README.md, followed word by word on booted machines.

A guide is a section; what is done is what a reader sees:

* ```sh is run by a shell of root, which keeps its variables and its directory from block to block,
  on the hosts that the text before names last: On `db.example.com`: (a guide of one host need not).
* ```text after it is what these commands print, on each host. In it … stands for anything.
* sk_… in a command is the key that was printed last.
* A block of another language is a file. The text before it says Write `/path` or Add to `/path`.
* Copy `/path` from `a.example.com` to `b.example.com` in the text is done.
"""

import pathlib
import re
import shlex
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "deploy" / "README.md"

PATIENCE = 600  # for a block, on a busy machine

BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.M | re.S)
NAMES = r"(?:`[\w.-]+`(?:, | and )?)+"
HOSTS = re.compile(rf"\bOn ({NAMES})")
COPY = re.compile(rf"\bCopy ((?:`/[^`]+`(?:, | and )?)+) from `([\w.-]+)` to ({NAMES})")
FILE = re.compile(r"\b([Ww]rite|[Aa]dd to) `(/[^`]+)`")
KEY = re.compile(r"\bsk_\w{20,}")
SHELL = """
test ! -e /root/.guide || . /root/.guide
{{
{commands}
}} 2>&1
{{ declare -p | grep -v '^declare -[^ ]*r'; declare -p PWD | sed 's/.*PWD=/cd /'; }} >/root/.guide
"""


def section(title):
    """The text below a heading of any level, until the next of its level or higher."""
    document = DOCUMENT.read_text()
    # The same without blocks: a comment in one looks like a heading.
    prose = BLOCK.sub(lambda block: " " * len(block.group()), document)
    head = re.search(rf"^(#+) {re.escape(title)}\n", prose, re.M)
    assert head, f"deploy/README.md has no section {title}"
    following = re.compile(rf"^#{{1,{len(head.group(1))}}} ", re.M).search(prose, head.end())
    return document[head.end():following.start() if following else None]


def parts(text):
    """(the text before it, language, content) of each block, and the text after the last."""
    at = 0
    for block in BLOCK.finditer(text):
        yield " ".join(text[at:block.start()].split()), block.group(2), \
            textwrap.dedent(block.group(3))
        at = block.end()
    yield " ".join(text[at:].split()), None, ""


def quoted(text):
    return re.findall(r"`(.*?)`", text)


def expected(text):
    """A regular expression for what a ```text block shows."""
    return r".*?".join(re.escape(part) for part in text.strip().split("…"))


class Site:
    """Machines by their names, on which guides are followed."""

    def __init__(self, machines):
        self.machines = machines
        self.key = None

    def follow(self, *titles):
        """Does what these sections say, one after the other."""
        for title in titles:
            self.follow_section(title)

    def follow_section(self, title):
        hosts = list(self.machines) if len(self.machines) == 1 else []
        printed = None
        for before, language, content in parts(section(title)):
            for paths, source, targets in COPY.findall(before):
                for path in quoted(paths):
                    self.copy(path, source, quoted(targets))
            for named in HOSTS.findall(before):
                hosts = quoted(named)
            if language == "text":
                assert printed is not None, f"{title}: no command before\n{content}"
                for each in printed:
                    assert re.fullmatch(expected(content), each.strip(), re.S), \
                        f"{title}: expected\n{content}\nprinted was\n{each}"
            elif language == "sh":
                assert hosts, f"{title}: no host is named for\n{content}"
                printed = [self.run(host, content) for host in hosts]
            elif language:
                assert hosts, f"{title}: no host is named for\n{content}"
                self.write(hosts, FILE.findall(before), content)

    def run(self, host, commands):
        if "sk_…" in commands:
            assert self.key, f"no key was printed before\n{commands}"
            commands = commands.replace("sk_…", self.key)
        printed = self.machines[host].run(SHELL.format(commands=commands), timeout=PATIENCE)
        for self.key in KEY.findall(printed):
            pass
        return printed

    def write(self, hosts, named, content):
        assert named, f"no file is named for\n{content}"
        verb, path = named[-1]
        arrow = ">>" if verb.endswith("to") else ">"
        for host in hosts:
            self.machines[host].run(f"printf %s {shlex.quote(content)} {arrow}{shlex.quote(path)}")

    def copy(self, path, source, targets):
        """A file that is there already keeps its mode and owner."""
        path = shlex.quote(path)
        mode = self.machines[source].run(f"stat -c %a {path}").strip()
        text = shlex.quote(self.machines[source].run(f"base64 {path}"))
        for target in targets:
            self.machines[target].run(f"test -e {path} || install -D -m {mode} /dev/null {path}\n"
                                      f"echo {text} | base64 -d >{path}")

"""Turns a git remote, however it is spelt, into the public address of its repository."""

import re
import subprocess
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

COMMAND_TIMEOUT_S = 10
SHORT_FORM = re.compile(r"(?:[^@/]+@)?(\[[^\]/]+\]|[^/:@\[\]]{2,}):(?!//)")  # ssh; a single letter is a Windows drive
SCHEMES = {"https", "http", "git"}
SSH_SCHEMES = {"ssh", "git+ssh", "ssh+git"}
DEFAULT_PORTS = {"https": 443, "http": 80}
BITBUCKET_SERVER_SSH_PORT = 7999  # its repositories have a different path over https
SAME_HOST = {  # hosts for getting through firewalls, and other spellings
    "www.github.com": "github.com",
    "ssh.github.com": "github.com",
    "www.gitlab.com": "gitlab.com",
    "altssh.gitlab.com": "gitlab.com",
    "www.bitbucket.org": "bitbucket.org",
    "altssh.bitbucket.org": "bitbucket.org",
    "www.codeberg.org": "codeberg.org",
    "hf.co": "huggingface.co",
    "ssh.dev.azure.com": "dev.azure.com",
    "vs-ssh.visualstudio.com": "dev.azure.com",
}
ALIAS = re.compile(r"((?:github|gitlab)\.com|bitbucket\.org|codeberg\.org|dev\.azure\.com)[-_].*")  # github.com-work


@dataclass(frozen=True)
class Repository:
    """A repository on a host. `host` includes any port that isn't the scheme's default; `ref` is a branch or commit."""

    scheme: str
    host: str
    path: str
    ref: str

    @property
    def address(self) -> str:
        """The repository's address for browsers and `git clone`, without user and password."""
        return f"{self.scheme}://{self.host}/{self.path}"

    @property
    def on_github(self) -> bool:
        """Whether it is on github.com, not on a GitHub Enterprise server."""
        return self.host == "github.com" and self.path.count("/") == 1

    @property
    def pages_address(self) -> str:
        """Where GitHub Pages or GitLab Pages publish its pages; empty on other hosts."""
        owner, _, name = self.path.partition("/")
        if not (self.on_github or self.host == "gitlab.com"):
            return ""
        site = f"{owner.lower()}.{self.host.partition('.')[0]}.io"
        return f"https://{site}" if name.lower() == site else f"https://{site}/{name}"


def find_repository(folder: Path) -> Repository | None:
    """The repository that the current branch of `folder` is pushed to; None if it has no remote on a public host."""
    remote, branch = _pushed_to(folder)
    location = _parse(_git(folder, "remote", "get-url", remote) or remote)
    return Repository(*location, branch) if location else None


def has_remote(folder: Path) -> bool:
    """Whether git knows any remote for `folder`, public or not."""
    return bool(_git(folder, "remote"))


def project_files(folder: Path) -> list[Path]:
    """The files in `folder` that git tracks, and new ones that it doesn't ignore."""
    names = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return sorted({folder / name for name in names if name and (folder / name).is_file()})


def _pushed_to(folder: Path) -> tuple[str, str]:
    """Names of the remote and the branch there, or the commit if no branch is checked out, as on Binder."""
    remotes = _git(folder, "remote").split()
    fallback = "origin" if "origin" in remotes else next(iter(remotes), "")
    branch = _git(folder, "branch", "--show-current")
    if not branch:
        return fallback, _git(folder, "rev-parse", "HEAD")
    upstream, merge = (_git(folder, "config", f"branch.{branch}.{entry}") for entry in ("remote", "merge"))
    pushed = _git(folder, "config", f"branch.{branch}.pushRemote") or _git(folder, "config", "remote.pushDefault")
    if pushed in remotes and pushed != upstream:
        return pushed, branch
    if upstream in ("", "."):  # not pushed yet, or it follows a branch of this repository
        return fallback, branch
    return upstream, merge.removeprefix("refs/heads/") or branch


def _parse(remote: str) -> tuple[str, str, str] | None:
    """Scheme, host and path; None if the remote is a folder, or on no public host."""
    short = SHORT_FORM.match(remote)
    try:
        parts = urlsplit(f"ssh://{short[1]}/{remote[short.end() :]}" if short else remote)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    path = parts.path.strip("/").removesuffix(".git")
    if parts.scheme in SSH_SCHEMES:
        host, path = _over_https(_ssh_host(host), port, path)
    elif parts.scheme not in SCHEMES:
        return None
    host = SAME_HOST.get(host.rstrip("."), host.rstrip("."))
    if not path or not _is_public(host):
        return None
    scheme = "http" if parts.scheme == "http" and host not in SAME_HOST.values() else "https"
    own_port = parts.scheme in DEFAULT_PORTS and port not in (None, DEFAULT_PORTS[parts.scheme])
    host = f"[{host}]" if ":" in host else host
    return scheme, f"{host}:{port}" if own_port else host, path


def _is_public(host: str) -> bool:
    """Whether other computers may reach a host: a domain or a public IP address."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(".localhost")


def _over_https(host: str, port: int | None, path: str) -> tuple[str, str]:
    """The host and path over https of a repository that is reached by ssh."""
    host = SAME_HOST.get(host, host)
    if host == "dev.azure.com" and path.startswith("v3/") and path.count("/") == 3:
        _, organisation, project, name = path.split("/")
        path = f"{organisation}/{project}/_git/{name}"
    elif port == BITBUCKET_SERVER_SSH_PORT:
        path = f"scm/{path}"
    return host, path


def _ssh_host(name: str) -> str:
    """The host that ssh connects to: `name` may be an alias in ~/.ssh/config, or look like one, as github.com-work."""
    if name.startswith("-"):  # ssh would take it for an option
        return ""
    settings = dict(line.partition(" ")[::2] for line in _run(["ssh", "-G", name], None).splitlines())
    host = settings.get("hostname", name).lower()
    alias = ALIAS.fullmatch(host)
    return alias[1] if alias else host


def _git(folder: Path, *arguments: str) -> str:
    return _run(["git", *arguments], folder)


def _run(command: list[str], folder: Path | None) -> str:
    """A command's output; empty if it fails or isn't installed."""
    try:
        run = subprocess.run(
            command, cwd=folder, check=True, capture_output=True, encoding="utf-8", timeout=COMMAND_TIMEOUT_S
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return run.stdout.strip()

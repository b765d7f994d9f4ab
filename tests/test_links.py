"""The links that open the app, for every remote that people have, and the address in the documents."""

import json
import os
import re
import shutil
import subprocess
from urllib.parse import quote

import pytest
from conftest import ROOT

from foodvision.cli import main
from foodvision.page import links
from foodvision.page.remote import find_repository

PAGE = "urlpath=voila%2Frender%2Ffoodvision.ipynb"


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch, tmp_path_factory):
    """Neither the git nor the ssh configuration of whoever runs the tests."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for name in [name for name in os.environ if name.startswith(("GIT_DIR", "BINDER_"))]:
        monkeypatch.delenv(name)
    use_ssh(monkeypatch, tmp_path_factory.mktemp("ssh"), 'echo "hostname $2"')


def use_ssh(monkeypatch, folder, script):
    """Put an `ssh` first in the PATH that runs a script, as ssh itself reads no other ~/.ssh/config."""
    (folder / "ssh").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.fixture
def repository(tmp_path):
    """A git repository on the branch `main`, with one commit."""
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", tmp_path], check=True)
    author = "-c", "user.name=A", "-c", "user.email=a@example.org"
    git(tmp_path, *author, "commit", "--quiet", "--allow-empty", "--message=A")
    return tmp_path


def git(folder, *arguments):
    subprocess.run(["git", "-C", folder, *arguments], check=True)


def add_remote(repository, address, name="origin"):
    git(repository, "remote", "add", name, address)


def on_git(address):
    return f"git/{quote(address, safe='')}"


@pytest.mark.parametrize(
    ("remote", "path"),
    [
        ("https://github.com/someone/food.git", "gh/someone/food"),
        ("http://github.com/someone/food", "gh/someone/food"),
        ("https://www.github.com/someone/food", "gh/someone/food"),
        ("https://GitHub.com:443/someone/food", "gh/someone/food"),
        ("git://github.com/someone/food.git", "gh/someone/food"),
        ("git@github.com:someone/food.git", "gh/someone/food"),
        ("github.com:someone/food", "gh/someone/food"),
        ("ssh://git@github.com:22/someone/food", "gh/someone/food"),
        ("git+ssh://git@github.com/someone/food.git", "gh/someone/food"),
        ("ssh://git@ssh.github.com:443/someone/food.git", "gh/someone/food"),
        ("org-1234@github.com:someone/food.git", "gh/someone/food"),
        ("git@github.com-work:someone/food.git", "gh/someone/food"),
        ("https://github.com/someone/food.js/", "gh/someone/food.js"),
        ("https://gitlab.com/group/team/food.git", "gl/group%2Fteam%2Ffood"),
        ("ssh://git@altssh.gitlab.com:443/group/food.git", "gl/group%2Ffood"),
        ("git@gitlab.com-work:group/food.git", "gl/group%2Ffood"),
        ("https://codeberg.org/someone/food.git", on_git("https://codeberg.org/someone/food")),
        ("git@codeberg.org:someone/food.git", on_git("https://codeberg.org/someone/food")),
        ("git@bitbucket.org:team/food.git", on_git("https://bitbucket.org/team/food")),
        ("ssh://git@altssh.bitbucket.org:443/team/food.git", on_git("https://bitbucket.org/team/food")),
        ("ssh://git@bitbucket.example.org:7999/team/food.git", on_git("https://bitbucket.example.org/scm/team/food")),
        ("git@git.sr.ht:~someone/food", on_git("https://git.sr.ht/~someone/food")),
        ("git@hf.co:spaces/someone/food", on_git("https://huggingface.co/spaces/someone/food")),
        ("https://github.example.org/someone/food.git", on_git("https://github.example.org/someone/food")),
        ("git@github.example.org:someone/food.git", on_git("https://github.example.org/someone/food")),
        ("git@ssh.dev.azure.com:v3/org/project/food", on_git("https://dev.azure.com/org/project/_git/food")),
        ("org@vs-ssh.visualstudio.com:v3/org/project/food", on_git("https://dev.azure.com/org/project/_git/food")),
        ("https://org@dev.azure.com/org/project/_git/food", on_git("https://dev.azure.com/org/project/_git/food")),
        ("https://example.org:8443/a/b.git", on_git("https://example.org:8443/a/b")),
        ("http://example.org:3000/a/b.git", on_git("http://example.org:3000/a/b")),
        ("http://example.org:80/a/b", on_git("http://example.org/a/b")),
        ("http://gitea.local:3000/a/b.git", on_git("http://gitea.local:3000/a/b")),
        ("ssh://git@example.org:2222/a/b.git", on_git("https://example.org/a/b")),
        (
            "ssh://git@[2606:4700:4700::1111]:2222/a/b.git",
            on_git("https://[2606:4700:4700::1111]/a/b"),
        ),
        ("git@[2606:4700:4700::1111]:a/b.git", on_git("https://[2606:4700:4700::1111]/a/b")),
    ],
)
def test_the_link_opens_the_page_of_any_remote(repository, remote, path):
    add_remote(repository, remote)
    assert links.binder_link(repository) == f"https://mybinder.org/v2/{path}/main?{PAGE}"


UNREACHABLE = ["file:///srv/git/x.git", "/srv/git/x.git", "../x.git", "C:/x/y", r"C:\x\y", "codecommit::eu-west-1://x"]
UNREACHABLE += ["git@localhost:a/b.git", "http://127.0.0.1:3000/a/b", "http://192.168.1.2/a/b", "git@[::1]:a/b"]
UNREACHABLE += ["git@nas:a/b", "git@[2001:db8::1]:a/b.git", "git@[nonsense]:a/b", "https://[nonsense/a/b"]
UNREACHABLE += ["https://github.com", "https:///x/y", "https://github.com:port/a/b", "https://github.com:99999/a/b"]
UNREACHABLE += ["ssh://-oProxyCommand=x/a/b"]


@pytest.mark.parametrize("remote", UNREACHABLE)
def test_a_remote_that_nobody_else_can_reach_has_no_link(repository, remote, capsys):
    add_remote(repository, remote)
    assert links.binder_link(repository) is links.colab_link(repository) is None
    assert links.print_links(repository) == 1
    assert "not on a public host" in capsys.readouterr().err


@pytest.mark.parametrize(
    "remote",
    [
        "https://someone:s3cret@github.com/someone/food.git",
        "https://s3cret@github.com/someone/food.git",
        "https://oauth2:s3cret@gitlab.com/someone/food.git",
        "https://x-access-token:s3cret@example.org:8443/someone/food",
        "https://example.org/someone/food?private_token=s3cret",
        "https://someone:s3cret/more@github.com/someone/food.git",
        "https://someone:12/s3cret@github.com/someone/food.git",
        "https://someone:12#s3cret@github.com/someone/food.git",
        "someone:s3cret@github.com:someone/food.git",
        "ssh://someone:s3cret@github.com/someone/food.git",
        "http://s3cret@192.168.1.2/someone/food",
    ],
)
def test_no_password_is_printed_or_written(repository, remote, capsys):
    add_remote(repository, remote)
    (repository / "README.md").write_text("https://github.com/OWNER/REPO, OWNER/REPO", encoding="utf-8")
    links.print_links(repository)
    links.print_links(repository, write=True)
    printed = capsys.readouterr()
    assert "s3cret" not in printed.out + printed.err + (repository / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("hostname", "path"), [("github.com", "gh/someone/food"), ("ssh.github.com", "gh/someone/food")]
)
def test_an_alias_of_the_ssh_configuration_is_looked_up(repository, monkeypatch, tmp_path_factory, hostname, path):
    script = f'test "$1 $2" = "-G work" && printf "user git\\nhostname {hostname}\\nport 443\\n"'
    use_ssh(monkeypatch, tmp_path_factory.mktemp("configured"), script)
    add_remote(repository, "git@work:someone/food.git")
    assert f"/v2/{path}/main?" in links.binder_link(repository)


def test_without_ssh_the_host_counts_as_it_is_written(repository, monkeypatch, tmp_path_factory):
    use_ssh(monkeypatch, tmp_path_factory.mktemp("broken"), "exit 1")
    add_remote(repository, "git@github.com:someone/food.git")
    assert "/gh/someone/food/" in links.binder_link(repository)


def test_an_abbreviation_of_the_git_configuration_is_resolved(repository):
    git(repository, "config", "url.https://github.com/.insteadOf", "gh:")
    add_remote(repository, "gh:someone/food")
    assert "/gh/someone/food/" in links.binder_link(repository)


def test_the_link_names_the_branch_or_else_the_commit(repository):
    add_remote(repository, "https://github.com/someone/food", "fork")
    git(repository, "switch", "--quiet", "--create", "new/look")
    assert "/gh/someone/food/new%2Flook?" in links.binder_link(repository)
    assert links.colab_link(repository).endswith("/github/someone/food/blob/new/look/train.ipynb")
    git(repository, "switch", "--quiet", "--detach")
    assert re.search(r"/gh/someone/food/[0-9a-f]{40}\?", links.binder_link(repository))


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"branch.main.remote": "origin", "branch.main.merge": "refs/heads/release/1"}, "original/food/release%2F1"),
        ({"branch.main.remote": "fork", "branch.main.merge": "refs/heads/main"}, "someone/food/main"),
        ({"branch.main.remote": ".", "branch.main.merge": "refs/heads/other"}, "original/food/main"),
        ({"branch.main.remote": "https://github.com/third/food"}, "third/food/main"),
        (
            {"branch.main.remote": "origin", "branch.main.merge": "refs/heads/dev", "branch.main.pushRemote": "fork"},
            "someone/food/main",
        ),
        (
            {"branch.main.remote": "origin", "branch.main.merge": "refs/heads/dev", "remote.pushDefault": "fork"},
            "someone/food/main",
        ),
    ],
)
def test_the_link_names_the_remote_and_branch_that_are_pushed_to(repository, settings, path):
    add_remote(repository, "https://github.com/original/food")
    add_remote(repository, "https://github.com/someone/food", "fork")
    for name, value in settings.items():
        git(repository, "config", name, value)
    assert links.binder_link(repository) == f"https://mybinder.org/v2/gh/{path}?{PAGE}"


def test_share_prints_links_and_badges(repository, capsys):
    add_remote(repository, "https://github.com/someone/food")
    assert links.print_links(repository) == 0
    printed = capsys.readouterr().out
    assert printed.count(links.binder_link(repository)) == printed.count(links.colab_link(repository)) == 2


def test_without_a_remote_there_is_no_link(repository, tmp_path_factory, capsys):
    assert links.binder_link(repository) is links.colab_link(repository) is None
    for write in False, True:
        assert links.print_links(repository, write=write) == 1 and "Push this folder" in capsys.readouterr().err
    assert links.binder_link(tmp_path_factory.mktemp("no repository")) is None


def test_on_binder_the_link_is_the_one_that_launched_it(monkeypatch):
    monkeypatch.setenv("BINDER_LAUNCH_HOST", "https://hub.example.org/")
    monkeypatch.setenv("BINDER_REQUEST", "v2/gl/group%2Ffood/main")
    assert links.binder_link() == f"https://hub.example.org/v2/gl/group%2Ffood/main?{PAGE}"


def test_an_installed_package_links_no_repository_that_it_happens_to_lie_in(repository, monkeypatch):
    add_remote(repository, "https://github.com/someone/else")
    monkeypatch.setattr(links, "CHECKOUT", None)
    monkeypatch.setattr(links, "PACKAGED", repository)
    monkeypatch.chdir(repository)
    assert links.binder_link() is None
    (repository / "foodvision.ipynb").touch()
    assert links.binder_link() is None


def test_a_copy_in_the_current_folder_is_linked_rather_than_the_checkout(repository, monkeypatch):
    add_remote(repository, "https://github.com/someone/food")
    (repository / "foodvision.ipynb").touch()
    monkeypatch.chdir(repository)
    assert "/gh/someone/food/main?" in links.binder_link()


# The address in the documents


@pytest.fixture
def documents(repository):
    """Copies of the documents in which an address is to be written, and of a file in which none is."""
    for path in links.documents_to_link(ROOT):
        copy = repository / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    example = (
        "[![Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/OWNER/REPO/HEAD?urlpath=x)\r\n"
    )
    example += "[![Colab](x.svg)](https://colab.research.google.com/github/OWNER/REPO/blob/HEAD/train.ipynb)\r\n"
    example += "[advisories](https://github.com/OWNER/REPO/security), ^(?!OWNER/REPO/) café\r\n"
    (repository / "example.md").write_bytes(example.encode())
    (repository / "code.py").write_text("OWNER/REPO", encoding="utf-8")
    (repository / ".gitignore").write_text("ignored", encoding="utf-8")
    (repository / "ignored").mkdir()
    (repository / "ignored" / "example.md").write_text("OWNER/REPO", encoding="utf-8")
    return repository


def test_one_command_writes_the_address_into_every_document(documents, monkeypatch, capsys):
    add_remote(documents, "git@github.com:someone/food.git")
    (documents / "foodvision.ipynb").write_text('{"cells": []}', encoding="utf-8")
    monkeypatch.chdir(documents)
    assert main(["share"]) == 0 and "Run: foodvision share --write" in capsys.readouterr().out
    assert main(["share", "--write"]) == 0
    assert "example.md" in capsys.readouterr().out
    assert links.documents_to_link(documents) == []
    lines = (documents / "example.md").read_bytes().decode().split("\r\n")
    assert "(https://mybinder.org/v2/gh/someone/food/HEAD?urlpath=x)" in lines[0]
    assert "(https://colab.research.google.com/github/someone/food/blob/HEAD/train.ipynb)" in lines[1]
    assert lines[2:] == ["[advisories](https://github.com/someone/food/security), ^(?!someone/food/) café", ""]
    for notebook in documents.glob("*.ipynb"):
        assert json.loads(notebook.read_text(encoding="utf-8")), "the notebook is still one"
    assert (documents / "code.py").read_text(encoding="utf-8") == "OWNER/REPO"
    assert (documents / "ignored" / "example.md").read_text(encoding="utf-8") == "OWNER/REPO"
    assert main(["share", "--write"]) == 0 and "No document says" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("remote", "binder", "address"),
    [
        ("https://gitlab.com/group/food", "gl/group%2Ffood", "https://gitlab.com/group/food"),
        ("git@codeberg.org:a/b", "git/https%3A%2F%2Fcodeberg.org%2Fa%2Fb", "https://codeberg.org/a/b"),
    ],
)
def test_for_another_host_the_colab_badge_goes(documents, remote, binder, address, capsys):
    add_remote(documents, remote)
    assert links.print_links(documents, write=True) == 0
    assert "SECURITY.md" in capsys.readouterr().out
    text = (documents / "example.md").read_text(encoding="utf-8")
    assert f"https://mybinder.org/v2/{binder}/HEAD" in text and f"({address}/security)" in text
    assert "colab" not in text and "github" not in text
    assert links.documents_to_link(documents) == []


def test_documents_of_a_repository_with_a_public_remote_have_its_address():
    repository = find_repository(ROOT)
    forgotten = links.documents_to_link(ROOT) if repository else []
    assert not forgotten, "Run: foodvision share --write"


def test_the_readme_opens_the_page():
    assert "?urlpath=voila%2Frender%2Ffoodvision.ipynb)" in (ROOT / "README.md").read_text(encoding="utf-8")

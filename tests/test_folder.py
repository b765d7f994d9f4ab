"""A folder of any size becomes a table: every photo once, whatever stopped the run before it."""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import termios
import threading
import time
import weakref

import onnx
import pandas as pd
import pytest
from conftest import MODEL
from distributed import Client, LocalCluster
from PIL import Image

from foodvision import Classifier
from foodvision.batch import engines, folder
from foodvision.batch.csv_table import CsvTable
from foodvision.batch.folder import answer_folder
from foodvision.batch.names import one_line, photos_in
from foodvision.batch.tables import FolderError
from foodvision.cli import main

KINDS = pytest.mark.parametrize("kind", ["csv", "parquet"])
SMALL_PARTS = """
import sys
from foodvision.batch import folder
from foodvision.cli import main
for table in folder.TABLES.values():
    table.rows_per_write = 20
"""
RUN = SMALL_PARTS + "sys.exit(main(sys.argv[1:]))"


def draw(path, number=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_mandelbrot((64, 48), (-2, -1, 1 + number / 100, 1), 9 + number).convert("RGB").save(path)


@pytest.fixture
def photos(tmp_path):
    """A folder with four photos in three places, one of them unreadable, and files that aren't photos."""
    here = tmp_path / "photos"
    draw(here / "b.jpg", 1)
    draw(here / "a" / "deep" / "er.png", 2)
    draw(here / "a" / 'odd, "name" 🍕.webp', 3)
    draw(here / "a" / ".hidden.jpg")
    (here / "bad.JPG").write_text("this is not a photo")
    (here / "notes.txt").write_text("nor is this, and it doesn't claim to be")
    return here


@pytest.fixture(scope="session")
def many(tmp_path_factory):
    """A folder of 300 photos."""
    here = tmp_path_factory.mktemp("many")
    for number in range(300):
        draw(here / f"{number % 3}" / f"{number:03}.jpg", number)
    return here


def read(path):
    """The table, sorted by photo."""
    table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    return table.sort_values("photo", ignore_index=True)


def same(one, other):
    return one.astype(object).fillna("").equals(other.astype(object).fillna(""))


@KINDS
def test_every_photo_in_a_folder_gets_a_row(photos, tmp_path, kind, capsys):
    output = tmp_path / f"answers.{kind}"
    assert main([str(photos), "--output", str(output)]) == 0
    assert "4 photos answered (1 could not be read)" in capsys.readouterr().out
    table = read(output).set_index("photo")
    assert set(table.index) == {"b.jpg", "bad.JPG", "a/deep/er.png", 'a/odd, "name" 🍕.webp'}
    assert "not a photo" in table.error["bad.JPG"] and pd.isna(table.label["bad.JPG"])
    for name, row in table.drop("bad.JPG").iterrows():
        prediction = Classifier().predict(photos / name)
        assert (row.label, row.unsure) == (prediction.label, prediction.unsure) and pd.isna(row.error)
        assert row.probability == pytest.approx(prediction.probability, abs=1e-5)
        for food, probability in prediction.probabilities.items():
            assert row[f"probability_{food}"] == pytest.approx(probability, abs=1e-5)


def test_without_a_table_a_folder_prints_a_line_per_photo(photos, capsys):
    assert main([str(photos), str(photos / "b.jpg")]) == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 4 and str(photos / "a" / "deep" / "er.png") in printed.out
    assert printed.err.startswith(f"{photos / 'bad.JPG'}: This is not a photo")


def test_the_order_is_stable_and_hidden_files_are_left_out(photos):
    assert list(photos_in(photos)) == ["b.jpg", "bad.JPG", 'a/odd, "name" 🍕.webp', "a/deep/er.png"]


def test_a_folder_that_cannot_be_opened_is_reported(photos):
    closed = []
    names = photos_in(photos, closed)
    next(names)
    shutil.rmtree(photos / "a")
    assert list(names) == ["bad.JPG"] and closed == [str(photos / "a")]


def test_a_name_is_text_on_one_line():
    assert one_line("two\nlines\r.jpg") == "two\\nlines\\r.jpg"
    assert one_line(os.fsdecode(b"caf\xe9.jpg")).encode() == b"caf\\udce9.jpg"
    assert one_line("café 9\u202fAM.jpg") == "café 9\u202fAM.jpg"


@pytest.mark.slow
@KINDS
@pytest.mark.parametrize(("blow", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_an_interrupted_run_resumes(many, tmp_path, kind, blow, status):
    output = tmp_path / f"answers.{kind}"
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, many, "--output", output],
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # in the background, it would be ignored
    )
    while run.poll() is None and not has_rows(output):
        time.sleep(0.01)
    run.send_signal(blow)
    assert run.wait(60) == status
    kept = read(output)
    assert 0 < len(kept) < 300
    tally = answer_folder(many, output)
    assert (tally.before, tally.answered) == (len(kept), 300 - len(kept))
    table = read(output)
    assert len(table) == table.photo.nunique() == 300 and table.label.notna().all()
    assert same(table[table.photo.isin(kept.photo)].reset_index(drop=True), kept)


def has_rows(output):
    if output.suffix == ".csv":
        return output.exists() and output.stat().st_size > 0
    return any(output.glob("part-*.parquet"))


@pytest.mark.slow
@KINDS
def test_a_full_disk_is_reported_and_loses_no_answer(many, tmp_path, kind):
    """A limit on file sizes stops a write halfway, as a full disk does."""
    output = tmp_path / f"answers.{kind}"
    half = 12_000 if kind == "csv" else 3000  # bytes: some of the rows, or less than a part
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({half}, {half}))\n{RUN}"
    run = subprocess.run(
        [sys.executable, "-c", limited, many, "--output", output], capture_output=True, encoding="utf-8", check=False
    )
    assert run.returncode == 1 and "can't be written: File too large." in run.stderr
    assert "Traceback" not in run.stderr
    tally = answer_folder(many, output)
    assert (tally.before > 0) == (kind == "csv") and tally.before + tally.answered == 300
    assert sorted(read(output).photo) == sorted(photos_in(many))


def test_a_line_cut_short_is_not_taken_for_an_answer(photos, tmp_path):
    output = tmp_path / "answers.csv"
    answer_folder(photos, output)
    whole = output.read_bytes()
    for length in range(0, len(whole), 61):
        output.write_bytes(whole[:length])
        answer_folder(photos, output)
        assert output.read_bytes() == whole


@KINDS
def test_new_photos_are_answered_and_the_others_left_alone(photos, tmp_path, kind):
    output = tmp_path / f"answers.{kind}"
    answer_folder(photos, output)
    draw(photos / "a" / "new.jpg")
    tally = answer_folder(photos, output)
    assert (tally.before, tally.answered) == (4, 1)
    assert answer_folder(photos, output).answered == 0
    assert len(read(output)) == 5


def test_only_the_photos_of_a_removed_part_are_answered_again(photos, tmp_path):
    output = tmp_path / "answers.parquet"
    for name in ("one.jpg", "two.jpg"):
        answer_folder(photos, output)
        draw(photos / name)
    first, _ = sorted(output.glob("part-*.parquet"))
    first.unlink()
    answer_folder(photos, output)
    assert sorted(read(output).photo) == sorted(photos_in(photos))


def test_a_photo_that_disappears_during_the_run_gets_no_row(photos):
    digest = folder.sha256(MODEL)
    rows = folder.answer_batch(["gone.jpg", "b.jpg"], str(photos), str(MODEL), digest)
    assert [row["photo"] for row in rows] == ["b.jpg"]
    with pytest.raises(FolderError, match="can't be seen"):
        folder.answer_batch(["b.jpg"], str(photos / "elsewhere"), str(MODEL), digest)


@KINDS
def test_answers_of_another_model_folder_or_program_are_not_mixed_in(photos, tmp_path, kind):
    output = tmp_path / f"answers.{kind}"
    answer_folder(photos, output)
    other = onnx.load(MODEL)
    other.doc_string = "the same weights, in another file"
    onnx.save(other, tmp_path / "other.onnx")
    with pytest.raises(FolderError, match=r"another model\. Name another file"):
        answer_folder(photos, output, model=tmp_path / "other.onnx")
    with pytest.raises(FolderError, match=rf"photos in {re.escape(str(photos))}\. Name another file"):
        answer_folder(photos / "a", output)
    foreign = tmp_path / f"foreign.{kind}"
    foreign.write_text("someone's own table")
    with pytest.raises(FolderError, match=r"not written by this command.* Name another file"):
        answer_folder(photos, foreign)
    assert foreign.read_text() == "someone's own table" and len(read(output)) == 4


def test_what_cannot_be_done_gets_a_sentence(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(engines, "CLUSTER_TIMEOUT_S", 1)
    for arguments, sentence in {
        (photos, "--output", tmp_path / "answers.xlsx"): "answers.xlsx should end in .csv or .parquet.",
        (photos / "none", "--output", tmp_path / "answers.csv"): f"{photos / 'none'}: There is no such folder.",
        (photos, "--output", photos / "b.jpg" / "answers.csv"): "answers.csv can't be written: File exists.",
        (photos, "--output", tmp_path / "answers.csv", "--scheduler", "tcp://localhost:1"): "No Dask worker answers at",
    }.items():
        assert main(list(map(str, arguments))) == 1
        assert sentence in capsys.readouterr().err


@pytest.mark.slow
def test_a_large_folder_is_never_held_in_memory(many, tmp_path, monkeypatch):
    """On two cores: counts the pictures in memory, and the photos that are listed but not written yet."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(CsvTable, "rows_per_write", 20)
    lock, pictures, listed, written = threading.Lock(), [0, 0], [0, 0], 0  # [now, at most]
    read_photo, list_photos, write = Classifier.read, folder.photos_in, CsvTable.write

    def count(tally, by):
        with lock:
            tally[0] += by
            tally[1] = max(tally)

    def reading(self, photo):
        picture = read_photo(self, photo)
        count(pictures, 1)
        weakref.finalize(picture, count, pictures, -1)
        return picture

    def listing(*arguments):
        for name in list_photos(*arguments):
            count(listed, 1)
            yield name

    def writing(self, rows, end):
        nonlocal written
        end = write(self, rows, end)
        count(listed, -len(rows))
        written += len(rows)
        return end

    monkeypatch.setattr(Classifier, "read", reading)
    monkeypatch.setattr(folder, "photos_in", listing)
    monkeypatch.setattr(CsvTable, "write", writing)
    answer_folder(many, tmp_path / "answers.csv")
    assert written == 300 and listed[0] == pictures[0] == 0
    assert 0 < pictures[1] <= 2
    assert listed[1] <= 4 * engines.PHOTOS_PER_TASK + 20 < 300


@pytest.fixture
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=":0") as cluster:
        yield cluster


@pytest.mark.slow
def test_a_running_dask_cluster_gives_the_same_rows(many, tmp_path, cluster):
    here, there = tmp_path / "here.parquet", tmp_path / "there.parquet"
    answer_folder(many, here)
    assert main([str(many), "--output", str(there), "--scheduler", cluster.scheduler_address]) == 0
    assert same(read(there), read(here))
    with Client(cluster) as client:
        loads = client.run(models_loaded)
    assert list(loads.values()) == [1, 1]  # both workers took part, and each loaded the model once


def models_loaded():
    return folder._load.cache_info().misses


@pytest.mark.slow
def test_two_workers_on_this_machine_give_the_same_rows(photos, tmp_path):
    answer_folder(photos, tmp_path / "here.csv")
    command = [sys.executable, "-m", "foodvision", photos, "--output", tmp_path / "there.csv", "--workers", "2"]
    run = subprocess.run(command, cwd=MODEL.parent, capture_output=True, encoding="utf-8", check=True)
    assert "4 photos answered" in run.stdout and not run.stderr
    assert (tmp_path / "there.csv").read_text() == (tmp_path / "here.csv").read_text()


@pytest.mark.slow
def test_processes_that_do_not_start_are_a_sentence_about_them(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(engines, "CLUSTER_TIMEOUT_S", 1)
    monkeypatch.setattr("distributed.LocalCluster", lambda n_workers, **settings: LocalCluster(n_workers=0, **settings))
    assert main([str(photos), "--output", str(tmp_path / "answers.csv"), "--workers", "2"]) == 1
    assert "No Dask process started within 1 s. Try fewer --workers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("package", "arguments"), [("pyarrow", ["answers.parquet"]), ("distributed", ["answers.csv", "--workers", "2"])]
)
def test_without_the_extra_a_sentence_says_what_to_install(photos, tmp_path, package, arguments, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.chdir(tmp_path)
    assert main([str(photos), "--output", *arguments]) == 1
    assert "pip install -e '.[folder]'" in capsys.readouterr().err


def test_without_the_extra_photos_are_answered_and_csv_is_written(photos, tmp_path):
    script = (
        "import sys\n"
        "extra = {'dask', 'distributed', 'pyarrow', 'tqdm'}\n"
        "sys.modules |= dict.fromkeys(extra)\n"
        "from foodvision.cli import main\n"
        "sys.exit(main(sys.argv[1:2]) - 1 + main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, photos, "--output", tmp_path / "answers.csv"]
    subprocess.run(command, cwd=MODEL.parent, check=True, capture_output=True)
    assert len(read(tmp_path / "answers.csv")) == 4


def test_a_terminal_shows_a_progress_bar(photos, tmp_path):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    command = [sys.executable, "-m", "foodvision", photos, "--output", tmp_path / "answers.csv"]
    subprocess.run(command, cwd=MODEL.parent, check=True, stdout=subprocess.DEVNULL, stderr=theirs)
    os.write(theirs, b"the end")
    shown = ""
    while "the end" not in shown:
        shown += os.read(ours, 100_000).decode()
    assert "100%" in shown and "4/4" in shown and "photos/s" in shown


def test_help_shows_examples(capsys):
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert "foodvision photos --output answers.csv" in printed and "foodvision serve" in printed

"""Whatever people do to a table between runs, it is continued, or refused and left as it is; never damaged."""

import csv
import io
import json

import pandas as pd
import pyarrow
import pytest
from PIL import Image
from pyarrow import parquet

from foodvision.batch.folder import answer_folder
from foodvision.batch.names import from_cell, one_line, photos_in, to_cell
from foodvision.batch.tables import FolderError

NAMES = ["café 1.jpg", "a, b.jpg", "=1+cmd.jpg", "寿司.jpg", 'x;"=2.jpg']


def draw(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), "firebrick").save(path)


@pytest.fixture
def photos(tmp_path):
    for name in NAMES:
        draw(tmp_path / "photos" / name)
    return tmp_path / "photos"


@pytest.fixture
def table(photos, tmp_path):
    """A CSV table with a row for each of the photos, to which one more has been added since."""
    output = tmp_path / "answers.csv"
    answer_folder(photos, output)
    draw(photos / "new.jpg")
    return output


def rows(table, delimiter=","):
    text = table.read_bytes().decode("utf-8-sig")
    header, *lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    assert all(len(line) == len(header) for line in lines), "a row doesn't fit the header"
    return [dict(zip(header, line, strict=True)) for line in lines]


def saved_as(table, columns=None, delimiter=",", line_end="\r\n", bom="", quoting=csv.QUOTE_MINIMAL, change=str):
    """Write the table as a spreadsheet might."""
    read = rows(table)
    text = io.StringIO()
    writer = csv.DictWriter(
        text,
        columns or list(read[0]),
        extrasaction="ignore",
        delimiter=delimiter,
        lineterminator=line_end,
        quoting=quoting,
    )
    writer.writeheader()
    writer.writerows({name: change(cell) for name, cell in row.items()} for row in read)
    table.write_bytes((bom + text.getvalue()).encode())


REORDERED = ["error", "unsure", "label", "probability", "photo"]


@pytest.mark.parametrize(
    "layout",
    [
        {"bom": "\ufeff"},
        {"delimiter": ";"},
        {"delimiter": "\t", "bom": "\ufeff"},
        {"line_end": "\n"},
        {"quoting": csv.QUOTE_ALL},
        {"columns": REORDERED},
        {"columns": ["photo", "label"]},
        {"columns": ["my notes", "photo", "label", "error"], "delimiter": ";"},
    ],
    ids=str,
)
def test_a_table_saved_by_a_spreadsheet_is_resumed_in_its_own_layout(table, photos, layout):
    saved_as(table, **layout)
    before = table.read_bytes()
    tally = answer_folder(photos, table)
    assert (tally.before, tally.answered) == (len(NAMES), 1)
    assert table.read_bytes().startswith(before)
    *_, last = rows(table, layout.get("delimiter", ","))
    assert last["photo"] == "new.jpg" and last["label"] in ("pizza", "steak", "sushi", "other_food", "not_food")
    assert set(last) == set(rows(table, layout.get("delimiter", ","))[0])
    line_end = layout.get("line_end", "\r\n").encode()
    assert table.read_bytes().count(line_end) == len(NAMES) + 2
    assert answer_folder(photos, table).answered == 0


@pytest.mark.parametrize("column", ["probability", "probability_pizza"])
def test_numbers_with_a_decimal_comma_stay_that_way(table, photos, column):
    columns = ["photo", "label", column]
    saved_as(table, delimiter=";", columns=columns, change=lambda cell: cell.replace("0.", "0,"))
    answer_folder(photos, table)
    read = pd.read_csv(table, sep=";", decimal=",")
    assert read[column].between(0, 1).all() and len(read) == len(NAMES) + 1


def test_sorted_rows_are_recognised(table, photos):
    header, *lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text(header + "".join(sorted(lines, reverse=True)), encoding="utf-8")
    assert answer_folder(photos, table).answered == 1


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("change", [str, str.upper], ids=["False", "FALSE"])
def test_a_row_that_only_lacks_its_line_end_is_kept(table, photos, ending, change):
    saved_as(table, line_end=ending, change=lambda cell: change(cell) if cell in ("True", "False") else cell)
    whole = table.read_bytes()
    table.write_bytes(whole.removesuffix(ending.encode()))
    answer_folder(photos, table)
    assert table.read_bytes().startswith(whole)


def first_line(text):
    def write(table):
        _, *lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
        table.write_text(text + "".join(lines), encoding="utf-8")

    return write


def encoded(encoding):
    return lambda table: table.write_bytes(table.read_text(encoding="utf-8").encode(encoding, errors="replace"))


def reduced(columns):
    return lambda table: saved_as(table, columns=columns)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (encoded("cp1252"), "is no longer in UTF-8"),
        (encoded("gbk"), "is no longer in UTF-8"),
        (encoded("utf-16"), "is no longer in UTF-8"),
        (reduced(["label", "error"]), "names the columns photo and label"),
        (reduced(["photo", "error"]), "names the columns photo and label"),
        (first_line(""), "names the columns photo and label"),
        (first_line("sep=;\n"), "names the columns photo and label"),
        (first_line("photo,photo,label\n"), "names the columns photo and label"),
        (lambda table: table.write_bytes(table.read_bytes().replace(b"\n", b"\r")), "name another file"),
        (lambda table: table.write_bytes(table.read_bytes() + b'"one, "two\nthree\n'), "can't be read as a table"),
        (lambda table: table.write_bytes(table.read_bytes() + bytes(100_000)), "not a row"),
        (lambda table: table.write_bytes(b"no table"), "name another file"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_and_left_as_it_is(table, photos, change, sentence):
    change(table)
    before = table.read_bytes()
    with pytest.raises(FolderError, match=sentence):
        answer_folder(photos, table)
    assert table.read_bytes() == before


@pytest.mark.parametrize(
    "note", ["{}", "[]", "null", '{"folder": 3, "model_sha256": "x"}', "{", "", "\udcff", '"text"']
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_damaged_or_missing_note_is_named(photos, tmp_path, kind, note):
    table = tmp_path / f"answers.{kind}"
    answer_folder(photos, table)
    (path,) = tmp_path.rglob("*run.json")
    path.write_bytes(note.encode(errors="surrogateescape"))
    with pytest.raises(FolderError, match=rf"{path.name} is damaged.*Restore it, or name another file"):
        answer_folder(photos, table)
    path.unlink()
    with pytest.raises(FolderError, match=rf"{path.name}, which says so, is gone"):
        answer_folder(photos, table)


def test_a_note_saved_by_an_editor_still_counts(table, photos):
    note = table.with_name("answers.csv.run.json")
    entries = json.loads(note.read_text(encoding="utf-8"))
    note.write_text("\ufeff" + json.dumps(entries).replace(",", ",\r\n"), encoding="utf-8")
    assert answer_folder(photos, table).answered == 1


def test_a_table_that_is_saved_during_a_run_is_not_written_over(photos, tmp_path, monkeypatch):
    from foodvision.batch.csv_table import CsvTable

    monkeypatch.setattr(CsvTable, "rows_per_write", 1)
    table, write = tmp_path / "answers.csv", CsvTable.write

    def disturbed(self, added, end):
        end = write(self, added, end)
        with table.open("a", encoding="utf-8") as file:
            file.write("a row of someone else\n")
        return end

    monkeypatch.setattr(CsvTable, "write", disturbed)
    with pytest.raises(FolderError, match=r"was changed during this run\. Run the same command again"):
        answer_folder(photos, table)
    assert table.read_text(encoding="utf-8").count("someone else") == 1


def test_joined_parts_count_as_answers(photos, tmp_path):
    table = tmp_path / "answers.parquet"
    answer_folder(photos, table)
    (part,) = table.glob("*.parquet")
    part.rename(table / "joined.parquet")
    draw(photos / "new.jpg")
    assert answer_folder(photos, table).answered == 1
    assert len(pd.read_parquet(table)) == len(NAMES) + 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda part: part.write_bytes(part.read_bytes()[:-20]),
        lambda part: part.write_bytes(b""),
        lambda part: parquet.write_table(pyarrow.table({"name": ["a"]}), part),
    ],
    ids=["cut short", "empty", "without its columns"],
)
def test_a_damaged_part_is_named_and_left_as_it_is(photos, tmp_path, damage):
    table = tmp_path / "answers.parquet"
    answer_folder(photos, table)
    (part,) = table.glob("*.parquet")
    damage(part)
    before = part.read_bytes()
    with pytest.raises(FolderError, match=rf"{part.name} can't be read as answers\. Restore it, or move it elsewhere"):
        answer_folder(photos, table)
    assert [path.read_bytes() for path in table.glob("*.parquet")] == [before]


# Names


@pytest.mark.parametrize("first", [*"=+-@\t\r", "＝", "＋", "－", "＠", " =", "'=", "''-"])  # noqa: RUF001
def test_a_name_that_a_spreadsheet_would_run_is_text_in_csv_and_plain_in_parquet(tmp_path, first):
    name = f"{first}1+cmd.jpg"
    draw(tmp_path / "photos" / name)
    for kind in "csv", "parquet":
        table = tmp_path / f"answers.{kind}"
        assert answer_folder(tmp_path / "photos", table).answered == 1
        assert answer_folder(tmp_path / "photos", table).answered == 0
    (row,) = rows(tmp_path / "answers.csv")
    assert row["photo"][0] not in "=+-@\t\r＝＋－＠ "  # noqa: RUF001
    assert from_cell(row["photo"]) == one_line(name)
    assert pd.read_parquet(tmp_path / "answers.parquet").photo[0] == one_line(name)


@pytest.mark.parametrize("name", ["=x", "'=x", "''=x", "'x", "''x", "'", "", "x", "- x", "' -x"])
def test_every_name_survives_its_way_through_a_cell(name):
    assert from_cell(to_cell(name)) == name


def test_two_names_that_differ_by_an_apostrophe_are_two_photos(tmp_path):
    for name in "=a.jpg", "'=a.jpg", "''=a.jpg":
        draw(tmp_path / "photos" / name)
    answer_folder(tmp_path / "photos", tmp_path / "answers.csv")
    assert len({row["photo"] for row in rows(tmp_path / "answers.csv")}) == 3
    assert answer_folder(tmp_path / "photos", tmp_path / "answers.csv").answered == 0


def test_a_formula_cannot_hide_behind_another_countrys_delimiter(tmp_path):
    draw(tmp_path / "photos" / "a;=1+cmd.jpg")
    answer_folder(tmp_path / "photos", tmp_path / "answers.csv")
    _, row = csv.reader((tmp_path / "answers.csv").read_text(encoding="utf-8").splitlines(), delimiter=";")
    assert not any(cell.startswith("=") for cell in row)


SYSTEM_FOLDERS = ["@eaDir", "@Recycle", "@tmp", "#recycle", "#snapshot", "~snapshot", "$RECYCLE.BIN", "lost+found"]
SYSTEM_FOLDERS += ["System Volume Information", "__MACOSX", ".thumbnails", ".Trash-1000", "FOUND.000"]


@pytest.mark.parametrize("folder", SYSTEM_FOLDERS)
def test_folders_of_the_system_are_left_out_wherever_they_are(tmp_path, folder):
    draw(tmp_path / folder / "thumbnail.jpg")
    draw(tmp_path / "party" / folder / "deeper" / "thumbnail.jpg")
    draw(tmp_path / "party" / "photo.jpg")
    assert list(photos_in(tmp_path)) == ["party/photo.jpg"]
    assert list(photos_in(tmp_path / folder)) == ["thumbnail.jpg"], "someone who names such a folder means it"


@pytest.mark.parametrize("folder", ["@home", "#1 pizzas", "$5 menu", "recycling", "lost and found", "-", "="])
def test_peoples_own_folders_with_odd_names_are_not_left_out(tmp_path, folder):
    draw(tmp_path / folder / "photo.jpg")
    assert list(photos_in(tmp_path)) == [f"{folder}/photo.jpg"]

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmcore.data import class_names, label_ids, read_manifest
from mmcore.errors import DataError


def write(folder: Path, content: str | bytes, name: str = "m.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"not looked at")


def refused(path: Path, *parts: str, **options) -> DataError:
    with pytest.raises(DataError) as caught:
        read_manifest(path, **options)
    for part in parts:
        assert part in str(caught.value)
    return caught.value


def test_csv_gives_images_texts_labels_and_splits(tmp_path):
    touch(tmp_path, "a.png", "pics/b.jpg")
    path = write(
        tmp_path,
        "file,words,label,split\na.png,one two,x,train\npics/b.jpg,three four,y,Dev\n,five six,x,test\n"
        "a.png,,y,training\n",
    )
    examples = read_manifest(path).examples
    assert examples.images == [tmp_path / "a.png", tmp_path / "pics/b.jpg", None, tmp_path / "a.png"]
    assert examples.texts == ["one two", "three four", "five six", None]
    assert examples.labels == ["x", "y", "x", "y"]
    assert examples.splits == ["train", "val", "test", "train"]
    assert examples.counts() == {"train": 2, "val": 1, "test": 1}


def test_json_lines_read_like_csv_and_numbers_become_strings(tmp_path):
    rows = [
        {"text": "a b", "label": 1, "split": "train"},
        {"label": 2, "text": "c d", "split": "val", "more": None},
    ]
    path = write(tmp_path, "\n\n".join(map(json.dumps, rows)) + "\n", "m.jsonl")
    examples = read_manifest(path).examples
    assert (examples.texts, examples.labels, examples.lines) == (["a b", "c d"], ["1", "2"], [1, 2])


def test_folder_of_class_folders(tmp_path):
    touch(tmp_path, "cat/1.png", "cat/deep/2.JPG", "dog/3.png", "dog/notes.txt", ".hidden/4.png")
    manifest = read_manifest(tmp_path)
    assert [image.name for image in manifest.examples.images] == ["1.png", "2.JPG", "3.png"]
    assert manifest.examples.labels == ["cat", "cat", "dog"]


def test_folder_of_split_folders(tmp_path):
    touch(tmp_path, "train/cat/1.png", "train/dog/2.png", "valid/cat/3.png")
    examples = read_manifest(tmp_path).examples
    assert examples.splits == ["train", "train", "val"]
    assert examples.labels == ["cat", "dog", "cat"]


def test_folder_with_one_manifest_reads_it_and_with_two_asks(tmp_path):
    touch(tmp_path, "images/a.png")
    write(tmp_path, "text,label\nhello there,x\nhow are you,y\n")
    assert len(read_manifest(tmp_path).examples) == 2
    write(tmp_path, "text,label\n", "second.csv")
    refused(tmp_path, "m.csv, second.csv")


@pytest.mark.parametrize(
    "content",
    [
        "\ufefftext,label\na b,x\nc d,y\n",
        "text;label\na b;x\nc d;y\n",
        '"text","label"\r\n"a b","x"\r\n\r\n"c d","y"\r\n',
        "text\tlabel\na b\tx\nc d\ty",
    ],
)
def test_csv_dialects(tmp_path, content):
    examples = read_manifest(write(tmp_path, content)).examples
    assert (examples.texts, examples.labels) == (["a b", "c d"], ["x", "y"])


def test_quoted_fields_keep_commas_quotes_and_line_breaks(tmp_path):
    examples = read_manifest(write(tmp_path, 'text,label\n"a, ""b""\nc",x\nd e,y\n')).examples
    assert examples.texts == ['a, "b"\nc', "d e"]


def test_rows_that_lack_what_they_need_are_counted(tmp_path):
    touch(tmp_path, "a.png")
    path = write(
        tmp_path, "image,text,label,split\na.png,,x,train\n,,y,train\n,b c,,val\n,b c,y,\n,b c,y,train\n"
    )
    manifest = read_manifest(path)
    assert manifest.examples.lines == [1, 5]
    assert "left out: 1 with neither image nor text, 1 with no label, 1 with no split" in manifest.notes


def test_unlabelled_rows_are_kept_for_prediction(tmp_path):
    path = write(tmp_path, "text\nhello there\nhow are you\n")
    examples = read_manifest(path, labelled=False).examples
    assert (examples.labels, examples.splits) == ([None, None], ["test", "test"])
    refused(path, "no label column", "text", "--label")


def test_a_missing_column_is_named_with_those_found_and_the_closest(tmp_path):
    path = write(tmp_path, "titel,label\na b,x\n")
    error = refused(path, "'title'", "'titel', 'label'", "did you mean 'titel'?", text="title")
    assert error.key == "m.csv"


def test_an_empty_name_leaves_a_modality_out(tmp_path):
    touch(tmp_path, "a.png")
    path = write(tmp_path, "image,text,label\na.png,b c,x\na.png,b c,y\n")
    assert read_manifest(path, text="").examples.texts == [None, None]
    refused(path, "neither an image nor a text column", text="", image="")


@pytest.mark.parametrize(
    ("content", "name", "parts"),
    [
        ("", "m.csv", ["empty", "found nothing"]),
        ("text,label\n", "m.csv", ["empty", "only the header (text, label)"]),
        ("\n\n", "m.jsonl", ["empty"]),
        ("text,label,text\n1,2,3\n", "m.csv", ["'text'", "more than once"]),
        ("text,label\na,x\nb\n", "m.csv", ["row 2 (line 3)", "expected 2 fields", "found 1"]),
        ('text,label\n"a\nb",x\nb,c,d\n', "m.csv", ["row 2 (line 4)", "expected 2 fields", "found 3"]),
        ('text,label\nc,y\n"a,x\nb,y\n', "m.csv", ["line 3", "double quote"]),
        ('{"text": "a"\n', "m.jsonl", ["row 1 (line 1)", "not valid JSON"]),
        ("[1]\n", "m.jsonl", ["row 1 (line 1)", "found a list"]),
        ("[" * 100_000, "m.jsonl", ["row 1 (line 1)", "not valid JSON"]),
        ('{"text": "\\ud83d", "label": 1}', "m.jsonl", ["row 1", "surrogate"]),
        ("a", "m.parquet", [".parquet", "CSV"]),
        ("text,label,split\na b,x,holdout\n", "m.csv", ["row 1", "'holdout'", "validation"]),
    ],
)
def test_malformed_manifests_are_refused_by_name(tmp_path, content, name, parts):
    refused(write(tmp_path, content, name), *parts, **({"split": "split"} if "split" in content else {}))


def test_text_that_is_not_utf8_names_line_and_offset(tmp_path):
    error = refused(write(tmp_path, b"text,label\nok,x\ncaf\xe9,y\n"), "line 3", "0xE9", "iconv")
    assert error.offset == 19
    assert refused(write(tmp_path, b"\xff\xfet\0"), "utf-16").offset == 0
    assert refused(write(tmp_path, b"text\0,label\n"), "NUL byte; remove it, for example: tr -d").offset == 4


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=60) | st.text('ab,;\t"\n\r{}[]:01\u00e9', max_size=60).map(str.encode),
    suffix=st.sampled_from([".csv", ".tsv", ".jsonl"]),
)
def test_any_bytes_are_read_or_refused(tmp_path, content, suffix):
    try:
        manifest = read_manifest(write(tmp_path, content, "m" + suffix), labelled=False)
    except DataError:
        return
    assert len(manifest.examples) >= 1


def test_a_manifest_that_may_not_be_read(tmp_path, monkeypatch):
    def forbidden(path):
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, "text,label\na b,x\n")
    monkeypatch.setattr(Path, "read_bytes", forbidden)
    refused(path, "Permission denied", "m.csv")


def test_a_path_that_does_not_exist(tmp_path):
    refused(tmp_path / "none.csv", "does not exist", str(tmp_path))
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "folders named by class")


def test_missing_image_files_are_skipped_up_to_five_percent(tmp_path):
    touch(tmp_path, "a.png")
    rows = ["a.png,x", "a.png,y"] * 20
    path = write(tmp_path, "image,label\n" + "\n".join([*rows[:7], "gone.png,x", *rows[8:]]))
    manifest = read_manifest(path)
    assert len(manifest.examples) == 39 and 8 not in manifest.examples.lines
    ((key, reason),) = manifest.bad.items()
    assert "row 8" in key and "gone.png" in key and "does not exist" in reason
    refused(path, "row 8", on_bad="raise")
    rows[7:10] = ["gone.png,x", "lost.png,y", "away.png,x"]
    refused(write(tmp_path, "image,label\n" + "\n".join(rows)), "row 8", "3 of 40", "5 percent")


def test_names_that_leave_the_folder_are_refused_unless_allowed(tmp_path):
    root = tmp_path / "root"
    touch(tmp_path, "secret.png", "rooter/secret.png", "root/a.png", "root/sub/a.png")
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "folder").symlink_to(tmp_path / "rooter")
    for name in (
        "../secret.png",
        "sub/../../secret.png",
        "link.png",
        "folder/secret.png",
        "../rooter/secret.png",
    ):
        path = write(root, f"image,label\na.png,x\n{name},y\n")
        refused(path, "row 2", name, "outside the manifest's folder", image="image")
        assert len(read_manifest(path, allow_outside=True).examples) == 2


@pytest.mark.parametrize("name", ["a\0.png", "a\n.png", "..", "../..", "/../..", ".", "x" * 5000 + ".png"])
def test_names_that_are_no_files_of_the_folder_open_nothing(tmp_path, name):
    path = write(tmp_path, json.dumps({"image": name, "label": "x"}) + "\n", "m.jsonl")
    assert "row 1" in str(refused(path, image="image"))


def test_absolute_names_and_detours_inside_the_folder_are_taken(tmp_path):
    root = tmp_path / "root"
    touch(tmp_path, "other.png", "root/a.png", "root/sub/b.png")
    (root / "inner.png").symlink_to(root / "sub/b.png")
    path = write(root, f"image,label\n{tmp_path}/other.png,x\nsub/../a.png,y\ninner.png,x\n")
    assert all(image.exists() for image in read_manifest(path).examples.images)


def test_class_names_of_train_rows_and_their_mistakes(tmp_path):
    header = "text,label,split\n"
    examples = read_manifest(write(tmp_path, header + "a,10,train\nb,9,train\nc,9,val\n")).examples
    assert class_names(examples) == ["9", "10"]
    assert label_ids(examples, ["9", "10"]).tolist() == [1, 0, 0]
    for rows, parts in (
        ("a,x,train\nb,x,val\n", ["'x'", "two classes"]),
        ("a,x,train\nb,y,train\nc,z,val\n", ["row 3", "'z'", "'val'"]),
        ("a,x,val\nb,y,val\n", ["'train'", "{'val': 2}"]),
    ):
        with pytest.raises(DataError) as caught:
            class_names(read_manifest(write(tmp_path, header + rows)).examples)
        assert all(part in str(caught.value) for part in parts)
    with pytest.raises(DataError, match=r"row 1.*'10' is not one of the 1 classes"):
        label_ids(examples, ["9"])


def test_fashion_products_is_understood_without_being_told(real_data):
    manifest = read_manifest(real_data / "fashion_products")
    assert manifest.examples.counts() == {"train": 2063, "val": 304}
    assert manifest.notes[0].startswith(
        "columns: image=image (guessed), text=title_masked (guessed), label=label"
    )
    assert len(class_names(manifest.examples)) == 10
    assert not manifest.bad


def test_emoji_columns_are_guessed_and_split(real_data):
    manifest = read_manifest(real_data / "emoji/emoji.csv", label="group")
    assert (manifest.columns.image, manifest.columns.text) == ("image", "name")
    assert set(manifest.examples.counts()) == {"train", "val", "test"}
    assert len(class_names(manifest.examples)) == 8

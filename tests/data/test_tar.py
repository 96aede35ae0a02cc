from __future__ import annotations

import gzip
import io
import tarfile

import pytest
from data_shards import write_tar

from mmcore.data.tar import scan_tar
from mmcore.errors import DataError

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
NAMES = {
    "a.txt": b"",
    "b.txt": b"x",
    "folder/c.txt": b"y" * 512,
    "d.bin": b"z" * 513,
    "n" * 90 + "/" + "m" * 40 + ".txt": b"long",
}
ODD_NAMES = {**NAMES, "very" * 80 + ".txt": b"longer", "größe/雪.txt": b"not ascii"}


def both(path):
    """(name, offset, size) of every file, by ours and by the standard library's."""
    ours = [(member.name, member.offset, member.size) for member in scan_tar(path)]
    with tarfile.open(path) as archive:
        return ours, [(m.name, m.offset_data, m.size) for m in archive if m.isreg()]


@pytest.mark.parametrize("name", FORMATS)
def test_members_are_those_of_tarfile(tmp_path, name):
    names = NAMES if name == "ustar" else ODD_NAMES
    ours, theirs = both(write_tar(tmp_path / "a.tar", names, FORMATS[name]))
    assert ours == theirs and len(ours) == len(names)


def test_an_empty_archive_has_no_member(tmp_path):
    assert scan_tar(write_tar(tmp_path / "a.tar", {})) == []


def test_pax_sizes_count(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.txt")
        info.size, info.pax_headers = 3, {"size": "3", "comment": "x = y\n"}
        archive.addfile(info, io.BytesIO(b"abc"))
    ours, theirs = both(path)
    assert ours == theirs


def test_folders_are_left_out_and_links_and_devices_have_a_problem(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind in (("d", tarfile.DIRTYPE), ("s.png", tarfile.SYMTYPE), ("h.png", tarfile.LNKTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("p.png")
        info.type = tarfile.FIFOTYPE
        archive.addfile(info)
    found = {member.name: member.problem for member in scan_tar(path)}
    assert list(found) == ["s.png", "h.png", "p.png"]
    for name, kind in (("s.png", "a symbolic link"), ("h.png", "a hard link"), ("p.png", "a pipe")):
        assert kind in found[name]


def test_an_archive_cut_anywhere_is_an_error_that_says_so(tmp_path):
    path = write_tar(tmp_path / "a.tar", ODD_NAMES)
    whole = path.read_bytes()
    end = whole.rindex(b"not ascii") // 512 * 512 + 512
    for size in [*range(512, end, 171), *range(512, end + 512, 512)]:
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match="cut short"):
            scan_tar(path)
    path.write_bytes(whole[: end + 512])  # one block of zeros tells the end already
    assert len(scan_tar(path)) == len(ODD_NAMES)


def test_any_flipped_byte_of_a_header_is_noticed(tmp_path):
    path = write_tar(tmp_path / "a.tar", {"a.txt": b"abc", "b.txt": b"def"}, tarfile.USTAR_FORMAT)
    whole = path.read_bytes()
    for position in range(1024, 1536):
        changed = bytearray(whole)
        changed[position] ^= 0x10
        path.write_bytes(changed)
        try:
            members = scan_tar(path)
        except DataError as error:
            assert error.offset == 1024 and "tar header is damaged" in error.reason
        else:  # in the checksum field itself only what ends it may change
            assert 148 <= position - 1024 < 156 and len(members) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a tar archive: 0 bytes"),
        (b"hello " * 200, "not a tar archive: it begins with"),
        (gzip.compress(bytes(range(256)) * 40, 0), "the archive is compressed"),
    ],
)
def test_other_files_are_named(tmp_path, content, message):
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        scan_tar(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        scan_tar(tmp_path / "none.tar")


def with_header(path, change):
    """Writes an archive of one member after its header was changed and its checksum made right again."""
    raw = bytearray(write_tar(path, {"a.txt": b"abc"}, tarfile.USTAR_FORMAT).read_bytes())
    change(raw)
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw[:512])
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("size", [b"-0000000003\0", b"9\0\0\0\0\0\0\0\0\0\0\0", b"\x80" + b"\xff" * 11])
def test_a_size_that_is_none_is_refused(tmp_path, size):
    def change(raw):
        raw[124:136] = size

    with pytest.raises(DataError, match="which is no number"):
        scan_tar(with_header(tmp_path / "a.tar", change))


def test_a_pax_header_that_is_damaged_is_refused(tmp_path):
    def change(raw):
        raw[156:157] = b"x"

    with pytest.raises(DataError, match="a pax header is damaged"):
        scan_tar(with_header(tmp_path / "a.tar", change))


def test_a_huge_extended_header_is_refused(tmp_path):
    path = tmp_path / "a.tar"
    write_tar(path, {"a.txt": bytes(2 << 20)}, tarfile.USTAR_FORMAT)
    raw = bytearray(path.read_bytes())
    raw[156:157] = b"L"
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw[:512])
    path.write_bytes(raw)
    with pytest.raises(DataError, match="an extended header of 2097152 bytes"):
        scan_tar(path)

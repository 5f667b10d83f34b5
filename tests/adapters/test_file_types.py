"""A file is what it says: by its type, its name, how it is sent and how it begins."""

import base64
import contextlib
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sending.file_types import Shown, require_agreement
from tests.cases import in_each


def packed(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return file.getvalue()


REST = b"\0" * 50
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0" + REST
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + REST
WEBP = b"RIFF\x20\0\0\0WEBPVP8 " + REST
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + REST
ODD_MP4 = b"\0\0\0\x18ftypMSNV\0\0\0\0MSNVisom" + REST
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm" + REST
OPUS = b"OggS\0\2" + b"\0" * 22 + b"\1\x13OpusHead" + REST
M4A = b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom" + REST
PADDED_MP3 = REST + b"\xff\xfb\x90\x64"
PDF = b"%PDF-1.7\n1 0 obj"
DOCX = packed("[Content_Types].xml", "_rels/.rels", "word/document.xml")
XLSX = packed("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml")
DOC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
PROGRAM = b"MZ\x90\0\3\0\0\0\4\0" + b"\0" * 100
TEXT = "nome;valor\nJoão;1\n".encode("latin-1")

RIGHT: dict[str, tuple[Shown, str | None, str | None, bytes]] = {
    "a photo": (Shown.IMAGE, "image/jpeg", None, JPEG),
    "a photo by another word": (Shown.IMAGE, "image/jpg", None, JPEG),
    "a picture": (Shown.IMAGE, None, None, PNG),
    "a sticker": (Shown.IMAGE, "image/webp", None, WEBP),
    "a film": (Shown.VIDEO, "video/mp4", None, MP4),
    "a film of a rare brand": (Shown.VIDEO, "video/mp4", None, ODD_MP4),
    "a film of an iPhone": (Shown.VIDEO, "video/quicktime", None, MP4),
    "a voice": (Shown.AUDIO, "audio/ogg; codecs=opus", None, OPUS),
    "a voice of Chrome": (Shown.AUDIO, 'audio/webm;codecs="opus"', None, WEBM),
    "a voice of an iPhone": (Shown.AUDIO, "audio/mp4", None, M4A),
    "a song that begins with nothing": (Shown.AUDIO, "audio/mpeg", None, PADDED_MP3),
    "a contract": (Shown.DOCUMENT, "application/pdf", "Contrato Jan.2026.PDF", PDF),
    "a contract after some junk": (Shown.DOCUMENT, None, "a.pdf", b"\r\n\0" + PDF),
    "a letter": (Shown.DOCUMENT, None, "carta.docx", DOCX),
    "a letter packed otherwise": (Shown.DOCUMENT, None, "carta.docx", packed("a")),
    "an old letter": (Shown.DOCUMENT, "application/msword", "carta.doc", DOC),
    "a table of a bank": (Shown.DOCUMENT, None, "extrato.xls", b"<html><table>"),
    "a table of a browser": (Shown.DOCUMENT, "application/vnd.ms-excel", "a.csv", TEXT),
    "an archive": (Shown.DOCUMENT, "application/zip", "a.docx", DOCX),
    "a text": (Shown.DOCUMENT, "text/plain; charset=utf-8", "a.txt", "olá".encode()),
    "a text that begins like a bitmap": (Shown.DOCUMENT, "text/plain", None, b"BM e uma carta"),
    "a bill": (Shown.DOCUMENT, "application/xml", "nota.xml", b"<?xml?><nfeProc/>"),
    "a voice as a file": (Shown.DOCUMENT, "audio/ogg; codecs=opus", "a.ogg", OPUS),
    "something nobody knows": (Shown.DOCUMENT, "application/x-own", "a.own", JPEG),
    "bytes": (Shown.DOCUMENT, "application/octet-stream", "a", PROGRAM),
    "a program that says so": (Shown.DOCUMENT, None, "a.exe", PROGRAM),
}

WRONG: dict[str, tuple[Shown, str | None, str | None, bytes | None]] = {
    "a text as a picture": (Shown.IMAGE, None, None, b"oi"),
    "a contract as a picture": (Shown.IMAGE, "image/png", None, PDF),
    "a photo as a picture": (Shown.IMAGE, "image/png", None, JPEG),
    "a picture as a film": (Shown.VIDEO, None, None, PNG),
    "a page as a voice": (Shown.AUDIO, "audio/ogg; codecs=opus", None, b"<html>404</html>"),
    "a picture as a voice": (Shown.AUDIO, None, None, JPEG),
    "a photo as a contract": (Shown.DOCUMENT, "application/pdf", "a.pdf", JPEG),
    "a page as a contract": (Shown.DOCUMENT, None, "a.pdf", b"<html>404</html>"),
    "a program as a contract": (Shown.DOCUMENT, "application/pdf", "boleto.pdf", PROGRAM),
    "a program as a text": (Shown.DOCUMENT, "text/plain", None, PROGRAM),
    "a program as something": (Shown.DOCUMENT, None, "foto.own", PROGRAM),
    "a table as a letter": (Shown.DOCUMENT, None, "a.docx", XLSX),
    "a text as a letter": (Shown.DOCUMENT, None, "a.docx", TEXT),
    "a name of another type": (Shown.DOCUMENT, "image/png", "a.pdf", None),
    "a picture's address with a film's type": (Shown.IMAGE, "video/mp4", None, None),
    "a voice's address with a page's type": (Shown.AUDIO, "text/html", None, None),
}


@in_each(("shown", "mimetype", "name", "content"), RIGHT.values(), ids=RIGHT)
def test_file_of_its_declared_type_passes(
    shown: Shown, mimetype: str | None, name: str | None, content: bytes
):
    require_agreement(shown, mimetype, name, base64.b64encode(content).decode())
    require_agreement(shown, mimetype, name, None)


@in_each(("shown", "mimetype", "name", "content"), WRONG.values(), ids=WRONG)
def test_file_of_another_type_is_refused(
    shown: Shown, mimetype: str | None, name: str | None, content: bytes | None
):
    encoded = None if content is None else base64.b64encode(content).decode()

    with pytest.raises(ValueError, match=r"begin like|two things"):
        require_agreement(shown, mimetype, name, encoded)


@given(st.sampled_from(Shown), st.text(max_size=20), st.text(max_size=20), st.binary(max_size=99))
def test_any_file_is_taken_or_refused(shown: Shown, mimetype: str, name: str, content: bytes):
    with contextlib.suppress(ValueError):
        require_agreement(shown, mimetype, name, base64.b64encode(content).decode())


def test_endless_frames_are_a_document():
    frames = b"\x50\x2a\x4d\x18\0\0\0\0" * 2_000

    require_agreement(Shown.DOCUMENT, None, "a.bin", base64.b64encode(frames).decode())
    with pytest.raises(ValueError, match="begin like"):
        require_agreement(Shown.IMAGE, None, None, base64.b64encode(frames).decode())

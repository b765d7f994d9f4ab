"""Why a file can't be read, in sentences that say what to do about it."""

import re
from typing import Self


class Refusal(str):
    """A sentence in English, with the code and values from which a page can word it in another language."""

    code: str
    values: tuple[str, ...]

    def __new__(cls, sentence: str, code: str = "", *values: str) -> Self:
        """Unpickling passes only the sentence, and sets the rest afterwards."""
        refusal = super().__new__(cls, sentence)
        refusal.code, refusal.values = code, values
        return refusal


FORMATS = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"
TOO_MANY_BYTES = Refusal("This file is too large. Try a smaller copy.", "too_many_bytes")
NO_MEMORY = Refusal("This picture needs more memory than there is here. Try a smaller copy.", "no_memory")
TOO_MANY_PIXELS = Refusal("This picture has too many pixels. Try a smaller copy.", "too_many_pixels")
TOO_SLOW = Refusal("This photo takes too long to read. Try to save it again, as a JPEG.", "too_slow")
DAMAGED = Refusal("This photo is damaged or cut short. Try to save or send it again.", "damaged")
NOT_A_PHOTO = Refusal(f"This is not a photo that can be read here. Try a {FORMATS} file.", "not_a_photo")
EMPTY = Refusal("This file is empty. Try to download or copy it again.", "empty")
CAMERA_RAW = Refusal("This is a camera raw file, which can't be read here. Try to export it as a JPEG.", "camera_raw")
XCODE_PNG = Refusal(
    "This PNG was rewritten by Xcode for an app, and can't be read here. Try the original PNG.", "xcode_png"
)
VIDEO = Refusal("This is a video, not a photo. Try a screenshot of it.", "video")
WEB_PAGE = Refusal("This is a web page, not a photo. Try to save the photo itself.", "web_page")
POINTER = Refusal(
    "This file only points to a photo that is stored elsewhere. Try to download the photo itself.", "pointer"
)
ARCHIVE = Refusal("This is an archive or a document, not a photo. Try the photos in it, one by one.", "archive")
APOLOGY = Refusal("Sorry, something went wrong here, not with your photo. Please try again.", "apology")

_HEAD_BYTES = 1024
_FTYP = rb"[\0-\xff]{4}ftyp"  # begins files made of boxes, such as HEIC, AVIF, MP4 and CR3
_FIRST_BYTES = {
    rb"II\*\x00.{4}CR|FUJIFILMCCD-RAW|IIU\x00|IIR[OS]|MMOR|FOVb|\x00MRM|II\x1a\x00\x00\x00HEAPCCDR": CAMERA_RAW,
    _FTYP + rb"crx ": CAMERA_RAW,
    rb"\x89PNG\r\n\x1a\n.{4}CgBI": XCODE_PNG,
    rb"\x00\x00\x00\x0cJXL \r\n\x87\n|\xff\x0a": "JPEG XL picture",
    rb"\x00\x00\x00\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51": "JPEG 2000 picture",
    rb"II\xbc\x01": "JPEG XR picture",
    rb"\xff\xd8\xff\xf7": "JPEG-LS picture",
    rb"8BPS": "Photoshop file",
    rb"gimp xcf": "GIMP file",
    rb"qoif": "QOI picture",
    rb"BPG\xfb": "BPG picture",
    rb"v/1\x01": "OpenEXR picture",
    rb"#\?R(ADIANC|GB)E": "Radiance HDR picture",
    rb"DDS ": "DDS texture",
    rb"\x00\x00[\x01\x02]\x00[^\x00]\x00": "Windows icon or cursor",
    rb"icns": "macOS icon",
    rb"P[1-7][\s#]": "Netpbm picture",
    rb"(\xef\xbb\xbf)?\s*((<\?xml|<!--)[^>]*>\s*)*<(!DOCTYPE\s+html|html|head|body|meta|title|script)\b": WEB_PAGE,
    rb"(\xef\xbb\xbf)?\s*((<\?xml|<!--).*)?<(!DOCTYPE )?svg\b": "SVG drawing",
    rb"\s*%PDF": "PDF",
    rb"%!PS|\xc5\xd0\xd3\xc6": "PostScript file",
    rb"version https://git-lfs\.github\.com": POINTER,
    _FTYP + rb"(isom|iso\d|mp4|M4[VP]|MSNV|avc1|qt|3g|f4v|dash|mmp4|XAVC|CAEP)": VIDEO,
    rb".{4}(moov|mdat|wide)|\x1a\x45\xdf\xa3|RIFF.{4}AVI |FLV\x01|OggS|\x00\x00\x01[\xb3\xba]|\x30\x26\xb2\x75": VIDEO,
    rb"G(?!IF8).{187}G.{187}G": VIDEO,
    rb"PK\x03\x04|Rar!|7z\xbc\xaf|\x1f\x8b|BZh|\xfd7zXZ|\xd0\xcf\x11\xe0": ARCHIVE,
}
_KINDS = [(re.compile(first, re.DOTALL | re.IGNORECASE), kind) for first, kind in _FIRST_BYTES.items()]


_NAMES = {"Windows icon or cursor": "ICO", "macOS icon": "ICNS"}
_NOUN = re.compile(r" (picture|file|drawing|texture|with)\b.*")


class PhotoError(ValueError):
    """The file can't be read as a photo. The message is a sentence for the person who chose it."""


def wording(error: Exception) -> dict[str, object]:
    """The code and values of an error's message, if it has any: `{"code": "too_large", "values": ["9000", "9000"]}`."""
    message = error.args[0] if error.args else ""
    return {"code": message.code, "values": [*message.values]} if isinstance(message, Refusal) else {}


def refuse_other_kinds(content: bytes | bytearray | memoryview) -> None:
    """Raise PhotoError if the file is empty, or if its first bytes show that it is of a kind that can't be read."""
    head = bytes(content[:_HEAD_BYTES])
    if not head:
        raise PhotoError(EMPTY)
    for first_bytes, kind in _KINDS:
        if first_bytes.match(head):
            raise PhotoError(kind if isinstance(kind, Refusal) else cannot_be_read(kind))


def cannot_be_read(kind: str) -> Refusal:
    """The sentence for a kind of file, such as "SVG drawing"."""
    article = "an" if kind.startswith(("SVG", "OpenEXR")) else "a"
    sentence = f"This is {article} {kind}, which can't be read here. Try to save it as a JPEG."
    code = "unusual" if " with " in kind else "cannot_be_read"
    return Refusal(sentence, code, _NAMES.get(kind) or _NOUN.sub("", kind))


def too_large(width: int, height: int) -> Refusal:
    """The sentence for a picture with too many pixels."""
    sentence = f"This picture is {width} x {height} pixels, too large. Try a smaller copy."
    return Refusal(sentence, "too_large", str(width), str(height))

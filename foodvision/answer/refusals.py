"""Why a file can't be read, in sentences that say what to do about it."""

import re

FORMATS = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"
TOO_MANY_BYTES = "This file is too large. Try a smaller copy."
NO_MEMORY = "This picture needs more memory than there is here. Try a smaller copy."
TOO_MANY_PIXELS = "This picture has too many pixels. Try a smaller copy."
TOO_SLOW = "This photo takes too long to read. Try to save it again, as a JPEG."
DAMAGED = "This photo is damaged or cut short. Try to save or send it again."
NOT_A_PHOTO = f"This is not a photo that can be read here. Try a {FORMATS} file."
EMPTY = "This file is empty. Try to download or copy it again."
CAMERA_RAW = "This is a camera raw file, which can't be read here. Try to export it as a JPEG."
XCODE_PNG = "This PNG was rewritten by Xcode for an app, and can't be read here. Try the original PNG."
VIDEO = "This is a video, not a photo. Try a screenshot of it."
WEB_PAGE = "This is a web page, not a photo. Try to save the photo itself."
POINTER = "This file only points to a photo that is stored elsewhere. Try to download the photo itself."
ARCHIVE = "This is an archive or a document, not a photo. Try the photos in it, one by one."

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


class PhotoError(ValueError):
    """The file can't be read as a photo. The message is a sentence for the person who chose it."""


def refuse_other_kinds(content: bytes | bytearray | memoryview) -> None:
    """Raise PhotoError if the file is empty, or if its first bytes show that it is of a kind that can't be read."""
    head = bytes(content[:_HEAD_BYTES])
    if not head:
        raise PhotoError(EMPTY)
    for first_bytes, kind in _KINDS:
        if first_bytes.match(head):
            raise PhotoError(kind if "." in kind else cannot_be_read(kind))


def cannot_be_read(kind: str) -> str:
    """The sentence for a kind of file, such as "SVG drawing"."""
    article = "an" if kind.startswith(("SVG", "OpenEXR")) else "a"
    return f"This is {article} {kind}, which can't be read here. Try to save it as a JPEG."


def too_large(width: int, height: int) -> str:
    """The sentence for a picture with too many pixels."""
    return f"This picture is {width} x {height} pixels, too large. Try a smaller copy."

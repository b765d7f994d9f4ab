"""Draws unusual photos: with colour profiles, broken checksums, odd bit layouts and other things that cameras do."""

import struct
import zlib

import numpy as np
from PIL import ImageCms
from reliability.files import PNG, chunk, saved, tiff

from foodvision.answer.colour import make_profile

XMP = (
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    b"<rdf:Description xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Orientation=\"6\"/></rdf:RDF></x:xmpmeta>"
)
SRGB_POINTS = (0.3127, 0.329), (0.64, 0.33), (0.3, 0.6), (0.15, 0.06)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
LINEAR = make_profile(SRGB_POINTS, (1.0,))
LINEAR_GREY = LINEAR.replace(b"RGB ", b"GRAY").replace(b"rTRC", b"kTRC")


def swapped(profile=SRGB):
    """A profile that swaps red and green."""
    return profile.replace(b"rXYZ", b"____").replace(b"gXYZ", b"rXYZ").replace(b"____", b"gXYZ")


def cmyk_profile():
    """A profile of a press whose inks are all grey: only black ink darkens."""
    curves = bytes(range(256))
    corners = b"".join(bytes((0 if number % 2 else 255, 128, 128)) for number in range(16))
    unit = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + unit + 4 * curves + corners + 3 * curves
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    tags = [(b"wtpt", 156, white), (b"A2B0", 156 + len(white), table)]
    listed = struct.pack(">I", 2) + b"".join(name + struct.pack(">II", at, len(data)) for name, at, data in tags)
    body = listed + white + table
    kind = struct.pack(">I4sI4s4s4s12x4s", 128 + len(body), b"", 0x02400000, b"prtr", b"CMYK", b"Lab ", b"acsp")
    return kind.ljust(68, b"\0") + white[8:] + bytes(48) + body


def exif(orientation, kind=3, count=1):
    """EXIF with one entry, as in a JPEG."""
    return b"Exif\0\0" + struct.pack("<4sIHHHIHHI", b"II*\0", 8, 1, 0x0112, kind, count, orientation, 0, 0)


def png_with(picture, *chunks, after=b"", **options):
    """A PNG with additional chunks before and after its pixels."""
    content = saved(picture, "PNG", **options)
    start = len(PNG) + 25  # behind the header
    return content[:start] + b"".join(chunks) + content[start:-12] + after + content[-12:]


def wrong(chunk):
    """A PNG's chunk whose checksum is wrong."""
    return chunk[:-1] + bytes([chunk[-1] ^ 0xFF])


def iccp(profile):
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))


def gama(gamma):
    return chunk(b"gAMA", struct.pack(">I", round(100_000 * gamma)))


def chrm(white, red, green, blue):
    return chunk(b"cHRM", struct.pack(">8I", *(round(100_000 * x) for x in (*white, *red, *green, *blue))))


def cicp(primaries, transfer):
    return chunk(b"cICP", bytes((primaries, transfer, 0, 1)))


def avif_with_code_points(picture, primaries, transfer):
    content = saved(picture, "AVIF", quality=98)
    at = content.index(b"colrnclx") + 8
    return content[:at] + struct.pack(">HH", primaries, transfer) + content[at + 4 :]


def bmp_with_masks(picture, masks, depth=32, header=40, compression=3, top_down=False, alpha=255):
    """A BMP with bit fields."""
    levels = [*np.moveaxis(np.asarray(picture).astype(np.uint64), -1, 0), np.uint64(alpha)]
    pixels = np.zeros((picture.height, picture.width), np.uint64)
    for level, mask in zip(levels, masks, strict=False):
        shift = (mask & -mask).bit_length() - 1 if mask else 0
        pixels |= (level * np.uint64(mask >> shift) + np.uint64(127)) // np.uint64(255) << np.uint64(shift)
    rows = pixels if top_down else pixels[::-1]
    stride = (picture.width * depth + 31) // 32 * 4
    data = b"".join(row.astype(f"<u{depth // 8}").tobytes().ljust(stride, b"\0") for row in rows)
    height = -picture.height if top_down else picture.height
    info = struct.pack("<IiiHHIIiiII", header, picture.width, height, 1, depth, compression, len(data), 0, 0, 0, 0)
    masks = struct.pack(f"<{len(masks)}I", *masks)
    info += masks if header == 40 else masks.ljust(header - 40, b"\0")
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + len(info)) + info + data


def bmp_with_profile(picture, profile):
    data = np.asarray(picture)[::-1, :, ::-1].tobytes()
    info = struct.pack(
        "<IiiHHI20x16x4s48xIIII", 124, *picture.size, 1, 24, 0, b"DEBM", 4, 124 + len(data), len(profile), 0
    )
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 138) + info + data + profile


def bmp_of_four_colours(picture, colours):
    """Two bits a pixel; the width of `picture`, in mode P, is a multiple of 16."""
    index = np.asarray(picture)[::-1]
    data = (index[:, 0::4] << 6 | index[:, 1::4] << 4 | index[:, 2::4] << 2 | index[:, 3::4]).astype(np.uint8).tobytes()
    palette = b"".join(bytes((blue, green, red, 0)) for red, green, blue in colours)
    info = struct.pack("<IiiHHIIiiII", 40, *picture.size, 1, 2, 0, len(data), 0, 0, 4, 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + len(palette)) + info + palette + data


def tiff_of(array, **tags):
    """A TIFF of an array of numbers: greys, or colours in the last dimension."""
    height, width, *channels = array.shape
    channels = channels[0] if channels else 1
    kind = {"u": 1, "i": 2, "f": 3}[array.dtype.kind]
    described = {258: [8 * array.itemsize] * channels, 262: [2 if channels == 3 else 1], 277: [channels]}
    return tiff(width, height, [array.tobytes()], described | {339: [kind] * channels} | tags)


def raw_tiff(photometric=1, compression=1, bits=16, **tags):
    return tiff(64, 48, [bytes(64 * 48 * 2)], {258: [bits], 259: [compression], 262: [photometric]} | tags)


def raw_behind_a_preview():
    """A TIFF like most cameras' raw files: a small picture first, with the large one as its subpicture."""
    small = tiff(16, 12, [bytes(16 * 12)], {330: [0], 254: [1]})
    large = raw_tiff(photometric=32803)
    start = small.index(struct.pack("<HHII", 330, 4, 1, 0))
    entries = struct.unpack_from("<H", large, 8)[0]
    directory = large[8 : 8 + 2 + 12 * entries + 4]
    return small[: start + 8] + struct.pack("<I", len(small)) + small[start + 12 :] + directory


def xcode_png():
    """A PNG as Xcode rewrites it for an app: blue first, and without the header of its compression."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = squeeze.compress(b"".join(b"\0" + bytes((40, 90, 180, 255)) * 64 for _ in range(48))) + squeeze.flush()
    header = chunk(b"IHDR", struct.pack(">LLBBBBB", 64, 48, 8, 6, 0, 0, 0))
    return PNG + chunk(b"CgBI", b"\x50\0\x20\2") + header + chunk(b"IDAT", data) + chunk(b"IEND")


def boxed(brand, more=b""):
    """A file of boxes, of the given brand."""
    return struct.pack(">I4s4sI", 16, b"ftyp", brand, 0) + more + bytes(500)

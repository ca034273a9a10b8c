"""What a compressed image says of itself, read before a codec allocates anything for it."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MOST_SEGMENTS = 10_000
MOST_TILES = 4096
MOST_TILE_PARTS = 16 * MOST_TILES
MOST_JPEG2000_PARTS = 1_000_000  # code blocks and precincts; OpenJPEG keeps some 200 bytes for each
MOST_LAYER_PARTS = 4_000_000

JPEG_START = b"\xff\xd8"
JPEG_END = b"\xff\xd9"
JPEG2000_START = b"\xff\x4f\xff\x51"
JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  "
SEQUENTIAL_JPEG = frozenset({0xC0, 0xC1, 0xC3})  # baseline, extended and lossless; not progressive
JPEGLS = frozenset({0xF7})
START_OF_SCAN = 0xDA
COD, COC, SOT, SOD = 0xFF52, 0xFF53, 0xFF90, 0xFF93
FIRST_MARKER, FILL = 0xFF40, 0xFFFF
FIRST_BARE_MARKER, LAST_BARE_MARKER = 0xFFD0, 0xFFD9  # RSTn, SOI and EOI have no length and no place in a header


class CodestreamDamagedError(ValueError):
    """The compressed image contradicts the standard of its codec, or wants absurd amounts of memory."""


@dataclass(frozen=True, slots=True)
class CodestreamFrame:
    """The frame that a codestream announces."""

    rows: int
    columns: int
    components: int
    precision: int  # bits of a sample
    is_signed: bool = False
    is_reversible: bool = False  # coded by the wavelet of whole numbers (JPEG 2000, HTJ2K)
    reductions: int = 0  # how often its resolution can be halved in decoding, with the phase that we know


@dataclass(frozen=True, slots=True)
class _CodingStyle:
    """The COD marker segment of JPEG 2000 (ISO/IEC 15444-1 A.6.1)."""

    layers: int
    levels: int
    is_reversible: bool
    block: tuple[int, int]  # exponents of width and height
    precincts: tuple[tuple[int, int], ...]  # exponents of width and height, per resolution

    def parts(self, rows: int, columns: int) -> int:
        """Count code blocks and precincts of one tile, about: each costs the decoder memory before any is decoded."""
        total = 0
        for resolution, (precinct_x, precinct_y) in enumerate(self.precincts):
            height = -(-rows >> (self.levels - resolution))
            width = -(-columns >> (self.levels - resolution))
            inner = 1 if resolution else 0  # precincts of the finer resolutions are cut from bands of half their size
            block_x = max(min(self.block[0], precinct_x - inner), 0)
            block_y = max(min(self.block[1], precinct_y - inner), 0)
            total += -(-width >> precinct_x) * -(-height >> precinct_y)
            total += -(-width >> block_x) * -(-height >> block_y)
        return total


def jpeg_frame(stream: bytes) -> CodestreamFrame:
    """Read the frame header of JPEG baseline, extended or lossless (ISO/IEC 10918-1 B.2)."""
    return _frame_header(stream, SEQUENTIAL_JPEG)


def jpegls_frame(stream: bytes) -> CodestreamFrame:
    """Read the frame header of JPEG-LS (ISO/IEC 14495-1 C.2)."""
    return _frame_header(stream, JPEGLS)


def jpeg2000_frame(stream: bytes) -> CodestreamFrame:
    """Read image and tile size and the coding style of JPEG 2000 or HTJ2K (ISO/IEC 15444-1 A.5, A.6)."""
    if not stream.startswith(JPEG2000_START):
        raise CodestreamDamagedError
    (right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, components) = struct.unpack_from(
        ">8LH", stream, 8
    )
    depth, step_x, step_y = struct.unpack_from(">3B", stream, 42)
    if (step_x, step_y) != (1, 1) or min(tile_width, tile_height) < 1:
        raise CodestreamDamagedError
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    style, header_end = _coding_style(stream)
    rows, columns = bottom - top, right - left
    parts = style.parts(min(rows, tile_height), min(columns, tile_width)) * tiles
    if (
        min(rows, columns) < 1
        or not 1 <= tiles <= MOST_TILES
        or parts > MOST_JPEG2000_PARTS
        or parts * style.layers > MOST_LAYER_PARTS
    ):
        raise CodestreamDamagedError
    _check_tile_parts(stream, header_end)
    is_anchored = (left, top, tile_left, tile_top) == (0, 0, 0, 0)
    return CodestreamFrame(
        rows=rows,
        columns=columns,
        components=components,
        precision=(depth & 0x7F) + 1,
        is_signed=depth >= 0x80,  # noqa: PLR2004 - the top bit of Ssiz
        is_reversible=style.is_reversible,
        reductions=style.levels if is_anchored else 0,
    )


def bare_jpeg2000(stream: bytes) -> bytes:
    """Take the codestream out of a JP2 file, which some archives store where a codestream belongs."""
    return stream[max(stream.find(JPEG2000_START), 0) :] if stream.startswith(JP2_SIGNATURE) else stream


def _frame_header(stream: bytes, kinds: frozenset[int]) -> CodestreamFrame:
    """Walk the marker segments to the one frame header before the first scan."""
    if not stream.startswith(JPEG_START) or JPEG_END not in stream[-64:]:
        raise CodestreamDamagedError
    found: CodestreamFrame | None = None
    for marker, position in _segments(stream, len(JPEG_START)):
        kind = marker & 0xFF
        if kind == START_OF_SCAN:
            break
        if _is_frame_header(kind):
            if kind not in kinds or found is not None:
                raise CodestreamDamagedError
            precision, rows, columns, components = struct.unpack_from(">BHHB", stream, position + 4)
            found = CodestreamFrame(rows, columns, components, precision)
    if found is None:
        raise CodestreamDamagedError
    return found


def _is_frame_header(marker: int) -> bool:
    return marker in JPEGLS or (0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC})  # noqa: PLR2004


def _coding_style(stream: bytes) -> tuple[_CodingStyle, int]:
    """Find COD in the main header; also tell where the first tile-part begins."""
    style: _CodingStyle | None = None
    for marker, position in _segments(stream, 2):
        if marker == SOT and style is not None:
            return style, position
        if marker in {SOT, COC}:  # COC serves images of several components
            break
        if marker == COD:
            style = _parse_coding_style(stream, position)
    raise CodestreamDamagedError


def _parse_coding_style(stream: bytes, position: int) -> _CodingStyle:
    flags, _, layers, _, levels, block_x, block_y, _, wavelet = struct.unpack_from(">BBH6B", stream, position + 4)
    if levels > 32 or max(block_x, block_y) > 8:  # noqa: PLR2004 - ISO/IEC 15444-1 tables A.15 and A.18
        raise CodestreamDamagedError
    precincts = ((15, 15),) * (levels + 1)
    if flags & 1:
        sizes = struct.unpack_from(f">{levels + 1}B", stream, position + 14)
        precincts = tuple((size & 0x0F, size >> 4) for size in sizes)
    return _CodingStyle(layers, levels, wavelet == 1, ((block_x & 0x0F) + 2, (block_y & 0x0F) + 2), precincts)


def _check_tile_parts(stream: bytes, position: int) -> None:
    """Walk the tile-parts: all there to the last byte, and none with a coding style of its own."""
    for _ in range(MOST_TILE_PARTS):
        if position + 12 > len(stream) or _word(stream, position) != SOT:
            return
        length = struct.unpack_from(">L", stream, position + 6)[0]
        end = position + length if length else len(stream)
        header_end = _end_of_tile_part_header(stream, position + 12)
        if end > len(stream) or header_end > end:
            raise CodestreamDamagedError
        position = end
    raise CodestreamDamagedError


def _end_of_tile_part_header(stream: bytes, position: int) -> int:
    for marker, start in _segments(stream, position):
        if marker == SOD:
            return start + 2
        if marker in {COD, COC}:
            break
    raise CodestreamDamagedError


def _segments(stream: bytes, position: int) -> Iterator[tuple[int, int]]:
    """Give marker segments one after the other, each with its place; the caller knows where to stop."""
    for _ in range(MOST_SEGMENTS):
        marker = _word(stream, position)
        if marker == FILL:
            position += 1
            continue
        if marker < FIRST_MARKER or FIRST_BARE_MARKER <= marker <= LAST_BARE_MARKER:
            break
        yield marker, position
        length = _word(stream, position + 2)
        if length < 2:  # noqa: PLR2004 - it counts its own two bytes
            break
        position += 2 + length
    raise CodestreamDamagedError


def _word(stream: bytes, position: int) -> int:
    return int(struct.unpack_from(">H", stream, position)[0])

"""The picture size of a clip: from aspect ratio and resolution to even pixels."""

from filmgate.providers.sandbox.job import Refusal

RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3")
SHORT_SIDES = {"480p": 480, "720p": 720, "1080p": 1080}


def picture_size(aspect_ratio: str, resolution: str) -> tuple[int, int]:
    """Width and height in pixels. Raises `Refusal` for a ratio or resolution we do not make."""
    if aspect_ratio not in RATIOS:
        raise Refusal(f"aspect_ratio must be one of {', '.join(RATIOS)}.")
    if resolution not in SHORT_SIDES:
        raise Refusal(f"resolution must be one of {', '.join(SHORT_SIDES)}.")
    across, down = map(int, aspect_ratio.split(":"))
    short = SHORT_SIDES[resolution]
    long = 2 * round(short * max(across, down) / min(across, down) / 2)  # H.264 4:2:0 wants even
    return (long, short) if across >= down else (short, long)

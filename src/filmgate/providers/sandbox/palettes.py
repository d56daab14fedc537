"""The lights a scene can be seen in, as data: add a palette here."""

from dataclasses import dataclass

Stops = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Palette:
    """Colours of one light, as ``#rrggbb``; the sky's stops run from zenith to horizon."""

    sky: Stops
    sun: str
    haze: str
    ground: str
    """The nearest, darkest silhouettes."""
    cloud: str
    folds: Stops
    """From the darkest to the brightest fold of silk, or gas of a nebula."""
    sun_height: float = 0.24
    """Above the horizon, as a share of the sky."""
    stars: float = 0.0
    """How many of them show, 0 to 1."""


PALETTES: dict[str, Palette] = {
    "sunrise": Palette(
        sky=((0, "#5b6fb0"), (0.45, "#c58fb8"), (0.75, "#f7b58c"), (1, "#ffe3b4")),
        sun="#fff3c8",
        haze="#f6cdb4",
        ground="#2a2740",
        cloud="#ffd9c8",
        folds=((0, "#1e1838"), (0.4, "#8a4a86"), (0.75, "#f59a7a"), (1, "#fff0cc")),
        sun_height=0.30,
    ),
    "sunset": Palette(
        sky=((0, "#40224f"), (0.4, "#a33a55"), (0.72, "#ee6a3a"), (1, "#ffb85a")),
        sun="#ffeaa0",
        haze="#e98355",
        ground="#1d1022",
        cloud="#ff9a62",
        folds=((0, "#180a1e"), (0.4, "#8f2440"), (0.72, "#f0702e"), (1, "#ffe09a")),
        sun_height=0.26,
    ),
    "day": Palette(
        sky=((0, "#2f76cf"), (0.55, "#79b4ec"), (1, "#dcefff")),
        sun="#fffdf0",
        haze="#cfe2ef",
        ground="#27402f",
        cloud="#ffffff",
        folds=((0, "#0d2a52"), (0.45, "#2f86c8"), (0.78, "#9fd6ee"), (1, "#ffffff")),
        sun_height=0.62,
    ),
    "night": Palette(
        sky=((0, "#050a1e"), (0.6, "#0e1f49"), (1, "#26437a")),
        sun="#f2f4ff",
        haze="#1d3363",
        ground="#040711",
        cloud="#2c406e",
        folds=((0, "#04060f"), (0.45, "#16306e"), (0.78, "#4a7ad0"), (1, "#e2edff")),
        sun_height=0.66,
        stars=1.0,
    ),
    "mars": Palette(
        sky=((0, "#6b2c1e"), (0.5, "#c05a32"), (1, "#f5b57c")),
        sun="#fff6e6",
        haze="#e08c5a",
        ground="#6a1f12",
        cloud="#d98a55",
        folds=((0, "#220a06"), (0.45, "#a2431f"), (0.78, "#e89a5c"), (1, "#fff0d8")),
        sun_height=0.58,
    ),
    "neon": Palette(
        sky=((0, "#0a0420"), (0.55, "#3a0f52"), (1, "#b4246f")),
        sun="#ff7ad0",
        haze="#6a1760",
        ground="#0a0616",
        cloud="#54206e",
        folds=((0, "#07031a"), (0.4, "#5a12a0"), (0.7, "#f02a9a"), (1, "#7af4ff")),
        sun_height=0.30,
        stars=0.3,
    ),
    "aurora": Palette(
        sky=((0, "#060a24"), (0.55, "#0c2f46"), (1, "#1b6a64")),
        sun="#e8fff4",
        haze="#114a50",
        ground="#03090d",
        cloud="#1d5a5c",
        folds=((0, "#041016"), (0.4, "#0b5560"), (0.72, "#35c494"), (1, "#e0fff0")),
        sun_height=0.7,
        stars=1.0,
    ),
    "storm": Palette(
        sky=((0, "#20262e"), (0.55, "#434d58"), (1, "#8a949c")),
        sun="#c4ccd2",
        haze="#77828b",
        ground="#0f1317",
        cloud="#2c333b",
        folds=((0, "#0b0e12"), (0.45, "#38424e"), (0.78, "#8c98a4"), (1, "#f0f4f6")),
        sun_height=0.5,
    ),
    "dream": Palette(
        sky=((0, "#4a3f9a"), (0.5, "#a97ad0"), (1, "#ffc9dc")),
        sun="#fff2f8",
        haze="#e2b2d8",
        ground="#2a1f4e",
        cloud="#ffd8ee",
        folds=((0, "#120a2e"), (0.4, "#5a2f9e"), (0.72, "#d86ab8"), (1, "#ffe9f4")),
        sun_height=0.4,
        stars=0.25,
    ),
}

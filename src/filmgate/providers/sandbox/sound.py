"""The ambient bed under a clip: a soft chord and moving air, water or rain, drawn from the seed."""

import numpy as np
from numpy.typing import NDArray

from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import SAMPLE_RATE, Sound

_LOOP_SECONDS = 10
_FADE_IN, _FADE_OUT = 0.4, 0.6
JOIN_SECONDS = _FADE_OUT
"""How long before a clip's end its bed begins to fade, and so where a continuation comes in."""

_ROOTS_HZ = (98.0, 110.0, 123.47, 130.81, 146.83)
_CHORDS = ((1, 1.5, 2, 2.5), (1, 1.5, 2, 2.25), (1, 1.2, 1.5, 2))
# Loudness, centre (Hz) and width (octaves) of the noise, and how deeply and often it swells.
_AIR = {
    "water": (0.075, 420.0, 2.2, 0.75, 0.16),
    "city": (0.050, 170.0, 1.6, 0.25, 0.10),
    "dunes": (0.070, 300.0, 1.2, 0.60, 0.11),
    "studio": (0.008, 500.0, 2.0, 0.20, 0.10),
    "hills": (0.050, 620.0, 1.4, 0.65, 0.09),
    "space": (0.050, 80.0, 1.4, 0.40, 0.06),
    "silk": (0.020, 500.0, 2.0, 0.40, 0.08),
}
_RAIN = (0.085, 3800.0, 1.8, 0.15, 0.20)


def silence(seconds: float) -> Sound:
    """A silent track."""
    return np.zeros((2, round(seconds * SAMPLE_RATE)), np.float32)


def ambience(plan: Plan, start: float, seconds: float) -> Sound:
    """The bed of `plan` from `start` for `seconds`; neighbouring stretches join seamlessly."""
    sample = np.arange(round(seconds * SAMPLE_RATE)) + round(start * SAMPLE_RATE)
    t = sample / SAMPLE_RATE
    bed = _chord(plan, t)
    airs = [_AIR[plan.scene]] + ([_RAIN] if "rain" in plan.particles else [])
    for number, (loudness, centre, width, depth, rate) in enumerate(airs):
        loop = _noise_loop(plan.rng(f"air {number}"), centre, width)
        swell = 1 - depth * (0.5 + 0.5 * np.cos(2 * np.pi * rate * t))
        bed += loudness * swell * loop[:, sample % loop.shape[1]]
    return bed.astype(np.float32)


def faded(sound: Sound) -> Sound:
    """The same sound, faded in at its start and out at its end."""
    seconds = sound.shape[1] / SAMPLE_RATE
    t = np.arange(sound.shape[1]) / SAMPLE_RATE
    gain = np.clip(np.minimum(t / _FADE_IN, (seconds - t) / _FADE_OUT), 0, 1)
    return np.asarray(sound * gain, np.float32)


def _chord(plan: Plan, t: NDArray[np.float64]) -> NDArray[np.float64]:
    rng = plan.rng("chord")
    root = rng.choice(_ROOTS_HZ)
    chord = _CHORDS[rng.integers(len(_CHORDS))]
    bed = np.zeros((2, t.size))
    for interval in chord:
        for channel, detune in enumerate((0.9985, 1.0015)):
            phase = rng.uniform(0, 2 * np.pi)
            tone = np.sin(2 * np.pi * root * interval * detune * t + phase)
            breath = 0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(0.05, 0.13) * t + phase)
            bed[channel] += 0.035 / interval**0.6 * breath * tone
    return bed


def _noise_loop(rng: np.random.Generator, centre: float, octaves: float) -> Sound:
    """Stereo noise around `centre` Hz that repeats without a seam, of unit loudness."""
    count = _LOOP_SECONDS * SAMPLE_RATE
    frequency = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    distance = np.log2(np.maximum(frequency, 1.0) / centre)
    shape = np.exp(-0.5 * (distance / octaves) ** 2) / np.sqrt(np.maximum(frequency, 20.0))
    spectrum = shape * np.exp(2j * np.pi * rng.random((2, frequency.size)))
    loop = np.fft.irfft(spectrum, count, axis=1)
    return np.asarray(loop / loop.std(), np.float32)

"""Turns a WAV file into a voice message as Telegram has them: OGG with OPUS, 48 kHz.

Usage: opus.py FROM.wav TO.ogg
"""

import sys

import numpy
import soundfile


def main() -> None:
    sound, rate = soundfile.read(sys.argv[1], dtype="float32")
    places = numpy.arange(0, len(sound) / rate, 1 / 48_000)
    sound = numpy.interp(places, numpy.arange(len(sound)) / rate, sound)
    soundfile.write(sys.argv[2], sound, 48_000, format="OGG", subtype="OPUS")


if __name__ == "__main__":
    main()

"""An hour and a half of spoken Dutch by two speakers: the local stand-in for VoxPopuli "nl".

    pip install seesay
    apt-get download fillets-ng-data fillets-ng-data-nl                                      # no root needed
    for deb in fillets-ng-data*.deb; do dpkg -x $deb fillets; done
    python examples/fillets_dutch.py --game fillets --output data/fillets
    seesay check data/fillets
    seesay train speech --data data/fillets --from-scratch speecht5-small --language nl

The game Fish Fillets is under the GPL-2; its sentences stand in its scripts and its recordings beside them. They are read where
they were unpacked, and what this writes (links to the recordings, and metadata.jsonl) is yours to use at home, not part of seesay.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path

from seesay.files import write_whole

INSTALLED = Path("usr/share/games/fillets-ng")
SPEAKERS = {"font_small": "small-fish", "font_big": "big-fish"}
LINE = re.compile(
    r'dialogId\(\s*"(?P<id>[^"]+)"\s*,\s*"(?P<font>[^"]*)"\s*,\s*"(?:[^"\\]|\\.)*"\s*\)'
    r'\s*dialogStr\(\s*"(?P<text>(?:[^"\\]|\\.)*)"\s*\)'
)
"""dialogId(name of the recording, font of who speaks, English) and dialogStr(Dutch), in the scripts' Lua."""


def sentences_in(game: Path) -> list[dict[str, str]]:
    """A row for each Dutch sentence that was recorded, in the order of levels and lines."""
    rows = []
    for script in sorted((game / "script").glob("*/dialogs_nl.lua")):
        for line in LINE.finditer(script.read_text(encoding="utf-8")):
            recording = game / "sound" / script.parent.name / "nl" / f"{line['id']}.ogg"
            text = " ".join(re.sub(r"\\(.)", r"\1", line["text"]).split())
            if recording.is_file() and text:
                speaker = SPEAKERS.get(line["font"], line["font"])
                rows.append({"file_name": f"{script.parent.name}/{line['id']}.ogg", "text": text,
                             "speaker_id": speaker, "recording": str(recording)})  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--game", type=Path, default=Path("/"), help="where the two packages were unpacked")
    parser.add_argument("--output", type=Path, default=Path("data/fillets"), help="a folder that is made")
    arguments = parser.parse_args()
    game = arguments.game / INSTALLED if (arguments.game / INSTALLED).is_dir() else arguments.game
    rows = sentences_in(game)
    if not rows:
        sys.exit(f"error: no Dutch sentences in {str(game)!r}; see the commands at the top of this file")
    for row in rows:
        target = arguments.output / row["file_name"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        source = row.pop("recording")
        try:
            os.link(source, target)
        except OSError:
            target.write_bytes(Path(source).read_bytes())
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_whole(arguments.output / "metadata.jsonl", text)
    print(f"{len(rows)} recordings with their sentences in {arguments.output}")


if __name__ == "__main__":
    main()

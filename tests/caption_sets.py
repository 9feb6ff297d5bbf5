"""The same small set of captioned pictures in every format that holds captions.

    source = MAKERS["coco-captions"](folder)     # what `--data` is given

Pictures are of one color each, so that a test can tell which captions ended up with which picture.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

CAPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "red": ("A red card.", "Something red, perhaps a card."),
        "green": ('A "green" card on the table', "ein grünes Blatt"),
        "blue": ("a blue card", "blue, all over"),
        "white": ("빨간색이 아닌 흰색 카드", "a white card"),
    },
    "test": {"yellow": ("a yellow card", "a card"), "black": ("a black card", "nothing, or the night")},
}
"""Split, color of the picture, its captions."""


def rows() -> Iterator[tuple[str, str, list[str]]]:
    """Split, file name and captions of each picture."""
    for split, pictures in CAPTIONS.items():
        for color, captions in pictures.items():
            yield split, f"{color}.png", list(captions)


def draw(path: Path) -> Path:
    """The picture of the color that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (48, 32), path.stem).save(path)
    return path


def image_folder(folder: Path, kind: str = "jsonl") -> Path:
    for split in CAPTIONS:
        listed = []
        for _, name, captions in (row for row in rows() if row[0] == split):
            draw(folder / split / "pictures" / name)
            listed.append({"file_name": f"pictures/{name}", "captions": captions})
        file = folder / split / f"metadata.{kind}"
        if kind == "jsonl":
            file.write_text("".join(json.dumps(row) + "\n" for row in listed), encoding="utf-8")
        elif kind == "csv":
            _write_csv(file, listed)
        else:
            _write_parquet(file, listed)
    return folder


def image_folder_of_csv(folder: Path) -> Path:
    return image_folder(folder, "csv")


def image_folder_of_parquet(folder: Path) -> Path:
    return image_folder(folder, "parquet")


def sidecar(folder: Path) -> Path:
    for number, (split, name, captions) in enumerate(rows()):
        picture = draw(folder / split / "shelf" / name)
        text = picture.with_suffix((".txt", ".caption")[number % 2])
        text.write_text("\ufeff" * (number % 2) + "\r\n\r\n".join(captions) + "\n", encoding="utf-8", newline="")
    (folder / "README.txt").write_text("about the whole folder")
    return folder


def coco_captions(folder: Path) -> Path:
    for split, year in (("train", "train2017"), ("test", "test2017")):
        images, annotations = [], []
        for number, (_, name, captions) in enumerate(row for row in rows() if row[0] == split):
            draw(folder / year / name)
            images.append({"license": 3, "file_name": name, "height": 32, "width": 48, "id": number})
            for caption in captions:
                annotations.append({"image_id": number, "id": len(annotations), "caption": caption})
        # Captions of one picture do not stand together.
        content = {"info": {}, "images": images, "licenses": [], "annotations": annotations[::2] + annotations[1::2]}
        file = folder / "annotations" / f"captions_{year}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(content))
        boxes = {"info": {}, "images": images, "annotations": [{"image_id": 0, "bbox": [0, 0, 1, 1]}]}
        (file.parent / f"instances_{year}.json").write_text(json.dumps(boxes))
    return folder


def karpathy(folder: Path) -> Path:
    images = []
    for number, (split, name, captions) in enumerate(rows()):
        draw(folder / "val2014" / name)
        sentences = [{"tokens": caption.split(), "raw": caption, "imgid": number} for caption in captions]
        entry = {"filepath": "val2014", "filename": name, "imgid": number, "sentences": sentences}
        images.append({**entry, "split": "restval" if number == 0 else split, "sentids": [0, 1], "cocoid": number})
    (folder / "dataset_coco.json").write_text(json.dumps({"images": images, "dataset": "coco"}))
    return folder


def flickr(folder: Path) -> Path:
    lines, lists = [], {"train": [], "test": []}
    for split, name, captions in rows():
        draw(folder / "Flicker8k_Dataset" / name)
        lines += [f"{name}#{number}\t{caption}" for number, caption in enumerate(captions)]
        lists[split].append(name)
    lines.append(f"{draw(folder / 'Flicker8k_Dataset' / 'gray.png').name}#0\ton no list")
    (folder / "Flickr8k.token.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for split, names in lists.items():
        (folder / f"Flickr_8k.{split}Images.txt").write_text("\n".join(names) + "\n")
    return folder


def jsonl(folder: Path) -> Path:
    for split in CAPTIONS:
        listed = [{"image": f"images/{name}", "caption": said} for at, name, said in rows() if at == split]
        for row in listed:
            draw(folder / row["image"])
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in listed))
    return folder


def csv_rows(folder: Path) -> Path:
    for split in CAPTIONS:
        listed = [{"image": f"images/{name}", "captions": said} for at, name, said in rows() if at == split]
        for row in listed:
            draw(folder / row["image"])
        _write_csv(folder / f"{split}.csv", listed)
    return folder


def parquet(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for split in CAPTIONS:
        _write_parquet(folder / f"{split}-00000-of-00001.parquet", _embedded(folder, split))
    return folder


def datasets(folder: Path) -> Path:
    import datasets as hub

    features = hub.Features({"image": hub.Image(), "text": hub.List(hub.Value("string"))})
    splits = {split: hub.Dataset.from_list(_embedded(folder, split), features=features) for split in CAPTIONS}
    hub.DatasetDict(splits).save_to_disk(folder / "set")
    return folder / "set"


def _embedded(folder: Path, split: str) -> list[dict[str, Any]]:
    """Rows with the picture's bytes in them, as the Hub has them."""
    found = []
    for _, name, captions in (row for row in rows() if row[0] == split):
        picture = draw(folder / name)
        found.append({"image": {"bytes": picture.read_bytes(), "path": name}, "text": captions})
        picture.unlink()
    return found


def _write_csv(file: Path, listed: list[dict[str, Any]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(listed[0])
        table.writerows([name, json.dumps(captions)] for name, captions in (row.values() for row in listed))


def _write_parquet(file: Path, listed: list[dict[str, Any]]) -> None:
    import pyarrow
    from pyarrow import parquet as files

    files.write_table(pyarrow.Table.from_pylist(listed), file)


MAKERS: dict[str, Callable[[Path], Path]] = {
    "image-folder": image_folder,
    "image-folder of CSV": image_folder_of_csv,
    "image-folder of Parquet": image_folder_of_parquet,
    "sidecar": sidecar,
    "coco-captions": coco_captions,
    "karpathy": karpathy,
    "flickr-tokens": flickr,
    "jsonl": jsonl,
    "csv": csv_rows,
    "parquet": parquet,
    "datasets": datasets,
}
"""By the format's name, and a kind where it has several."""

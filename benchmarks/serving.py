"""A process that serves a ViLT-B/32: processor time to its first answer, and the memory it holds at most. In turns, one thread."""

import json
import os
import statistics
import subprocess
import sys
from typing import Any

from .sides import photo
from .sizes import QUESTIONS, WORK, checkpoint

ROUNDS = 3
PLAIN = """
import json, sys, time
import torch
from PIL import Image
from transformers import BertTokenizer, ViltForQuestionAnswering, ViltProcessor
from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil
folder, picture, question = sys.argv[1:]
processor = ViltProcessor(ViltImageProcessorPil.from_pretrained(folder), BertTokenizer.from_pretrained(folder))
model = ViltForQuestionAnswering.from_pretrained(folder).eval()
def answer():
    with torch.inference_mode():
        logits = model(**processor(Image.open(picture), question, return_tensors="pt")).logits
    return model.config.id2label[logits.argmax().item()]
"""
OURS = """
import json, sys, time
import seesay
folder, picture, question = sys.argv[1:]
model = seesay.load(folder, engine="onnx")
def answer():
    return model.ask(picture, question, risk=1.0).text
"""
END = """
answer()
first = time.process_time()
for _ in range(5):
    answer()
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"first": first, "memory": int(peak.split()[1]) / 1024, "torch": "torch" in sys.modules}))
"""


def measure() -> dict[str, object]:
    folder, picture = checkpoint("vilt-b32"), photo(WORK, 640, 427)
    import seesay

    seesay.load(str(folder), engine="onnx")
    taken: dict[str, list[dict[str, Any]]] = {"transformers": [], "onnx int8": []}
    for _ in range(ROUNDS):
        for name, program in (("transformers", PLAIN), ("onnx int8", OURS)):
            words = [sys.executable, "-c", program + END, str(folder), str(picture), QUESTIONS[1]]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
            taken[name].append(json.loads(done.stdout.splitlines()[-1]))
    rows = {
        name: {
            "first_answer_s": round(statistics.median(one["first"] for one in found), 2),
            "peak_memory_mb": round(max(one["memory"] for one in found)),
            "torch_imported": found[0]["torch"],
        }
        for name, found in taken.items()
    }
    plain = rows["transformers"]
    for row in rows.values():
        row["memory_ratio"] = round(row["peak_memory_mb"] / plain["peak_memory_mb"], 2)
        row["ratio"] = round(plain["first_answer_s"] / row["first_answer_s"], 2)
    return {"threads": 1, "serving": {"ways": rows}}

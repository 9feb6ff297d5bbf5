"""What 8 bits cost a trained model: VQA accuracy of a small ViLT on easy-VQA's test split, on every engine.

Takes `runs/easy-vqa`, which `make vqa` trains, else trains one for 700 steps, which takes two minutes.
"""

from pathlib import Path

from .sizes import WORK

STEPS = 700


def measure() -> dict[str, object]:
    import seesay
    from seesay import api
    from seesay.settings import EvaluateVqaSettings, ModelSettings

    folder = Path(__file__).parent.parent / "runs/easy-vqa"
    if not (folder / "model").is_dir():
        folder = WORK / "easy-vqa"
        settings = {"data": "easy-vqa", "from_scratch": "vilt-small", "max_steps": STEPS, "threads": 1}
        seesay.train_vqa(seesay.TrainVqaSettings(output=folder, **settings))
    rows = {}
    for engine, numbers in (("torch", "float32"), ("onnx", "float32"), ("onnx", "auto"), ("openvino", "auto")):
        if engine == "openvino" and not any(
            one.engine == engine and not one.state.startswith("not installed")
            for one in api.explain_engine(ModelSettings(model=str(folder))).options
        ):
            continue
        settings = EvaluateVqaSettings(
            data="easy-vqa",
            split="test",
            model=str(folder),
            engine=engine,
            dtype=numbers,
            output=WORK / f"{engine}-{numbers}",
        )
        figure = seesay.evaluate_vqa(settings).accuracy
        rows[f"{engine}, {numbers}"] = {"accuracy": round(figure.mean, 4), "questions": figure.count}
    return {"accuracy on easy-VQA's test split": {"ways": rows}}

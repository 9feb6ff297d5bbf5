"""The trained part: what each token may see, and that its two runtimes agree."""

from collections.abc import Iterable
from pathlib import Path

import numpy
import pytest
import torch

from seesay.models.mini.encoder import open_session
from seesay.models.mini.network import CELLS, COARSE, COLORED, FINE, POOLED, MiniConfig, MiniNetwork, fold
from seesay.models.mini.onnx_export import export
from seesay.models.mini.runtime import FEATURES

CONFIG = MiniConfig(
    vocabulary=60, names=20, first_name=10, dim=32, heads=2, vision_layers=2, text_layers=2, max_tokens=24
)


@pytest.fixture(scope="module")
def network() -> MiniNetwork:
    """Random weights, and features scaled by what is neither 0 nor 1."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = MiniNetwork(CONFIG).eval()
        with torch.no_grad():
            for name, buffer in made.named_buffers():
                buffer.uniform_(0.5, 1.5) if name.endswith("scale") else buffer.normal_()
    return made.requires_grad_(False)


@pytest.fixture(scope="module")
def exported(network: MiniNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    assert export(network, folder) == ("look", "decode")
    return folder


def features(pictures: int) -> tuple[torch.Tensor, ...]:
    random = torch.Generator().manual_seed(pictures)
    return (
        torch.randn(pictures, FINE, 14, 14, generator=random),
        torch.randn(pictures, COARSE, 7, 7, generator=random),
        torch.rand(pictures, POOLED, generator=random),
        torch.rand(pictures, COLORED, 14, 14, generator=random) * 2 - 1,
        torch.randint(10, 30, (pictures, CONFIG.hints), generator=random),
        torch.rand(pictures, CONFIG.hints, generator=random),
    )


def tokens(rows: int, length: int) -> torch.Tensor:
    return torch.randint(0, CONFIG.vocabulary, (rows, length), generator=torch.Generator().manual_seed(length))


@pytest.mark.parametrize("pictures", [1, 2, 5])
def test_the_exported_look_is_the_same_for_any_number_of_pictures(
    network: MiniNetwork, exported: Path, pictures: int
) -> None:
    given = features(pictures)
    named = {name: value.numpy() for name, value in zip(FEATURES, given, strict=True)}
    memory = open_session(exported / "look.onnx", 1).run(None, named)[0]
    assert memory.shape == (pictures, CELLS + 1 + CONFIG.hints, CONFIG.dim)
    assert numpy.abs(memory - network.look(*given).numpy()).max() < 1e-4


@pytest.mark.parametrize("rows", [1, 2, 5])
@pytest.mark.parametrize("length", [1, 2, 9, 24])
def test_the_exported_decode_is_the_same_for_any_rows_and_lengths(
    network: MiniNetwork, exported: Path, rows: int, length: int
) -> None:
    ids, memory = tokens(rows, length), network.look(*features(rows))
    wanted = network.logits(network.decode(ids, memory)).numpy()
    assert numpy.abs(decoded(exported, ids, memory, range(length)) - wanted).max() < 1e-4


@pytest.mark.parametrize("places", [[8], [7, 8], [0, 3]])
def test_the_exported_decode_computes_only_the_places_asked_for(
    network: MiniNetwork, exported: Path, places: list[int]
) -> None:
    ids, memory = tokens(3, 9), network.look(*features(3))
    wanted = network.logits(network.decode(ids, memory)[:, places]).numpy()
    assert numpy.abs(decoded(exported, ids, memory, places) - wanted).max() < 1e-4


@pytest.mark.parametrize(("questions", "pictures"), [(1, 4), (4, 1)])
def test_one_question_or_one_picture_stands_for_all(
    network: MiniNetwork, exported: Path, questions: int, pictures: int
) -> None:
    ids, memory = tokens(questions, 6), network.look(*features(pictures))
    wanted = network.logits(network.decode(ids.expand(4, -1), memory.expand(4, -1, -1))[:, -1:]).numpy()
    assert numpy.abs(decoded(exported, ids, memory, [5]) - wanted).max() < 1e-4


def decoded(exported: Path, ids: torch.Tensor, memory: torch.Tensor, places: Iterable[int]) -> numpy.ndarray:
    given = {"ids": ids.numpy(), "memory": memory.numpy(), "places": numpy.array(list(places))}
    logits: numpy.ndarray = open_session(exported / "decode.onnx", 1).run(None, given)[0]
    return logits


def test_rows_that_share_a_picture_are_decoded_as_if_each_had_its_own(network: MiniNetwork) -> None:
    memory, ids, picture = network.look(*features(3)), tokens(5, 7), torch.tensor([2, 0, 0, 1, 2])
    shared = network.decode(ids, memory, picture)
    for row in range(5):
        index = int(picture[row])
        alone = network.decode(ids[row : row + 1], memory[index : index + 1])
        assert torch.allclose(shared[row], alone[0], atol=1e-5)


def test_a_picture_is_seen_the_same_whatever_is_beside_it(network: MiniNetwork) -> None:
    given = features(4)
    together = network.look(*given)
    for row in range(4):
        assert torch.allclose(together[row], network.look(*(part[row : row + 1] for part in given))[0], atol=1e-5)


@pytest.mark.parametrize("changed", [1, 4, 8])
def test_no_token_sees_one_after_it(network: MiniNetwork, changed: int) -> None:
    memory, ids = network.look(*features(2)), tokens(2, 9)
    other = ids.clone()
    other[:, changed] = (other[:, changed] + 1) % CONFIG.vocabulary
    before, after = network.decode(ids, memory), network.decode(other, memory)
    assert torch.allclose(before[:, :changed], after[:, :changed], atol=1e-6)
    assert not torch.allclose(before[:, changed:], after[:, changed:], atol=1e-3)


def test_padding_on_the_right_changes_nothing_before_it(network: MiniNetwork) -> None:
    memory, ids = network.look(*features(2)), tokens(2, 6)
    padded = torch.cat([ids, torch.zeros(2, 11, dtype=torch.int64)], dim=1)
    assert torch.allclose(network.decode(ids, memory), network.decode(padded, memory)[:, :6], atol=1e-6)


def test_what_is_decoded_depends_on_the_picture(network: MiniNetwork) -> None:
    memory, ids = network.look(*features(2)), tokens(1, 6)
    assert not torch.allclose(network.decode(ids, memory[:1]), network.decode(ids, memory[1:]), atol=1e-3)


def test_dropout_is_off_when_answering(network: MiniNetwork) -> None:
    memory, ids = network.look(*features(1)), tokens(1, 6)
    assert torch.equal(network.decode(ids, memory), network.decode(ids, memory))


def test_folding_is_pixel_unshuffle() -> None:
    fine = features(2)[0]
    assert torch.equal(fold(fine), torch.nn.functional.pixel_unshuffle(fine, 2))

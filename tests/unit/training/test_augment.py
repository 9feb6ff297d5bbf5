"""A shift moves each picture inside its own area, by its own draw, and changes nothing else."""

import torch

from seesay.training.augment import SHARE, shift
from seesay.training.plan import Visit


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Two pictures (32 x 48 and 64 x 64) in one padded batch; the value of a pixel says where it is."""
    mask = torch.zeros(2, 64, 64, dtype=torch.long)
    mask[0, :32, :48] = 1
    mask[1] = 1
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    return torch.stack([y * 100 + x, y, x]).expand(2, 3, 64, 64) * mask[:, None], mask


def test_a_picture_moves_by_at_most_its_share_and_its_edge_is_repeated() -> None:
    pixels, mask = batch()
    moves = set()
    for epoch in range(40):
        moved = shift(pixels, mask, [Visit(3, epoch), Visit(4, epoch)], seed=1)
        for index, (height, width) in enumerate([(32, 48), (64, 64)]):
            down = int(height // 2 - moved[index, 1, height // 2, 0])
            right = int(width // 2 - moved[index, 2, 0, width // 2])
            assert abs(down) <= height // SHARE
            assert abs(right) <= width // SHARE
            moves.add((index, down, right))
            assert moved[index, 1, 0, 0] == max(0, -down)
            assert moved[index, 2, 0, width - 1] == min(width - 1, width - 1 - right)
        assert (moved[0, :, 32:] == 0).all()
        assert (moved[0, :, :, 48:] == 0).all()
    assert len(moves) > 20


def test_the_draw_depends_on_seed_epoch_and_row_only() -> None:
    pixels, mask = batch()
    both = shift(pixels, mask, [Visit(3, 5), Visit(4, 5)], seed=1)
    torch.manual_seed(99)
    alone = shift(pixels[1:], mask[1:], [Visit(4, 5)], seed=1)
    assert torch.equal(both[1:], alone)
    others = [shift(pixels[1:], mask[1:], [Visit(4, epoch)], seed=1) for epoch in range(6)]
    assert any(not torch.equal(other, alone) for other in others)


def test_the_pictures_given_are_not_changed() -> None:
    pixels, mask = batch()
    before = pixels.clone()
    shift(pixels, mask, [Visit(0, 0), Visit(1, 0)], seed=0)
    assert torch.equal(pixels, before)

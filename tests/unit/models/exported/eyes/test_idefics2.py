"""Pictures without what pads them, and the learned positions of their patches."""

import numpy
import torch
from hypothesis import given
from hypothesis import strategies as st

from seesay.models.exported.eyes.idefics2 import Idefics2Eye


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 5), st.integers(0, 5))
def test_a_picture_is_cut_to_its_own_patches_and_they_stand_where_transformers_puts_them(
    rows: int, columns: int, below: int, beside: int
) -> None:
    from transformers import Idefics2VisionConfig
    from transformers.models.idefics2.modeling_idefics2 import Idefics2VisionEmbeddings

    mask = torch.zeros(1, 1, 2 * rows + below, 2 * columns + beside)
    mask[..., : 2 * rows, : 2 * columns] = 1
    made = {"pixel_values": numpy.zeros((1, 1, 3, *mask.shape[2:])), "pixel_attention_mask": mask.numpy()}
    (glimpse,) = Idefics2Eye({"patch": 2, "positions": 12}).glimpses(made)
    assert glimpse["pixel_values"].shape == (1, 3, 2 * rows, 2 * columns)
    network = Idefics2VisionEmbeddings(Idefics2VisionConfig(image_size=24, patch_size=2, hidden_size=1))
    with torch.no_grad():
        network.position_embedding.weight.copy_(torch.arange(144.0)[:, None])
        network.patch_embedding.weight.zero_()
        network.patch_embedding.bias.zero_()
        wanted = network(torch.zeros(1, 3, 2 * rows, 2 * columns), torch.ones(1, rows, columns, dtype=torch.bool))
    assert glimpse["places"].tolist() == wanted[0, :, 0].int().tolist()

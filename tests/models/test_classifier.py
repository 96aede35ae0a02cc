from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import encoders, fusion, models, nn

RNG = np.random.default_rng(0)
BATCH = {
    "image": (tf.constant(RNG.standard_normal((3, 8, 8, 3)), tf.float32), tf.constant([True, False, True])),
    "text": (
        tf.constant(RNG.integers(0, 11, (3, 4)), tf.int32),
        tf.constant([[True] * 4, [True] * 4, [False] * 4]),
    ),
    "label": tf.constant([0, 1, 2]),
    "weight": tf.ones([3]),
}


def towers(*names: str) -> dict[str, tf.Module]:
    image = encoders.ViT(encoders.ViTConfig(8, 4, 8, 1, 2))
    return {name: {"image": image, "text": encoders.TextRNN(11, 6)}[name] for name in names}


@pytest.mark.parametrize("names", [("image",), ("text",), ("image", "text"), ("text", "image")])
@pytest.mark.parametrize("kind", [fusion.Concat, fusion.Parallel, fusion.CrossAttention, fusion.Bottleneck])
def test_every_subset_of_modalities_and_every_fusion(names, kind):
    parts = towers(*names)
    model = models.MultimodalClassifier(
        parts, kind([part.dim for part in parts.values()], 8), 5, dropout_rate=0.1
    )
    logits = model(BATCH, training=True, seed=tf.constant([1, 2]))
    assert logits.shape == (3, 5) and np.all(np.isfinite(logits))


def test_a_single_encoder_needs_no_fusion():
    model = models.MultimodalClassifier(towers("text"), None, 5)
    tokens = model.encoders["text"](*BATCH["text"])
    np.testing.assert_allclose(model(BATCH), model.head(tokens.pooled), rtol=1e-6)


def test_x_alone_is_x_without_a_mask():
    model = models.MultimodalClassifier(towers("text"), None, 5)
    ids = BATCH["text"][0]
    expected = model({"text": (ids, tf.ones_like(ids, tf.bool))})
    for inputs in (
        {"text": ids},
        {"text": (ids, None)},
        {"text": ids.numpy()},
        {"text": [ids.numpy(), None]},
    ):
        np.testing.assert_array_equal(model(inputs), expected)


def test_paths_begin_with_the_modality():
    parts = towers("image", "text")
    model = models.MultimodalClassifier(parts, fusion.Concat([8, 6], 8), 5)
    paths = list(nn.variables_by_path(model))
    assert "encoders.image.blocks.0.attention.query.kernel" in paths
    assert paths[-2:] == ["head.kernel", "head.bias"]
    assert {path.split(".")[0] for path in paths} == {"encoders", "fusion", "head"}


@pytest.mark.parametrize("names", [(), ("image", "text")])
def test_no_encoder_or_several_without_a_fusion_is_an_error(names):
    with pytest.raises(ValueError, match="expected encoders and, for more than one, a fusion"):
        models.MultimodalClassifier(towers(*names), None, 5)


def test_an_input_that_lacks_a_modality_is_an_error():
    model = models.MultimodalClassifier(towers("text"), None, 5)
    with pytest.raises(ValueError, match=r"found none for 'text' among \['image'\]"):
        model({"image": BATCH["image"]})

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import encoders, fusion, image, models, nn
from mmcore.typing import PackedRows

SIDE, PATCH = 3, 4  # the learned grid; pixels of a patch
# The learned grid, smaller and larger ones, one of each axis, and one that is one patch.
SIZES = [(3, 3), (1, 2), (5, 2), (2, 7), (1, 1), (6, 6)]
MOST = 36
MISSING = len(SIZES)  # one more example, without an image
MODES = {"eager": None, "graph": False, "xla": True}


def vit(**options) -> encoders.ViT:
    module = encoders.ViT(
        encoders.ViTConfig(SIDE * PATCH, PATCH, 8, 2, 2, **options), rng=np.random.default_rng(0)
    )
    table = module.positions.table  # Initial values are too small to be seen.
    table.assign(np.random.default_rng(1).standard_normal(table.shape).astype(np.float32))
    return module


def batch() -> image.PatchBatch:
    """The images as padded patches; the last example has none."""
    shapes = np.array([*SIZES, (0, 0)], np.int32)
    mask = np.arange(MOST) < np.prod(shapes, axis=1)[:, None]
    pixels = np.random.default_rng(3).standard_normal((*mask.shape, 3 * PATCH**2)).astype(np.float32)
    positions = np.zeros((*mask.shape, 2), np.int32)
    for index, size in enumerate(SIZES):
        positions[index, mask[index]] = np.argwhere(np.ones(size))
    return image.PatchBatch(pixels * mask[:, :, None], mask, positions, shapes)


def keywords(rows: image.PackedPatches) -> dict[str, tf.Tensor]:
    names = ("segment_ids", "positions", "places")
    return {name: tf.constant(getattr(rows, name)) for name in names}


def padded(module: encoders.ViT) -> nn.Tokens:
    patches, mask, positions, _ = map(tf.constant, batch())
    return module(patches, mask, positions=positions)


def packed(module: encoders.ViT, length: int = 40) -> nn.PackedTokens:
    rows = image.pack_patches(batch(), length)
    rows.places[MISSING] = -1, 0
    return module(tf.constant(rows.patches), **keywords(rows))


def alone(module: encoders.ViT) -> nn.Tokens:
    """Each image in a call of its own, with the table as TensorFlow resizes it."""
    values, pooled = [], []
    for index, (height, width) in enumerate(SIZES):
        table = tf.reshape(module.positions.table, [SIDE, SIDE, 8])
        table = tf.reshape(tf.image.resize(table, (height, width), antialias=True), [1, height * width, 8])
        x = module.patches(tf.constant(batch().patches[index : index + 1, : height * width])) + table
        for block in module.blocks:
            x = block(x)
        x = module.norm(x)
        values.append(tf.pad(x, [[0, 0], [0, MOST - height * width], [0, 0]])[0])
        pooled.append(tf.reduce_mean(x[0], axis=0))
    nothing = tf.zeros([8])
    return nn.Tokens(
        tf.stack([*values, tf.zeros([MOST, 8])]), tf.constant(batch().mask), tf.stack([*pooled, nothing])
    )


def run(module: encoders.ViT, function, mode: str) -> tuple[nn.Tokens, list[tf.Tensor]]:
    weights = tf.constant(np.random.default_rng(5).standard_normal((MISSING + 1, MOST, 8)), tf.float32)

    def step():
        with tf.GradientTape() as tape:
            tokens = function(module)
            tokens = tokens.unpacked(MOST) if isinstance(tokens, nn.PackedTokens) else tokens
            values = tf.where(tokens.mask[:, :, None], tokens.values, 0.0)
            loss = tf.reduce_sum(values * weights) + tf.reduce_sum(tf.sin(tokens.pooled) * weights[:, 0])
        gradients = tape.gradient(loss, module.trainable_variables)
        return tokens._replace(values=values), [tf.convert_to_tensor(x) for x in gradients]

    jit_compile = MODES[mode]
    return step() if jit_compile is None else tf.function(step, jit_compile=jit_compile, autograph=False)()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("function", [packed, padded])
def test_an_image_of_any_grid_gives_what_it_gives_alone_with_the_resized_table(function, mode):
    module = vit()
    (found, gradients), (expected, others) = run(module, function, mode), run(module, alone, "eager")
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    for a, b in zip(gradients, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("function", [packed, padded])
def test_an_image_of_the_learned_grid_gives_what_it_gives_as_pixels(function):
    module = vit()
    pixels = batch().patches[0, : SIDE * SIDE].reshape(1, SIDE, SIDE, PATCH, PATCH, 3)
    pixels = pixels.transpose(0, 1, 3, 2, 4, 5).reshape(1, SIDE * PATCH, SIDE * PATCH, 3)
    found, expected = function(module), module(tf.constant(pixels))
    np.testing.assert_allclose(found.pooled[:1], expected.pooled, rtol=1e-5, atol=1e-5)


def test_rows_of_patches_without_a_mask_are_real_throughout():
    module, (patches, _, positions, _) = vit(), map(tf.constant, batch())
    found = module(patches[5:6], positions=positions[5:6])
    np.testing.assert_allclose(found.values, padded(module).values[5:6], rtol=1e-5, atol=1e-5)
    assert np.all(found.mask)


def test_preprocessed_images_go_packed_through_a_classifier():
    rng = np.random.default_rng(2)
    photos = [rng.integers(0, 256, (*size, 3), np.uint8) for size in ((30, 70), (50, 20))]
    cut = image.PatchPreprocessor(patch_size=PATCH, max_patches=12)(photos)
    rows = image.pack_patches(cut, 24)
    module = vit(max_patches=12)
    assert module(tf.constant(rows.patches), **keywords(rows)).index.shape == (2, 12)
    fuse = fusion.CrossAttention([8], 8, num_heads=2, rng=rng)
    model = models.MultimodalClassifier({"image": module}, fuse, 3, rng=rng)
    patches, mask, positions, _ = map(tf.constant, cut)
    expected = model.head(fuse([module(patches, mask, positions=positions)]).pooled)
    np.testing.assert_allclose(model({"image": PackedRows(*rows)}), expected, rtol=1e-4, atol=1e-5)


def test_a_mask_of_images_with_patches_is_an_error():
    patches, mask, positions, _ = map(tf.constant, batch())
    with pytest.raises(ValueError, match=r"expected a mask \[B, N\] of the patches, found \(7,\)"):
        vit()(patches, mask[:, 0], positions=positions)


def test_positions_of_patches_need_rows_and_columns():
    patches, mask, positions, _ = map(tf.constant, batch())
    with pytest.raises(ValueError, match=r"expected positions \[R, L, 2\], row and column"):
        vit()(patches, mask, positions=positions[:, :, 0])

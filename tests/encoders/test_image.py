from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import encoders, nn

IMAGES = np.random.default_rng(0).standard_normal((4, 8, 8, 3)).astype(np.float32)
MASK = np.array([True, False, True, False])
BUILDS = {
    "cnn batch": lambda: encoders.CNN(encoders.CNNConfig((8, 16), (1, 1)), rng=np.random.default_rng(0)),
    "cnn group": lambda: encoders.CNN(
        encoders.CNNConfig((8, 16), (1, 1), norm="group"), rng=np.random.default_rng(0)
    ),
    "vit": lambda: encoders.ViT(encoders.ViTConfig(8, 4, 8, 1, 2), rng=np.random.default_rng(0)),
}
each = pytest.mark.parametrize("name", BUILDS)


@each
@pytest.mark.parametrize("training", [False, True])
def test_a_missing_image_has_no_tokens_no_summary_and_no_influence(name, training):
    other = np.where(MASK[:, None, None, None], IMAGES, np.nan).astype(np.float32)
    first, second = (
        BUILDS[name]()(tf.constant(x), tf.constant(MASK), training=training, seed=tf.constant([1, 2]))
        for x in (IMAGES, other)
    )
    np.testing.assert_array_equal(first.present(), MASK)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.all(np.isfinite(first.values)) and not np.any(first.pooled[1]) and np.any(first.pooled[0])


@each
def test_a_batch_without_any_image_is_finite_in_values_and_gradients(name):
    encoder = BUILDS[name]()
    with tf.GradientTape() as tape:
        tokens = encoder(tf.fill([2, 8, 8, 3], np.nan), tf.constant([False, False]), training=True)
        loss = tf.reduce_sum(tokens.values) + tf.reduce_sum(tokens.pooled)
    assert np.all(np.isfinite(tokens.values)) and not np.any(tokens.pooled)
    for gradient in tape.gradient(loss, encoder.trainable_variables):
        assert np.all(np.isfinite(gradient))


def test_batch_norm_sees_present_images_alone():
    encoder = BUILDS["cnn batch"]()
    encoder(tf.constant(IMAGES), tf.constant(MASK), training=True)
    expected = BUILDS["cnn batch"]()
    expected(tf.constant(IMAGES[MASK]), training=True)
    np.testing.assert_allclose(
        encoder.stem_norm.moving_mean, expected.stem_norm.moving_mean, rtol=1e-5, atol=1e-6
    )


@each
def test_no_mask_is_a_mask_of_all(name):
    encoder = BUILDS[name]()
    for a, b in zip(
        encoder(tf.constant(IMAGES)), encoder(tf.constant(IMAGES), tf.ones([4], tf.bool)), strict=True
    ):
        np.testing.assert_array_equal(a, b)


@each
def test_the_summary_is_the_mean_of_the_tokens_of_width_dim(name):
    encoder = BUILDS[name]()
    tokens = encoder(tf.constant(IMAGES))
    assert tokens.values.shape[-1] == tokens.pooled.shape[-1] == encoder.dim
    np.testing.assert_allclose(tokens.pooled, np.mean(tokens.values, axis=1), rtol=1e-5, atol=1e-6)


# Table 1 of the paper gives the layers; with 1,000 classes these are the published 11.69, 21.80 and 25.56
# million.
@pytest.mark.parametrize(
    ("variant", "total"), [("resnet18", 11_689_512), ("resnet34", 21_797_672), ("resnet50", 25_557_032)]
)
def test_resnets_have_the_published_number_of_parameters(variant, total):
    encoder = encoders.CNN(encoders.CNN_VARIANTS[variant])
    count = sum(int(np.prod(v.shape)) for v in encoder.trainable_variables)
    assert count + (encoder.dim + 1) * 1000 == total


def test_patches_go_row_by_row():
    encoder = BUILDS["vit"]()
    patches = encoder._cut(tf.constant(IMAGES)).numpy().reshape(4, 4, 4, 4, 3)
    np.testing.assert_array_equal(patches[:, 1], IMAGES[:, :4, 4:])
    np.testing.assert_array_equal(patches[:, 2], IMAGES[:, 4:, :4])


def test_later_blocks_are_skipped_more_often():
    encoder = encoders.CNN(encoders.CNNConfig((8, 8), (2, 2), drop_path_rate=0.4))
    np.testing.assert_allclose([block.drop_path.rate for block in encoder.blocks], [0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(("widths", "depths"), [((8,), (1, 1)), ((), ())])
def test_stages_without_depths_are_an_error(widths, depths):
    with pytest.raises(ValueError, match="one depth for each width"):
        encoders.CNN(encoders.CNNConfig(widths, depths))


def test_another_norm_is_an_error():
    with pytest.raises(ValueError, match="found 'layer'"):
        encoders.CNN(encoders.CNNConfig(norm="layer"))
    with pytest.raises(ValueError, match="found 'layer'"):
        encoders.ResidualBlock(4, 4, norm="layer")


def test_a_patch_that_does_not_divide_is_an_error():
    with pytest.raises(ValueError, match="found 3 and 8"):
        encoders.ViT(encoders.ViTConfig(8, 3))


def test_another_image_size_is_an_error():
    with pytest.raises(ValueError, match=r"expected \[B, 8, 8, 3\]"):
        BUILDS["vit"]()(tf.zeros([2, 8, 12, 3]))


def test_group_norm_is_available_for_every_variant_width():
    assert isinstance(BUILDS["cnn group"]().stem_norm, nn.GroupNorm)

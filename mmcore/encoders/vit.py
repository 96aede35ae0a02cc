"""Vision Transformer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from mmcore import nn
from mmcore.encoders.blocks import check_packed, packed_tokens, run_blocks
from mmcore.encoders.image_tokens import filled, image_tokens
from mmcore.nn import init as inits
from mmcore.nn.shapes import sizes


@dataclass(frozen=True)
class ViTConfig:
    """Sizes of a Vision Transformer.

    Args:
        image_size: height and width of an image.
        patch_size: height and width of a patch; divides image_size.
        dim: width.
        num_layers: blocks.
        num_heads: heads of each block.
        hidden_dim: width inside the MLPs; None: 4 * dim.
        dropout_rate: in training, of the embedding and in the blocks.
        drop_path_rate: in training, probability that an example, or a segment, skips a branch of the last
            block; earlier blocks' are proportionally smaller.
        remat: in training, compute the blocks again for the gradient instead of keeping their inner values.
        max_patches: most patches of an image in packed rows, as `image.PatchPreprocessor` has it; None: as many as a
            row has. Fusions that look at tokens lay out so many for each image, and leave out what is beyond.
    """

    image_size: int = 64
    patch_size: int = 8
    dim: int = 128
    num_layers: int = 4
    num_heads: int = 4
    hidden_dim: int | None = None
    dropout_rate: float = 0.0
    drop_path_rate: float = 0.0
    remat: bool = False
    max_patches: int | None = None


# Ti, S: Touvron et al. 2020, arXiv:2012.12877, table 1; B: Dosovitskiy et al. 2020, arXiv:2010.11929.
VIT_VARIANTS = {
    "ti16": ViTConfig(image_size=224, patch_size=16, dim=192, num_layers=12, num_heads=3),
    "s16": ViTConfig(image_size=224, patch_size=16, dim=384, num_layers=12, num_heads=6),
    "b16": ViTConfig(image_size=224, patch_size=16, dim=768, num_layers=12, num_heads=12),
    "b32": ViTConfig(image_size=224, patch_size=32, dim=768, num_layers=12, num_heads=12),
}


class ViT(tf.Module):
    """Linear map of the patches, learned positions, pre-norm blocks, a last norm; the summary is the mean.

    Images of any size and aspect go in as patches, in rows of one image with a mask or several in a packed row. Each
    has the learned positions resampled to its own grid (see `nn.grid_positions`), sees itself alone, and has a
    summary of its own. One of image_size gives what it gives as pixels.

    Shapes:
        x: float [B, image_size, image_size, 3], normalised; mask: bool [B] (False = no image) or None;
        seed: int32 [2] or None.
        result: values [B, N, dim], mask [B, N], pooled [B, dim], in x's dtype, with
        N = (image_size / patch_size)^2 patches, row by row.
        Patches: x float [B, N, 3 patch_size^2], the pixels of a patch row by row; mask bool [B, N] or None;
        positions int32 [B, N, 2], row and column of the patch in its image; see `image.PatchPreprocessor`.
        Packed: x float [R, L, 3 patch_size^2]; segment_ids int32 [R, L]; positions int32 [R, L, 2]; places int32
        [B, 2]; see `image.pack_patches`. The result is `nn.PackedTokens`.

    Args:
        config: sizes; `VIT_VARIANTS` has those of the papers.
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: patch_size that does not divide image_size; an input of another size; segment_ids or places
            without the other or without positions, or with a mask; positions that are not [R, L, 2]; a mask of
            patches that is not [B, N].

    Source: Dosovitskiy et al. 2020, arXiv:2010.11929; the mean instead of a class token: Beyer et al. 2022,
        arXiv:2205.01580; variable resolution: Tschannen et al. 2025, SigLIP 2, arXiv:2502.14786, section 2.4.2.

    Example:
        >>> from mmcore import encoders
        >>> encoder = encoders.ViT(encoders.ViTConfig(image_size=8, patch_size=4, dim=8, num_layers=1))
        >>> encoder(tf.zeros([2, 8, 8, 3])).values.shape
        TensorShape([2, 4, 8])
    """

    def __init__(self, config: ViTConfig | None = None, *, rng: np.random.Generator | None = None):
        super().__init__()
        config = ViTConfig() if config is None else config
        if config.image_size % config.patch_size:
            found = f"{config.patch_size} and {config.image_size}"
            raise ValueError(f"expected patch_size that divides image_size, found {found}")
        rng = inits.generator(rng)
        self.image_size, self.patch_size, self.dim = config.image_size, config.patch_size, config.dim
        self.remat, self.max_patches = config.remat, config.max_patches
        num_patches = (config.image_size // config.patch_size) ** 2
        self.patches = nn.Linear(3 * config.patch_size**2, config.dim, init=inits.lecun_normal, rng=rng)
        self.positions = nn.Positions(num_patches, config.dim, rng=rng)
        self.dropout = nn.Dropout(config.dropout_rate)
        self.blocks = [
            nn.TransformerBlock(
                config.dim,
                config.num_heads,
                hidden_dim=config.hidden_dim,
                dropout_rate=config.dropout_rate,
                drop_path_rate=config.drop_path_rate * (index + 1) / config.num_layers,
                rng=rng,
            )
            for index in range(config.num_layers)
        ]
        self.norm = nn.LayerNorm(config.dim)

    def __call__(
        self,
        x: tf.Tensor,
        mask: tf.Tensor | None = None,
        *,
        segment_ids: tf.Tensor | None = None,
        positions: tf.Tensor | None = None,
        places: tf.Tensor | None = None,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> nn.Tokens | nn.PackedTokens:
        if segment_ids is not None or places is not None:
            check_packed(mask, segment_ids, positions, places)
        num_seeds = len(self.blocks) + 1
        seeds = nn.split(nn.fresh() if seed is None else seed, num_seeds) if training else [None] * num_seeds
        if positions is None:
            values = self.positions(self.patches(self._cut(filled(self._checked(x), mask))))
        else:
            values = self.patches(x)
            images = _images(values, mask) if segment_ids is None else segment_ids
            values += nn.grid_positions(self.positions.table, positions, images, dtype=values.dtype)
        values = self.dropout(values, training=training, seed=seeds[-1])
        # Without positions an example has all patches or none, so no block needs a mask.
        values = run_blocks(
            self.blocks,
            values,
            None if positions is None else mask,
            segment_ids=segment_ids,
            training=training,
            seeds=seeds,
            remat=self.remat,
        )
        values = self.norm(values)
        if segment_ids is not None and places is not None:
            return packed_tokens(values, segment_ids, places, self.max_patches)
        if positions is None or mask is None:
            return image_tokens(values, mask)
        return nn.Tokens(values, mask, nn.masked_mean(values, mask))

    def _checked(self, x: tf.Tensor) -> tf.Tensor:
        if x.shape[1:] != (self.image_size, self.image_size, 3):
            raise ValueError(
                f"expected [B, {self.image_size}, {self.image_size}, 3], found {x.shape}: resize first"
            )
        return x

    def _cut(self, x: tf.Tensor) -> tf.Tensor:
        """Patches [B, N, 3 patch_size^2]: cheaper than the convolution of this stride that it equals."""
        side, size = self.image_size // self.patch_size, self.patch_size
        x = tf.transpose(tf.reshape(x, [-1, side, size, side, size, 3]), [0, 1, 3, 2, 4, 5])
        return tf.reshape(x, [-1, side * side, 3 * size * size])


def _images(values: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    """Rows of one image each as segment ids: 1 for its patches, 0 at padding."""
    if mask is None:
        return tf.ones(sizes(values)[:2], tf.int32)
    if mask.shape.rank != 2:
        raise ValueError(f"expected a mask [B, N] of the patches, found {mask.shape}")
    return tf.cast(mask, tf.int32)

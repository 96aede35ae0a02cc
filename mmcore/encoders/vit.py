"""Vision Transformer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from mmcore import nn
from mmcore.encoders.image_tokens import filled, image_tokens
from mmcore.nn import init as inits


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
        drop_path_rate: in training, probability that an example skips a branch of the last block; earlier
            blocks' are proportionally smaller.
    """

    image_size: int = 64
    patch_size: int = 8
    dim: int = 128
    num_layers: int = 4
    num_heads: int = 4
    hidden_dim: int | None = None
    dropout_rate: float = 0.0
    drop_path_rate: float = 0.0


# Ti, S: Touvron et al. 2020, arXiv:2012.12877, table 1; B: Dosovitskiy et al. 2020, arXiv:2010.11929.
VIT_VARIANTS = {
    "ti16": ViTConfig(image_size=224, patch_size=16, dim=192, num_layers=12, num_heads=3),
    "s16": ViTConfig(image_size=224, patch_size=16, dim=384, num_layers=12, num_heads=6),
    "b16": ViTConfig(image_size=224, patch_size=16, dim=768, num_layers=12, num_heads=12),
    "b32": ViTConfig(image_size=224, patch_size=32, dim=768, num_layers=12, num_heads=12),
}


class ViT(tf.Module):
    """Linear map of the patches, learned positions, pre-norm blocks, a last norm; the summary is the mean.

    Shapes:
        x: float [B, image_size, image_size, 3], normalised; mask: bool [B] (False = no image) or None;
        seed: int32 [2] or None.
        result: values [B, N, dim], mask [B, N], pooled [B, dim], in x's dtype, with
        N = (image_size / patch_size)^2 patches, row by row.

    Args:
        config: sizes; `VIT_VARIANTS` has those of the papers.
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: patch_size that does not divide image_size; an input of another size.

    Source: Dosovitskiy et al. 2020, arXiv:2010.11929; the mean instead of a class token: Beyer et al. 2022,
        arXiv:2205.01580.

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
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> nn.Tokens:
        if x.shape[1:] != (self.image_size, self.image_size, 3):
            raise ValueError(
                f"expected [B, {self.image_size}, {self.image_size}, 3], found {x.shape}: resize first"
            )
        num_seeds = len(self.blocks) + 1
        seeds = nn.split(nn.fresh() if seed is None else seed, num_seeds) if training else [None] * num_seeds
        values = self.positions(self.patches(self._cut(filled(x, mask))))
        values = self.dropout(values, training=training, seed=seeds[-1])
        for block, block_seed in zip(self.blocks, seeds, strict=False):
            # An example has all patches or none, so no block needs a mask.
            values = block(values, training=training, seed=block_seed)
        return image_tokens(self.norm(values), mask)

    def _cut(self, x: tf.Tensor) -> tf.Tensor:
        """Patches [B, N, 3 patch_size^2]: cheaper than the convolution of this stride that it equals."""
        side, size = self.image_size // self.patch_size, self.patch_size
        x = tf.transpose(tf.reshape(x, [-1, side, size, side, size, 3]), [0, 1, 3, 2, 4, 5])
        return tf.reshape(x, [-1, side * side, 3 * size * size])

"""Residual networks over images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import tensorflow as tf

from mmcore import nn
from mmcore.encoders.image_tokens import filled, image_tokens
from mmcore.nn import init as inits
from mmcore.nn.shapes import sizes


@dataclass(frozen=True)
class CNNConfig:
    """Sizes of a residual network.

    Args:
        widths: channels of each stage; every stage but the first halves the image.
        depths: blocks of each stage.
        bottleneck: blocks of 1x1, 3x3, 1x1 convolutions that end 4 times as wide, instead of two 3x3.
        small_stem: begin with one 3x3 convolution (images up to some 64 pixels), instead of 7x7
            of stride 2 and a 3x3 maximum of stride 2.
        stem_stride: stride of the small stem; 2 makes everything after it four times cheaper.
        norm: "batch" or "group".
        drop_path_rate: in training, probability that an example skips the last block; earlier blocks' are
            proportionally smaller.
    """

    widths: tuple[int, ...] = (32, 64, 128)
    depths: tuple[int, ...] = (1, 1, 1)
    bottleneck: bool = False
    small_stem: bool = True
    stem_stride: int = 1
    norm: Literal["batch", "group"] = "batch"
    drop_path_rate: float = 0.0


# He et al. 2015, arXiv:1512.03385: table 1 (ImageNet), and section 4.2 (CIFAR-10, n = 1 and 3).
CNN_VARIANTS = {
    "resnet8": CNNConfig(widths=(16, 32, 64), depths=(1, 1, 1)),
    "resnet20": CNNConfig(widths=(16, 32, 64), depths=(3, 3, 3)),
    "resnet18": CNNConfig(widths=(64, 128, 256, 512), depths=(2, 2, 2, 2), small_stem=False),
    "resnet34": CNNConfig(widths=(64, 128, 256, 512), depths=(3, 4, 6, 3), small_stem=False),
    "resnet50": CNNConfig(widths=(64, 128, 256, 512), depths=(3, 4, 6, 3), bottleneck=True, small_stem=False),
}


class CNN(tf.Module):
    """Residual network: the last feature map as tokens, its mean as the summary.

    Shapes:
        x: float [B, height, width, 3], normalised; mask: bool [B] (False = no image) or None.
        result: values [B, height' * width', dim], mask [B, height' * width'], pooled [B, dim], in x's dtype.
        seed: int32 [2] or None.

    Args:
        config: sizes; `CNN_VARIANTS` has those of the paper.
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: widths and depths of different lengths, or none; another norm.

    Source: He et al. 2015, arXiv:1512.03385; the stride of a bottleneck is in its 3x3 (Goyal et al. 2017,
        arXiv:1706.02677, section 5.1), and the last norm of a block starts at zero (same section).

    Example:
        >>> from mmcore import encoders
        >>> encoder = encoders.CNN(encoders.CNNConfig(widths=(8, 16), depths=(1, 1)))
        >>> encoder(tf.zeros([2, 8, 8, 3])).values.shape
        TensorShape([2, 16, 16])
    """

    def __init__(self, config: CNNConfig | None = None, *, rng: np.random.Generator | None = None):
        super().__init__()
        config = CNNConfig() if config is None else config
        if not config.widths or len(config.widths) != len(config.depths):
            raise ValueError(
                f"expected one depth for each width, found {config.widths=} and {config.depths=}"
            )
        rng = inits.generator(rng)
        in_dim = config.widths[0]
        size, stride = (3, config.stem_stride) if config.small_stem else (7, 2)
        self.small_stem = config.small_stem
        self.stem = nn.Conv2D(3, in_dim, size, stride=stride, bias=False, rng=rng)
        self.stem_norm = _norm(config.norm, in_dim)
        self.blocks: list[ResidualBlock] = []
        for stage, (width, depth) in enumerate(zip(config.widths, config.depths, strict=True)):
            for index in range(depth):
                rate = config.drop_path_rate * (len(self.blocks) + 1) / sum(config.depths)
                block = ResidualBlock(
                    in_dim,
                    width,
                    stride=2 if stage and not index else 1,
                    bottleneck=config.bottleneck,
                    norm=config.norm,
                    drop_path_rate=rate,
                    rng=rng,
                )
                self.blocks.append(block)
                in_dim = block.dim
        self.dim = in_dim

    def __call__(
        self,
        x: tf.Tensor,
        mask: tf.Tensor | None = None,
        *,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> nn.Tokens:
        x = self.stem(filled(x, mask))
        x = tf.nn.relu(_normalised(self.stem_norm, x, training))
        if not self.small_stem:
            x = tf.nn.max_pool2d(x, 3, 2, "SAME")
        seed = nn.fresh() if training and seed is None else seed
        for index, block in enumerate(self.blocks):
            x = block(x, training=training, seed=nn.fold(seed, index) if training else None)
        batch, height, width, _ = sizes(x)
        return image_tokens(tf.reshape(x, [batch, height * width, self.dim]), mask)


class ResidualBlock(tf.Module):
    """relu(shortcut(x) + branch(x)); the branch is convolutions, each with a norm, and relu between them.

    Shapes:
        x: float [B, height, width, in_dim]; seed: int32 [2] or None.
        result: [B, ceil(height / stride), ceil(width / stride), dim] in x's dtype; dim is `width`, or 4 times
        that for a bottleneck.

    Args:
        in_dim: channels of the input.
        width: channels inside.
        stride: of the (first) 3x3 convolution and of the shortcut.
        bottleneck: 1x1, 3x3, 1x1 convolutions instead of two 3x3.
        norm: "batch" or "group".
        drop_path_rate: in training, probability that an example skips the branch.
        rng: source of the initial values; None: fresh entropy.

    Raises:
        ValueError: another norm.

    Source: He et al. 2015, arXiv:1512.03385, figure 5; shortcut B of section 4.1.
    """

    def __init__(
        self,
        in_dim: int,
        width: int,
        *,
        stride: int = 1,
        bottleneck: bool = False,
        norm: Literal["batch", "group"] = "batch",
        drop_path_rate: float = 0.0,
        rng: np.random.Generator | None = None,
    ):
        super().__init__()
        rng = inits.generator(rng)
        self.dim = 4 * width if bottleneck else width
        plan = [(in_dim, width, 1, 1), (width, width, 3, stride), (width, self.dim, 1, 1)]
        if not bottleneck:
            plan = [(in_dim, width, 3, stride), (width, width, 3, 1)]
        self.convs = [nn.Conv2D(a, b, size, stride=s, bias=False, rng=rng) for a, b, size, s in plan]
        self.norms = [_norm(norm, out_dim) for _, out_dim, _, _ in plan]
        self.norms[-1].scale.assign(tf.zeros([self.dim]))
        self.drop_path = nn.StochasticDepth(drop_path_rate)
        self.shortcut = self.shortcut_norm = None
        if stride > 1 or in_dim != self.dim:
            self.shortcut = nn.Conv2D(in_dim, self.dim, 1, stride=stride, bias=False, rng=rng)
            self.shortcut_norm = _norm(norm, self.dim)

    def __call__(
        self,
        x: tf.Tensor,
        *,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        y = x
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            y = _normalised(norm, conv(tf.nn.relu(y) if index else y), training)
        if self.shortcut is not None and self.shortcut_norm is not None:
            x = _normalised(self.shortcut_norm, self.shortcut(x), training)
        return tf.nn.relu(x + self.drop_path(y, training=training, seed=seed))


def _norm(kind: str, dim: int) -> nn.BatchNorm | nn.GroupNorm:
    if kind == "batch":
        return nn.BatchNorm(dim)
    if kind == "group":
        return nn.GroupNorm(dim, num_groups=math.gcd(dim, 8))
    raise ValueError(f'expected norm "batch" or "group", found {kind!r}')


def _normalised(norm: nn.BatchNorm | nn.GroupNorm, x: tf.Tensor, training: bool) -> tf.Tensor:
    return norm(x, training=training) if isinstance(norm, nn.BatchNorm) else norm(x)

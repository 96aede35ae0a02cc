"""Encoders: one modality in, `nn.Tokens` out."""

from __future__ import annotations

from mmcore import _tensorflow as _tensorflow
from mmcore.encoders.cnn import CNN, CNN_VARIANTS, CNNConfig, ResidualBlock
from mmcore.encoders.text_rnn import TextRNN
from mmcore.encoders.text_transformer import TextTransformer
from mmcore.encoders.vit import VIT_VARIANTS, ViT, ViTConfig

__all__ = [
    "CNN",
    "CNN_VARIANTS",
    "VIT_VARIANTS",
    "CNNConfig",
    "ResidualBlock",
    "TextRNN",
    "TextTransformer",
    "ViT",
    "ViTConfig",
]

"""Layers: `tf.Module`s whose variables are all made in `__init__` from explicit sizes."""

from __future__ import annotations

from mmcore import _tensorflow as _tensorflow
from mmcore.nn.attention import MultiHeadAttention, dot_product_attention
from mmcore.nn.conv import Conv2D
from mmcore.nn.dropout import Dropout, StochasticDepth
from mmcore.nn.embedding import Embedding, Positions
from mmcore.nn.grid import grid_positions
from mmcore.nn.init import glorot_uniform, he_normal, lecun_normal, orthogonal, truncated_normal
from mmcore.nn.linear import Linear
from mmcore.nn.norm import BatchNorm, GroupNorm, LayerNorm, RMSNorm
from mmcore.nn.paths import trainable_by_path, variables_by_path
from mmcore.nn.pooling import AttentionPooling, masked_max, masked_mean
from mmcore.nn.remat import remat
from mmcore.nn.rnn import GRU, LSTM, Bidirectional
from mmcore.nn.rows import Rows
from mmcore.nn.seeds import fold, fresh, split
from mmcore.nn.segments import gather_segments, segment_index, segment_mask, segment_mean
from mmcore.nn.tokens import PackedTokens, Tokens
from mmcore.nn.transformer import MLP, TransformerBlock

__all__ = [
    "GRU",
    "LSTM",
    "MLP",
    "AttentionPooling",
    "BatchNorm",
    "Bidirectional",
    "Conv2D",
    "Dropout",
    "Embedding",
    "GroupNorm",
    "LayerNorm",
    "Linear",
    "MultiHeadAttention",
    "PackedTokens",
    "Positions",
    "RMSNorm",
    "Rows",
    "StochasticDepth",
    "Tokens",
    "TransformerBlock",
    "dot_product_attention",
    "fold",
    "fresh",
    "gather_segments",
    "glorot_uniform",
    "grid_positions",
    "he_normal",
    "lecun_normal",
    "masked_max",
    "masked_mean",
    "orthogonal",
    "remat",
    "segment_index",
    "segment_mask",
    "segment_mean",
    "split",
    "trainable_by_path",
    "truncated_normal",
    "variables_by_path",
]

"""The rivals, each as fast as its own interface allows, each behind a skip where it is not installed."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

ImageBatch = Callable[[Sequence[bytes]], np.ndarray]


def pillow_batch(size: int, mean: Sequence[float], std: Sequence[float]) -> ImageBatch:
    """JPEG files to float32 [B, size, size, 3] as CLIP's published code does it, normalised in place."""
    from PIL import Image

    finish = pillow_finish(size, mean, std)

    def run(files: Sequence[bytes]) -> np.ndarray:
        return finish([Image.open(io.BytesIO(data)).convert("RGB") for data in files])

    return run


def pillow_finish(size: int, mean: Sequence[float], std: Sequence[float]) -> Callable[[Sequence], np.ndarray]:
    """Decoded Pillow images to the same batch: bicubic resize, centre crop, a multiplication, an addition."""
    from PIL import Image

    scale, bias = _scale_and_bias(mean, std)

    def run(images: Sequence) -> np.ndarray:
        out = np.empty((len(images), size, size, 3), np.float32)
        for row, image in zip(out, images, strict=True):
            height, width = _shorter_side(image.height, image.width, size)
            left, top = (width - size) // 2, (height - size) // 2
            image = image.resize((width, height), Image.Resampling.BICUBIC)
            np.multiply(image.crop((left, top, left + size, top + size)), scale, out=row, casting="unsafe")
            row += bias
        return out

    return run


def pillow_train(
    size: int, mean: Sequence[float], std: Sequence[float], jitter: Sequence[float]
) -> Callable[[Sequence, np.random.Generator], np.ndarray]:
    """Files or Pillow images to a training batch as torchvision's transforms do it on Pillow images.

    Random resized crop (bicubic, with `box=`, so that nothing but the crop is resized), flip, colour jitter in
    random order, normalised in place. `jitter`: amounts of brightness, contrast, saturation and hue.
    """
    from PIL import Image, ImageEnhance

    scale, bias = _scale_and_bias(mean, std)
    enhance = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
    bicubic, mirror = Image.Resampling.BICUBIC, Image.Transpose.FLIP_LEFT_RIGHT

    def hue(image, turns: float):
        h, s, v = image.convert("HSV").split()
        shifted = np.asarray(h) + np.int32(turns * 255).astype(np.uint8)
        return Image.merge("HSV", (Image.fromarray(shifted), s, v)).convert("RGB")

    def box(image, rng: np.random.Generator) -> tuple[int, int, int, int]:
        for _ in range(10):
            area = rng.uniform(0.08, 1.0) * image.width * image.height
            ratio = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
            w, h = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
            if 0 < w <= image.width and 0 < h <= image.height:
                left, top = int(rng.integers(image.width - w + 1)), int(rng.integers(image.height - h + 1))
                return left, top, left + w, top + h
        return 0, 0, image.width, image.height

    def run(images: Sequence, rng: np.random.Generator) -> np.ndarray:
        out = np.empty((len(images), size, size, 3), np.float32)
        for row, source in zip(out, images, strict=True):
            image = Image.open(io.BytesIO(source)).convert("RGB") if isinstance(source, bytes) else source
            image = image.resize((size, size), bicubic, box=box(image, rng))
            if rng.random() < 0.5:
                image = image.transpose(mirror)
            for i in rng.permutation(4):
                if i == 3:
                    image = hue(image, rng.uniform(-jitter[3], jitter[3]))
                else:
                    image = enhance[i](image).enhance(rng.uniform(1 - jitter[i], 1 + jitter[i]))
            np.multiply(image, scale, out=row, casting="unsafe")
            row += bias
        return out

    return run


def opencv_batch(size: int, mean: Sequence[float], std: Sequence[float]) -> ImageBatch:
    """The same with OpenCV on one thread and its antialiasing interpolation for shrinking, INTER_AREA."""
    cv2 = pytest.importorskip("cv2", reason="needs opencv-python-headless (extra: test)")
    scale, bias = _scale_and_bias(mean, std)

    def run(files: Sequence[bytes]) -> np.ndarray:
        cv2.setNumThreads(1)
        out = np.empty((len(files), size, size, 3), np.float32)
        for row, data in zip(out, files, strict=True):
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            height, width = _shorter_side(*image.shape[:2], size)
            left, top = (width - size) // 2, (height - size) // 2
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            image = cv2.cvtColor(image[top : top + size, left : left + size], cv2.COLOR_BGR2RGB)
            np.multiply(image, scale, out=row, casting="unsafe")
            row += bias
        return out

    return run


def tf_image_batch(size: int, mean: Sequence[float], std: Sequence[float]) -> ImageBatch:
    """The same with tf.image in one compiled graph, on TensorFlow's own threads."""
    tf = pytest.importorskip("tensorflow", reason="needs TensorFlow (extra: cpu)")
    scale, bias = _scale_and_bias(mean, std)

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def one(data):
        image = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")
        height, width = tf.unstack(tf.cast(tf.shape(image)[:2], tf.float64))
        shorter = tf.minimum(height, width)
        full = tf.cast([size * height / shorter, size * width / shorter], tf.int32)
        image = tf.image.resize(image, full, "bicubic", antialias=True)
        top, left = tf.unstack((full - size) // 2)
        return image[top : top + size, left : left + size] * scale + bias

    def run(files: Sequence[bytes]) -> np.ndarray:
        return np.stack([one(data).numpy() for data in files])

    run.one = one
    return run


def tf_data_batch(size: int, mean: Sequence[float], std: Sequence[float]) -> ImageBatch:
    """The same as a `tf.data` pipeline of one thread, which makes the batch too."""
    one = tf_image_batch(size, mean, std).one
    import tensorflow as tf

    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.threading.max_intra_op_parallelism = 1
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False  # Nothing works ahead, unmeasured.
    running: dict[int, Any] = {}  # Each list of files has one pipeline, which is built once and goes round.

    def run(files: Sequence[bytes]) -> np.ndarray:
        if id(files) not in running:
            dataset = tf.data.Dataset.from_tensor_slices(list(files)).repeat().map(one).batch(len(files))
            running[id(files)] = files, iter(dataset.with_options(options))
        return next(running[id(files)][1]).numpy()

    return run


def hugging_face(tokenizer_json: str, length: int) -> Callable[[Sequence[str]], list]:
    """`encode_batch_fast` of a new tokenizer on one thread, rows padded and cut to `length`."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    tokenizers = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")
    tokenizer = tokenizers.Tokenizer.from_str(tokenizer_json)
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length)
    return tokenizer.encode_batch_fast


def tiktoken_batch(ranks: dict[bytes, int]) -> Callable[[Sequence[str]], list[list[int]]]:
    """tiktoken's batch call on one thread with GPT-2's pattern; gives lists, neither padded nor cut."""
    tiktoken = pytest.importorskip("tiktoken", reason="needs tiktoken (extra: test)")
    pattern = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""
    encoding = tiktoken.Encoding("bench", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return lambda texts: encoding.encode_ordinary_batch(texts, num_threads=1)


def sentencepiece_batch(path: Any) -> Callable[[Sequence[str]], list[list[int]]]:
    """SentencePiece's own encoder on one thread; gives lists, neither padded nor cut."""
    sentencepiece = pytest.importorskip("sentencepiece", reason="needs sentencepiece (extra: test)")
    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return lambda texts: processor.encode(list(texts), out_type=int, num_threads=1)


def _shorter_side(height: int, width: int, size: int) -> tuple[int, int]:
    return (size, int(size * width / height)) if height <= width else (int(size * height / width), size)


def _scale_and_bias(mean: Sequence[float], std: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    mean, std = np.array(mean), np.array(std)
    return (1 / (255 * std)).astype(np.float32), (-mean / std).astype(np.float32)


class KerasClassifier:
    """Keras 3 on TensorFlow: convolutions and one Transformer block, concatenated, a linear head; `fit` with
    XLA.

    Args:
        sizes: of `test_train_step.Sizes`.
        weights: initial values by the variable paths of `test_train_step.Classifier`.
        dropout_rate: as there.
        steps_per_execution: steps that `fit` runs in one call of its compiled function.
    """

    def __init__(
        self, sizes: Any, weights: Mapping[str, np.ndarray], *, dropout_rate: float, steps_per_execution: int
    ):
        keras = _keras()
        self.keras, self.sizes = keras, sizes
        self.model = self._build(dropout_rate)
        self._set_weights(weights)
        optimizer = keras.optimizers.AdamW(
            sizes.learning_rate, weight_decay=sizes.weight_decay, epsilon=1e-8, global_clipnorm=1.0
        )
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "embeddings"])
        self.model.compile(
            optimizer,
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=True,
            steps_per_execution=steps_per_execution,
        )

    def _build(self, rate: float) -> Any:
        layers, sizes = self.keras.layers, self.sizes
        image = layers.Input([sizes.image_size, sizes.image_size, 3], name="image")
        x = image
        for index, width in enumerate(sizes.widths):
            x = layers.Conv2D(width, 3, strides=2 if index else 1, padding="same", name=f"conv{index}")(x)
            x = layers.ReLU()(x)
        x = layers.GlobalAveragePooling2D()(x)
        ids = layers.Input([sizes.length], dtype="int32", name="text")
        y = layers.Embedding(sizes.vocab_size, sizes.dim, name="embedding")(ids)
        z = layers.LayerNormalization(epsilon=1e-6, name="attention_norm")(y)
        head_dim = sizes.dim // sizes.num_heads
        z = layers.MultiHeadAttention(sizes.num_heads, head_dim, name="attention")(z, z)
        y = layers.Add()([y, layers.Dropout(rate)(z)])
        z = layers.LayerNormalization(epsilon=1e-6, name="mlp_norm")(y)
        z = layers.Dense(4 * sizes.dim, name="up")(z)
        z = layers.Lambda(lambda value: self.keras.activations.gelu(value, approximate=True))(z)
        z = layers.Dense(sizes.dim, name="down")(layers.Dropout(rate)(z))
        y = layers.Add()([y, layers.Dropout(rate)(z)])
        y = layers.GlobalAveragePooling1D()(y)
        joined = layers.Dropout(rate)(layers.Concatenate()([x, y]))
        return self.keras.Model([image, ids], layers.Dense(sizes.num_classes, name="head")(joined))

    def _set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        heads = (self.sizes.num_heads, self.sizes.dim // self.sizes.num_heads)

        def put(layer: str, *paths: str) -> None:
            variables = self.model.get_layer(layer).weights
            self.model.get_layer(layer).set_weights(
                [weights[path].reshape(v.shape) for path, v in zip(paths, variables, strict=True)]
            )

        assert heads[0] * heads[1] == self.sizes.dim
        for index in range(len(self.sizes.widths)):
            put(f"conv{index}", f"convs.{index}.kernel", f"convs.{index}.bias")
        put("embedding", "embedding.table")
        for name in ("attention_norm", "mlp_norm"):
            put(name, f"block.{name}.scale", f"block.{name}.bias")
        parts = ("query", "key", "value", "output")
        put("attention", *(f"block.attention.{part}.{kind}" for part in parts for kind in ("kernel", "bias")))
        put("up", "block.mlp.up.kernel", "block.mlp.up.bias")
        put("down", "block.mlp.down.kernel", "block.mlp.down.bias")
        put("head", "head.kernel", "head.bias")

    def fit(self, batch: Mapping[str, np.ndarray], steps: int) -> tuple[float, float]:
        """Seconds within the epoch (the set-up of `fit` is not counted), and the mean loss of the steps."""
        import tensorflow as tf

        timer = _epoch_timer(self.keras)
        inputs = ([batch["image"], batch["text"]], batch["label"])
        dataset = tf.data.Dataset.from_tensors((tuple(inputs[0]), inputs[1])).repeat(steps)
        history = self.model.fit(
            dataset, steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False, callbacks=[timer]
        )
        return timer.seconds, history.history["loss"][0]


def _epoch_timer(keras: Any) -> Any:
    class EpochTimer(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            self.seconds = time.perf_counter() - self.started

    return EpochTimer()


def tensorflow_text_wordpiece(vocabulary: Sequence[str], max_length: int) -> Callable:
    """Strings to ids and mask [B, max_length] with TensorFlow Text's fast tokenizer, as a graph function."""
    text = pytest.importorskip("tensorflow_text", reason="needs tensorflow-text")
    import tensorflow as tf

    tokenizer = text.FastBertTokenizer(
        list(vocabulary), token_out_type=tf.int32, lower_case_nfd_strip_accents=True
    )

    def run(strings):
        ids = tokenizer.tokenize(strings)[:, :max_length]
        padded = ids.to_tensor(0, shape=[None, max_length])
        return padded, tf.sequence_mask(ids.row_lengths(), max_length)

    return run


def keras_transformer_block(weights: Mapping[str, np.ndarray], num_heads: int, dropout_rate: float) -> Any:
    """A `keras.Model` of x and mask that is `nn.TransformerBlock`, with the weights of one."""
    keras = _keras()
    layers = keras.layers
    dim = weights["attention.query.kernel"].shape[0]
    x, mask = layers.Input([None, dim]), layers.Input([None], dtype="bool")
    attention = layers.MultiHeadAttention(num_heads, dim // num_heads)
    norms = [layers.LayerNormalization(epsilon=1e-6) for _ in range(2)]
    up, down = layers.Dense(weights["mlp.up.bias"].size), layers.Dense(dim)
    normed = norms[0](x)
    y = layers.Add()([x, layers.Dropout(dropout_rate)(attention(normed, normed, key_mask=mask))])
    z = layers.Lambda(lambda value: keras.activations.gelu(value, approximate=True))(up(norms[1](y)))
    z = down(layers.Dropout(dropout_rate)(z))
    model = keras.Model([x, mask], layers.Add()([y, layers.Dropout(dropout_rate)(z)]))
    parts = ("query", "key", "value", "output")
    _put(attention, weights, *(f"attention.{part}.{kind}" for part in parts for kind in ("kernel", "bias")))
    for norm, name in zip(norms, ("attention_norm", "mlp_norm"), strict=True):
        _put(norm, weights, f"{name}.scale", f"{name}.bias")
    _put(up, weights, "mlp.up.kernel", "mlp.up.bias")
    _put(down, weights, "mlp.down.kernel", "mlp.down.bias")
    return model


def keras_residual_block(weights: Mapping[str, np.ndarray], stride: int) -> Any:
    """A `keras.Model` of x that is `encoders.ResidualBlock` of two 3x3 convolutions with batch norm."""
    layers = _keras().layers
    in_dim, width = weights["convs.0.kernel"].shape[-2:]
    x = layers.Input([None, None, in_dim])
    strides = (stride, 1)
    convs = [layers.Conv2D(width, 3, strides=s, padding="same", use_bias=False) for s in strides]
    shortcut = layers.Conv2D(width, 1, strides=stride, padding="same", use_bias=False)
    norms = [layers.BatchNormalization(momentum=0.9, epsilon=1e-5) for _ in range(3)]
    y = norms[1](convs[1](layers.ReLU()(norms[0](convs[0](x)))))
    model = _keras().Model(x, layers.ReLU()(layers.Add()([norms[2](shortcut(x)), y])))
    for layer, path in zip((*convs, shortcut), ("convs.0", "convs.1", "shortcut"), strict=True):
        _put(layer, weights, f"{path}.kernel")
    for layer, path in zip(norms, ("norms.0", "norms.1", "shortcut_norm"), strict=True):
        kinds = ("scale", "bias", "moving_mean", "moving_variance")
        _put(layer, weights, *(f"{path}.{kind}" for kind in kinds))
    return model


def keras_gru(weights: Mapping[str, np.ndarray]) -> Any:
    """A `keras.Model` of x and mask that is `nn.GRU`: masked steps repeat the state there, too."""
    layers = _keras().layers
    in_dim, dim = weights["kernel"].shape[0], weights["recurrent_kernel"].shape[0]
    x, mask = layers.Input([None, in_dim]), layers.Input([None], dtype="bool")
    layer = layers.GRU(dim, return_sequences=True)
    model = _keras().Model([x, mask], layer(x, mask=mask))
    recurrent_bias = np.concatenate([np.zeros(2 * dim, np.float32), weights["recurrent_bias"]])
    layer.set_weights(
        [weights["kernel"], weights["recurrent_kernel"], np.stack([weights["bias"], recurrent_bias])]
    )
    return model


def _keras() -> Any:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    keras = pytest.importorskip("keras", reason="needs Keras 3")
    if not keras.__version__.startswith("3."):
        pytest.skip(f"needs Keras 3, found {keras.__version__}")
    return keras


def _put(layer: Any, weights: Mapping[str, np.ndarray], *paths: str) -> None:
    """Sets a layer's weights from ours at these paths, in Keras's order and shapes."""
    layer.set_weights([weights[path].reshape(v.shape) for path, v in zip(paths, layer.weights, strict=True)])


def tensorflow_attention(*, heads_first: bool = False) -> Callable[..., Any]:
    """softmax(q k^T / sqrt(K)) v as one writes it, on [B, T, H, K] or, without transposes, on [B, H, T, K]."""
    import tensorflow as tf

    def turned(x: Any) -> Any:
        return x if heads_first else tf.transpose(x, [0, 2, 1, 3])

    def attend(q: Any, k: Any, v: Any) -> Any:
        scores = tf.matmul(turned(q * q.shape[-1] ** -0.5), turned(k), transpose_b=True)
        return turned(tf.matmul(tf.nn.softmax(scores), turned(v)))

    return attend


def with_gradients(attend: Callable[..., Any]) -> Callable[..., Any]:
    """(q, k, v, dout) to the result and the gradients of q, k and v, by TensorFlow's tape."""
    import tensorflow as tf

    def run(q: Any, k: Any, v: Any, dout: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([q, k, v])
            out = attend(q, k, v)
        return [out, *tape.gradient(out, [q, k, v], output_gradients=dout)]

    return run


def pytorch_attention(arrays: Sequence[np.ndarray], dtype: str, *, gradients: bool) -> Callable[[], Any]:
    """`scaled_dot_product_attention` on arrays q, k, v, dout [B, T, H, K], with as many threads as mmcore has."""
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    from mmcore import _load

    torch.set_num_threads(_load.native().num_threads())
    q, k, v, dout = (torch.from_numpy(x).to(getattr(torch, dtype)).transpose(1, 2) for x in arrays)
    attend = torch.nn.functional.scaled_dot_product_attention

    def forward() -> Any:
        with torch.no_grad():
            return [attend(q, k, v).transpose(1, 2)]

    def backward() -> Any:
        inputs = [x.detach().requires_grad_() for x in (q, k, v)]
        out = attend(*inputs)
        out.backward(dout)
        return [x.transpose(1, 2) for x in (out.detach(), *(x.grad for x in inputs))]

    return backward if gradients else forward


def pytorch_layer_norm(
    x: np.ndarray, scale: np.ndarray, bias: np.ndarray, dy: np.ndarray, dtype: str, *, gradients: bool
) -> Callable[[], Any] | None:
    """`layer_norm` of rows, with as many threads as mmcore has; None where PyTorch is not installed."""
    try:
        import torch
    except ImportError:
        return None
    from mmcore import _load

    torch.set_num_threads(_load.native().num_threads())
    rows, upstream = (torch.from_numpy(a).to(getattr(torch, dtype)) for a in (x, dy))
    weights = [torch.from_numpy(a).to(rows.dtype) for a in (scale, bias)]

    def forward() -> Any:
        with torch.no_grad():
            return [torch.nn.functional.layer_norm(rows, rows.shape[1:], *weights, eps=1e-6)]

    def backward() -> Any:
        inputs = [a.detach().requires_grad_() for a in (rows, *weights)]
        y = torch.nn.functional.layer_norm(inputs[0], rows.shape[1:], *inputs[1:], eps=1e-6)
        y.backward(upstream)
        return [y.detach(), *(a.grad for a in inputs)]

    return backward if gradients else forward


def linear_then_cross_entropy(x: Any, kernel: Any, labels: Any) -> Any:
    """The loss as one writes it with TensorFlow: all logits at once."""
    import tensorflow as tf

    logits = tf.matmul(x, kernel)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))

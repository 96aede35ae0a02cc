from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import tensorflow as tf

from mmcore import ops
from mmcore.image import Preprocessor
from mmcore.text import Tokenizer

TEXTS = [b"a red square", b"", b"\xff bad", b"blue " * 30]

RELOAD = """
    import sys
    import numpy as np
    import tensorflow as tf
    folder = sys.argv[1]
    try:
        tf.saved_model.load(folder)
    except Exception as error:
        assert "Op type not registered 'Mmcore" in str(error), error
    else:
        sys.exit("loaded without the op library")
    import mmcore.ops
    model = tf.saved_model.load(folder)
    assert "mmcore.text" not in sys.modules and "mmcore.image" not in sys.modules
    given = dict(np.load(folder + "/given.npz"))
    results = model.both(tf.constant(given["texts"].tolist()), tf.constant(given["images"]))
    served = model.signatures["serving_default"](
        texts=tf.constant(given["texts"].tolist()), images=tf.constant(given["images"]))
    outputs = model.signatures["serving_default"].structured_outputs
    shapes = {name: spec.shape.as_list() for name, spec in outputs.items()}
    assert shapes == {
        "first": [None, 5], "second": [None, 9], "mask": [None, 9], "pixels": [None, 6, 6, 3]}, shapes
    for name in shapes:
        np.testing.assert_array_equal(results[name], given[name])
        np.testing.assert_array_equal(served[name], given[name])
    print("same")
"""


def test_a_saved_model_gives_the_same_in_a_process_that_imports_only_the_ops(tmp_path):
    first, second = (Tokenizer.train(TEXTS, vocab_size=size) for size in (262, 290))
    pre = Preprocessor(size=6)
    images = np.random.default_rng(0).integers(0, 256, (2, 9, 14, 3), dtype=np.uint8)

    class Model(tf.Module):
        @tf.function(
            input_signature=[
                tf.TensorSpec([None], tf.string, "texts"),
                tf.TensorSpec([None, None, None, 3], tf.uint8, "images"),
            ]
        )
        def both(self, texts, images):
            ids, mask = ops.tokenize(second, texts, max_length=9)
            return {
                "first": ops.tokenize(first, texts, max_length=5)[0],
                "second": ids,
                "mask": mask,
                "pixels": ops.resize_normalize(pre, images),
            }

    model = Model()
    tf.saved_model.save(model, str(tmp_path), signatures=model.both)
    batch = second(TEXTS, max_length=9)
    np.savez(
        tmp_path / "given.npz",
        texts=np.array(TEXTS),
        images=images,
        second=batch.ids,
        mask=batch.mask,
        first=first(TEXTS, max_length=5).ids,
        pixels=pre(list(images)),
    )
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(RELOAD), str(tmp_path)], capture_output=True, text=True
    )
    assert result.stdout.endswith("same\n"), result.stderr

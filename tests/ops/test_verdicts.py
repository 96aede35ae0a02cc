from __future__ import annotations

import pytest
from image_verdicts import GRAPH_FORMATS, NOT_IN_A_GRAPH, Verdict, summary, verdicts
from PIL import features

from mmcore.image import FORMATS


@pytest.fixture(scope="module")
def found(real_data):
    return verdicts(real_data / "images_robust")


def readable(verdict: Verdict) -> bool:
    return verdict.format != "AVIF" or features.check("avif")


def test_every_file_gets_the_verdict_of_the_manifest_on_both_faces(found):
    wrong = [verdict for verdict in found if readable(verdict) and not verdict.as_expected]
    assert not wrong
    assert len(found) > 150 and len(summary(found)) > 10
    assert {verdict.expect for verdict in found} == {"ok", "lenient", "reject"}


def test_a_format_outside_the_allow_list_is_named_with_its_switch(found):
    others = [verdict for verdict in found if verdict.format not in (*FORMATS, "-")]
    assert {verdict.format for verdict in others} == {"AVIF", "TIFF", "PPM"}
    for verdict in others:
        assert f"the image is in the format {verdict.format}" in verdict.by_default
        assert f'"{verdict.format}"' in verdict.by_default and "formats=" in verdict.by_default


def test_a_format_that_a_graph_does_not_read_is_named(found):
    others = [v for v in found if v.expect == "ok" and NOT_IN_A_GRAPH in v.graph]
    assert {verdict.format for verdict in others} >= {"AVIF", "TIFF", "WEBP"}
    for verdict in others:
        assert verdict.format in verdict.graph and (
            verdict.format not in GRAPH_FORMATS or verdict.mode == "CMYK"
        )


def test_every_refusal_names_the_sample(found):
    refused = [verdict for verdict in found if verdict.numpy != "read"]
    assert len(refused) > 20 and all(verdict.numpy.startswith("image 0: ") for verdict in refused)
    # What only TensorFlow's own decoder finds, it says without a name.
    nameless = [verdict for verdict in refused if "image 0: " not in verdict.graph]
    assert len(nameless) <= 1 and all("DecodeJpeg" in verdict.graph for verdict in nameless)

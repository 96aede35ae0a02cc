from __future__ import annotations

import time

import pytest
import tensorflow as tf

from mmcore import train


def run(kit, state, dataset, **options):
    return list(train.fit(state, kit.step, dataset, **options))


def test_events_cover_all_steps_once(kit):
    events = run(kit, kit.state(), kit.batches(5), epochs=2, log_every=2)
    assert [(event.kind, event.step, event.steps, event.position) for event in events] == [
        ("log", 2, 2, (0, 2)),
        ("log", 4, 2, (0, 4)),
        ("epoch", 5, 1, (1, 0)),
        ("log", 7, 2, (1, 2)),
        ("log", 9, 2, (1, 4)),
        ("epoch", 10, 1, (2, 0)),
    ]
    assert sum(event.examples for event in events) == 20


def test_metrics_are_means_over_the_window(kit):
    state = kit.state()
    losses = [float(kit.step(state, batch)["loss"]) for batch in kit.batches(4)]
    first, second, end = run(kit, kit.state(), kit.batches(4), log_every=2)
    assert first.metrics["loss"] == pytest.approx(sum(losses[:2]) / 2)
    assert second.metrics["loss"] == pytest.approx(sum(losses[2:]) / 2)
    assert set(first.metrics) == {"loss", "grad_norm", "learning_rate", "nonfinite", "accuracy"}
    assert end.kind == "epoch" and end.steps == 0 and end.metrics == {}


def test_waiting_for_data_is_measured_and_the_callers_time_is_not(kit):
    def slow(epoch):
        for batch in kit.batches(2):
            time.sleep(0.05)
            yield batch

    events = []
    for event in train.fit(kit.state(), kit.step, slow, log_every=1):
        events.append(event)
        time.sleep(0.3)
    assert all(0.05 <= event.data_wait_s <= event.seconds for event in events[:2])
    assert events[1].seconds < 0.3
    assert events[0].examples_per_s == pytest.approx(2 / events[0].seconds)


@pytest.mark.parametrize("done", [1, 4, 5])
def test_resuming_in_the_middle_equals_the_run_that_never_stopped(kit, done):
    def order(epoch):
        return kit.batches(5, seed=epoch)

    whole, parts = kit.state(), kit.state()
    run(kit, whole, order, epochs=2)
    for event in train.fit(parts, kit.step, order, epochs=2, log_every=1):
        if event.step == 5 + done and event.kind == "log":
            break
    run(kit, parts, order, epochs=2, start=event.position)
    assert event.position == (1, done)
    assert kit.digest(parts) == kit.digest(whole)


def test_a_dataset_that_can_skip_is_asked_to(kit):
    state = kit.state()
    batches = kit.batches(4)
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(batches),
        output_signature={k: tf.TensorSpec(v.shape, v.dtype) for k, v in batches[0].items()},
    )
    events = run(kit, state, dataset, start=(0, 3))
    assert [(event.kind, event.steps, event.examples) for event in events] == [("epoch", 1, 2)]


def test_stop_ends_the_run_at_the_present_step(kit):
    asked = []

    def stop():
        asked.append(1)
        return len(asked) == 3

    events = run(kit, kit.state(), kit.batches(6), stop=stop, log_every=2)
    assert [(event.kind, event.step, event.position) for event in events] == [
        ("log", 2, (0, 2)),
        ("stop", 3, (0, 3)),
    ]


def test_nothing_to_do_after_the_last_epoch(kit):
    assert run(kit, kit.state(), kit.batches(2), epochs=1, start=(1, 0)) == []


def test_errors(kit):
    with pytest.raises(ValueError, match="no batch in epoch 0"):
        run(kit, kit.state(), [])
    with pytest.raises(ValueError, match="no batch in epoch 1: it is empty or can be read only once"):
        run(kit, kit.state(), iter(kit.batches(2)), epochs=2)
    with pytest.raises(ValueError, match="log_every must be at least 1"):
        run(kit, kit.state(), kit.batches(1), log_every=0)

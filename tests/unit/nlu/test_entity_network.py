"""The recogniser's network: what runs on messages answers as what was trained."""

from __future__ import annotations

from typing import Any

import numpy as np
from thinc.api import set_dropout_rate

from bot.nlu import entity_network


def _taught() -> list[tuple[Any, Any]]:
    random = np.random.default_rng(0)
    taught = []
    for length in (1, 2, 5, 9) * 8:
        rows = random.normal(size=(length, 12)).astype(np.float32)
        taught.append((rows, np.eye(3, dtype=np.float32)[(rows[:, 0] > 0).astype(int)]))
    return taught


def test_the_plain_gradients_are_those_of_the_network() -> None:
    taught = _taught()
    network = entity_network.build(3, 12)
    entity_network.train(network, taught, epochs=1, seed=1)
    set_dropout_rate(network, 0.0)
    scores, backpropagate = network.begin_update([rows for rows, _ in taught])
    backpropagate([s - tags for s, (_, tags) in zip(scores, taught, strict=True)])
    layers: list[Any] = [layer for layer in network.walk() if layer.param_names]
    right = {
        (layer.id, name): layer.get_grad(name) for layer in layers for name in layer.param_names
    }
    for layer in layers:
        for name in layer.param_names:
            layer.set_grad(name, np.zeros_like(layer.get_grad(name)))
    entity_network.PlainGradients(network, 0.0, seed=0).add(taught)
    for layer in layers:
        for name in layer.param_names:
            assert np.allclose(layer.get_grad(name), right[layer.id, name], atol=1e-4), name


def test_the_same_seed_gives_the_same_network() -> None:
    networks = [entity_network.build(3, 12) for _ in range(2)]
    for network in networks:
        entity_network.train(network, _taught(), epochs=1, seed=1)
    assert networks[0].to_bytes() == networks[1].to_bytes()


def test_the_plain_arithmetic_answers_as_the_network() -> None:
    taught = _taught()
    network = entity_network.build(3, 12)
    entity_network.train(network, taught, epochs=3, seed=1)
    plain = entity_network.Plain(network)
    for rows, _ in taught[:4]:
        assert np.allclose(plain.predict(rows), network.predict([rows])[0], atol=1e-5)
    right = [(plain.predict(rows).argmax(1) == tags.argmax(1)).mean() for rows, tags in taught]
    assert np.mean(right) > 0.8, "it learned something"

"""The recogniser's network: what runs on messages answers as what was trained."""

from __future__ import annotations

import numpy as np

from bot.nlu import entity_network


def test_the_plain_arithmetic_answers_as_the_network() -> None:
    random = np.random.default_rng(0)
    taught = []
    for length in (1, 2, 5, 9) * 8:
        rows = random.normal(size=(length, 12)).astype(np.float32)
        taught.append((rows, np.eye(3, dtype=np.float32)[(rows[:, 0] > 0).astype(int)]))
    network = entity_network.build(3, 12)
    entity_network.train(network, taught, epochs=3, seed=1)
    plain = entity_network.Plain(network)
    for rows, _ in taught[:4]:
        assert np.allclose(plain.predict(rows), network.predict([rows])[0], atol=1e-5)
    right = [(plain.predict(rows).argmax(1) == tags.argmax(1)).mean() for rows, tags in taught]
    assert np.mean(right) > 0.8, "it learned something"

"""The sentence encoder: its graph gives the published numbers, and damage is noticed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from bot.nlu import onnx_graph
from bot.nlu.encoder import EmbeddingCache, Encoder, SentenceEncoder
from bot.nlu.encoder_files import EXPECTED, EncoderFiles, write_whole
from bot.nlu.word_pieces import word_pieces
from bot.nlu.word_vectors import WordVectors

# Cosines to the first sentence, as the documentation of sentence-transformers prints them for
# all-MiniLM-L6-v2: https://sbert.net/docs/quickstart.html
PUBLISHED = {
    "The weather is lovely today.": 1.0,
    "It's so sunny outside!": 0.6660,
    "He drove to the stadium.": 0.1046,
}


@pytest.fixture(scope="module")
def files() -> EncoderFiles:
    return EncoderFiles.find()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def encoder(files: EncoderFiles, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Encoder:
    monkeypatch.setenv("FRONTDESK_CACHE_DIR", str(cache))
    return Encoder(files)


def _component(
    folder: Path, model: str = "model", **options: Any
) -> tuple[SentenceEncoder, tuple[Any, ...]]:
    (folder / model).mkdir(exist_ok=True)
    place = (
        {**SentenceEncoder.get_default_config(), **options},
        LocalModelStorage(folder / model),
        Resource("encoder"),
        ExecutionContext(GraphSchema({}), "test", node_name="encoder"),
    )
    return SentenceEncoder.create(*place), place


def _full_precision(files: EncoderFiles, counts: Any = None) -> Any:
    shape = onnx_graph.Shape.of(json.loads((files.folder / "config.json").read_text()))
    graph = onnx_graph.build(load_file(files.model), shape, int8=False, counts=counts)
    return onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])


def test_graph_gives_the_published_similarities_alone_and_padded(files: EncoderFiles) -> None:
    session = _full_precision(files)
    tokenizer = Tokenizer.from_file(str(files.tokenizer))
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch(list(PUBLISHED))
    ids = np.array([e.ids for e in encoded])
    mask = np.array([e.attention_mask for e in encoded])
    assert mask.min() == 0, "nothing was padded"

    batch, middle = session.run(None, {"input_ids": ids, "attention_mask": mask})

    assert batch[0] @ batch.T == pytest.approx(list(PUBLISHED.values()), abs=1e-4)
    assert np.linalg.norm(middle, axis=1) == pytest.approx(1, abs=1e-5)
    for row, e in enumerate(encoded):
        length = sum(e.attention_mask)
        single = session.run(
            None,
            {
                "input_ids": ids[row : row + 1, :length],
                "attention_mask": mask[row : row + 1, :length],
            },
        )
        assert single[0][0] == pytest.approx(batch[row], abs=1e-5)
        assert single[1][0] == pytest.approx(middle[row], abs=1e-5)


def test_eight_bits_stay_near_the_full_numbers(files: EncoderFiles, encoder: Encoder) -> None:
    tokenizer = Tokenizer.from_file(str(files.tokenizer))
    session = _full_precision(files, onnx_graph.token_weights(tokenizer.get_vocab()))
    tokenizer.no_padding()
    for text in [*PUBLISHED, "wheres my order its 2 days late", "do u take amex"]:
        ids = np.array([tokenizer.encode(text).ids])
        full = np.concatenate(
            session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)}), axis=1
        )[0]
        near = encoder.encode(text)
        assert near.shape == (768,)
        assert near[:384] @ full[:384] > 0.97
        assert near[384:] @ full[384:] > 0.5 * 0.97  # the middle layer counts half


def test_usual_words_count_less_than_rare_ones(files: EncoderFiles) -> None:
    vocabulary = Tokenizer.from_file(str(files.tokenizer)).get_vocab()
    counts = onnx_graph.token_weights(vocabulary)
    assert counts is not None
    the, order, diamond = (counts[vocabulary[word]] for word in ("the", "order", "diamond"))
    assert 0 < the < order < diamond <= 1
    assert counts[vocabulary["[CLS]"]] < the


def test_another_vocabulary_says_nothing_about_usual_words() -> None:
    assert onnx_graph.token_weights({"a": 0, "the": 1}) is None


def test_same_meaning_is_nearer_than_same_words(encoder: Encoder) -> None:
    refund, same_meaning, same_words = (
        encoder.encode(text)[:384]
        for text in ("i want my money back", "can I get a refund", "i want my coat in blue")
    )
    assert refund @ same_meaning > refund @ same_words + 0.2


def test_emoji_have_a_meaning(encoder: Encoder) -> None:
    up, up_dark, angry = (encoder.encode(text) for text in ("👍", "👍🏿", "😡"))
    assert np.array_equal(up, up_dark)
    assert up @ angry < 0.9 * (up @ up)


def test_long_and_odd_texts_give_a_vector(encoder: Encoder) -> None:
    for text in ("hello " * 100_000, "x" * 1_000_000, "\x00", "\ud800", "🏳️‍🌈", "你好"):
        vector = encoder.encode(text)
        assert np.isfinite(vector).all()
        assert np.linalg.norm(vector) == pytest.approx(1.25**0.5, abs=1e-4)


def test_graph_is_built_once(files: EncoderFiles, cache: Path, encoder: Encoder) -> None:
    cached = cache / "encoder" / f"{files.identity}.onnx"
    before = cached.stat().st_mtime_ns
    assert np.array_equal(Encoder(files).encode("hi"), encoder.encode("hi"))
    assert cached.stat().st_mtime_ns == before
    assert [p.suffix for p in cached.parent.iterdir() if "examples" not in p.name] == [".onnx"]


def test_altered_weights_are_refused(
    files: EncoderFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        shutil.copy(files.folder / name, tmp_path / name)
    with (tmp_path / "model.safetensors").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\x00\x01\x02\x03")
    with pytest.raises(InvalidConfigException) as error:
        Encoder(EncoderFiles(tmp_path, EXPECTED, files.next_step))
    for part in (str(tmp_path / "model.safetensors"), EXPECTED["model.safetensors"], "uv sync"):
        assert part in str(error.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigException, match=r"model.safetensors is missing.*model_dir"):
        EncoderFiles.find(str(tmp_path))


def test_broken_encoder_of_ones_own_is_named(
    files: EncoderFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_CACHE_DIR", str(tmp_path / "cache"))
    shutil.copy(files.tokenizer, tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(InvalidConfigException, match="cannot be loaded"):
        _component(tmp_path, model_dir=str(tmp_path))


def test_encoder_of_ones_own_is_used(files: EncoderFiles, tmp_path: Path, encoder: Encoder) -> None:
    shutil.copy(files.tokenizer, tmp_path)
    graph = files.graph()
    assert isinstance(graph, Path)
    shutil.copy(graph, tmp_path / "model.onnx")
    own = Encoder(EncoderFiles.find(str(tmp_path)))
    assert own.identity != encoder.identity
    assert np.array_equal(own.encode("hello"), encoder.encode("hello"))


def test_cache_that_cannot_be_written_costs_time_only(
    files: EncoderFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: Encoder
) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    monkeypatch.setenv("FRONTDESK_CACHE_DIR", str(tmp_path / "file"))
    assert np.array_equal(Encoder(files).encode("hello"), encoder.encode("hello"))


def test_component_sets_features_alike_in_training_and_use(
    encoder: Encoder, tmp_path: Path
) -> None:
    component, _ = _component(tmp_path)
    texts = ["where is my order", "hi", "👍"]
    data = TrainingData([Message({TEXT: text}) for text in texts] + [Message({"intent": "hi"})])
    data.training_examples[0].set(INTENT, "order_status")
    component.process_training_data(data)
    used = component.process([Message({TEXT: text}) for text in texts] + [Message({TEXT: " "})])
    for trained, now in zip(data.training_examples[:3], used[:3], strict=True):
        sequence, sentence = trained.get_dense_features(TEXT)
        assert sequence is None
        assert sentence.features.shape == (1, 768)
        assert np.array_equal(sentence.features, now.get_dense_features(TEXT)[1].features)
    assert used[3].get_dense_features(TEXT) == (None, None)
    _, name = data.training_examples[0].get_dense_features(INTENT)
    _, words = component.process([Message({TEXT: "order status"})])[0].get_dense_features(TEXT)
    assert np.array_equal(name.features, words.features)


def test_examples_in_another_language_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    component, _ = _component(tmp_path)
    english = [Message({TEXT: f"where is order {n}", INTENT: "status"}) for n in range(20)]
    german = [Message({TEXT: f"wo ist meine bestellung {n}", INTENT: "status"}) for n in range(5)]
    component.train(TrainingData(english))
    assert "English" not in caplog.text
    component.train(TrainingData(english + german))
    assert "5 of 25 examples are not in English: German (5)" in caplog.text
    assert "model_dir" in caplog.text


def test_examples_are_read_from_disk_and_a_broken_cache_is_made_anew(
    encoder: Encoder, tmp_path: Path
) -> None:
    path = tmp_path / "examples.npz"
    first = EmbeddingCache(path).encode(["hi", "bye", "hi"], encoder)
    with np.load(path) as stored:
        write_whole(path, b"")
        keys, vectors = stored["keys"], stored["vectors"]
    np.savez(path, keys=keys, vectors=vectors * 2)
    assert np.array_equal(EmbeddingCache(path).encode(["hi"], encoder)["hi"], first["hi"] * 2)
    path.write_bytes(b"PK broken")
    assert np.array_equal(EmbeddingCache(path).encode(["hi"], encoder)["hi"], first["hi"])


def test_model_of_another_encoder_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    component, place = _component(tmp_path)
    component.train(TrainingData())
    SentenceEncoder.load(*place)
    with place[1].write_to(place[2]) as folder:
        (folder / "encoder.json").write_text('{"identity": "another"}')
    with pytest.raises(InvalidConfigException, match=r"trained with .* another.*frontdesk train"):
        SentenceEncoder.load(*place)


def test_a_tokenizer_is_loaded_once_while_somebody_uses_it(files: EncoderFiles) -> None:
    stored = files.tokenizer.read_bytes()
    used = word_pieces(stored)
    assert word_pieces(stored) is used
    other = json.loads(stored) | {"padding": None, "version": "1.0", "truncation": None}
    other["added_tokens"] = [*other["added_tokens"], other["added_tokens"][0] | {"content": "[X]"}]
    assert word_pieces(json.dumps(other).encode()) is not used
    assert len(used.encode("word " * 1_000).ids) == 128


def test_recogniser_and_encoder_use_the_same_word_pieces(
    files: EncoderFiles, encoder: Encoder, tmp_path: Path
) -> None:
    vectors = WordVectors.from_encoder(files)
    vectors.save(tmp_path)
    loaded = WordVectors.load(tmp_path)
    assert vectors._tokenizer is loaded._tokenizer is encoder._tokenizer
    assert np.array_equal(vectors.of("ottoman"), loaded.of("ottoman"))

"""The breaker, the rate and both together, on a clock that the test turns."""

from __future__ import annotations

import itertools
from math import inf

import pytest

from bot.core.errors import ConfigurationError, DeliveryError
from bot.core.messages import Address
from bot.flow.breaker import (
    FAILURES_TO_OPEN,
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    Breaker,
)
from bot.flow.gates import Gate, Gates
from bot.flow.rate import TokenBucket, read_rate
from bot.store.outbox import LONGEST_RETRY_AFTER


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def break_down(breaker: Breaker) -> None:
    names = itertools.cycle("abc")
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.wait() == 0
        breaker.failed(next(names), probe=breaker.begin())


class TestBreaker:
    def test_failures_in_a_row_open_it(self, breaker: Breaker) -> None:
        break_down(breaker)
        assert 0 < breaker.wait() <= SHORTEST_PAUSE

    def test_an_answer_between_them_does_not(self, breaker: Breaker) -> None:
        for number in range(FAILURES_TO_OPEN * 3):
            breaker.failed(str(number), probe=False)
            if number % (FAILURES_TO_OPEN - 1) == 0:
                breaker.answered()
        assert breaker.wait() == 0

    def test_one_message_alone_does_not_hold_up_others(self, breaker: Breaker) -> None:
        for _ in range(FAILURES_TO_OPEN * 3):
            breaker.failed("the same", probe=False)
        assert breaker.wait() == 0

    def test_one_probe_at_a_time(self, breaker: Breaker, clock: Clock) -> None:
        break_down(breaker)
        clock.now += SHORTEST_PAUSE
        assert breaker.wait() == 0
        assert breaker.begin()
        assert breaker.wait() == inf

    def test_a_probe_that_is_answered_closes_it(self, breaker: Breaker, clock: Clock) -> None:
        break_down(breaker)
        clock.now += SHORTEST_PAUSE
        probe = breaker.begin()
        breaker.answered()
        breaker.end(probe=probe)
        assert breaker.wait() == 0
        assert not breaker.begin()

    def test_probes_that_fail_come_less_and_less_often(
        self, breaker: Breaker, clock: Clock
    ) -> None:
        break_down(breaker)
        waits = []
        for _ in range(10):
            waits.append(breaker.wait())
            clock.now += breaker.wait()
            probe = breaker.begin()
            breaker.failed("a", probe=probe)
            breaker.end(probe=probe)
        assert waits[0] <= SHORTEST_PAUSE
        assert waits[3] > waits[0]
        assert LONGEST_PAUSE * 0.75 <= waits[-1] <= LONGEST_PAUSE

    def test_a_probe_that_gives_no_answer_makes_room_for_another(
        self, breaker: Breaker, clock: Clock
    ) -> None:
        break_down(breaker)
        clock.now += SHORTEST_PAUSE
        breaker.end(probe=breaker.begin())
        assert breaker.wait() == 0
        assert breaker.begin()

    def test_failures_that_were_under_way_do_not_prolong_it(self, breaker: Breaker) -> None:
        break_down(breaker)
        wait = breaker.wait()
        for _ in range(8):
            breaker.failed("z", probe=False)
        assert breaker.wait() == wait

    def test_it_waits_as_long_as_the_platform_asks(self, breaker: Breaker, clock: Clock) -> None:
        breaker.refused(30, probe=False)
        breaker.refused(10, probe=False)
        assert breaker.wait() == 30
        clock.now += 30
        assert breaker.wait() == 0
        assert breaker.begin(), "one goes ahead, the others see what becomes of it"

    def test_nobody_is_believed_who_asks_for_years(self, breaker: Breaker) -> None:
        breaker.refused(1e9, probe=False)
        assert breaker.wait() == LONGEST_RETRY_AFTER


class TestTokenBucket:
    def test_one_a_second(self, clock: Clock) -> None:
        bucket = TokenBucket(1, clock)
        assert bucket.wait() == 0
        bucket.take()
        assert bucket.wait() == pytest.approx(1.0)
        clock.now += 0.4
        assert bucket.wait() == pytest.approx(0.6)
        clock.now += 0.6
        assert bucket.wait() == pytest.approx(0.0)

    def test_what_was_not_used_is_not_saved_up(self, clock: Clock) -> None:
        bucket = TokenBucket(1, clock)
        clock.now += 3600
        assert bucket.wait() == 0
        bucket.take()
        assert bucket.wait() > 0

    @pytest.mark.parametrize("rate", [0.25, 1, 7, 80])
    def test_no_second_has_many_more_than_the_rate(self, clock: Clock, rate: float) -> None:
        bucket, sent = TokenBucket(rate, clock), list[float]()
        while clock.now < 1060:
            if bucket.wait() > 0:
                clock.now += bucket.wait() + 1e-9
            bucket.take()
            sent.append(clock.now)
        most = max(sum(at <= each < at + 1 for each in sent) for at in sent)
        assert most <= max(1.0, rate * 1.1) + 1
        assert len(sent) >= rate * 59

    def test_without_a_rate_nothing_waits(self, clock: Clock) -> None:
        bucket = TokenBucket(None, clock)
        for _ in range(1000):
            bucket.take()
        assert bucket.wait() == 0


@pytest.mark.parametrize(
    ("value", "rate"), [(None, None), (1, 1.0), (0.5, 0.5), ("2.5", 2.5), (80, 80.0)]
)
def test_rates_that_are_right(value: object, rate: float | None) -> None:
    assert read_rate("twilio", value) == rate


@pytest.mark.parametrize(
    "value", [0, -1, True, "fast", "${TWILIO_RATE}", "", [1], float("nan"), float("inf")]
)
def test_rates_that_are_wrong(value: object) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_rate("twilio", value)
    assert raised.value.key == "credentials.yml: twilio.rate"
    assert raised.value.value is value
    assert "rate: 1" in raised.value.next_step


class TestGate:
    def test_who_must_wait_uses_up_nothing(self, clock: Clock) -> None:
        gate = Gate(1, clock)
        with gate.passing("a") as first, gate.passing("b") as second:
            assert first is not None
            assert second is None
        assert gate.wait() == pytest.approx(1.0)

    def test_a_failed_probe_says_nothing_of_the_message(self, clock: Clock) -> None:
        gate, error = Gate(None, clock), DeliveryError("down", permanent=False)
        for name in "abcde":
            with gate.passing(name) as passage:
                assert passage is not None
                assert not passage.failed(error)
        with gate.passing("f") as passage:
            assert passage is None
        clock.now += SHORTEST_PAUSE
        with gate.passing("f") as passage:
            assert passage is not None
            assert passage.failed(error)

    def test_an_error_in_the_work_frees_the_probe(self, clock: Clock) -> None:
        gate = Gate(None, clock)
        gate.breaker.refused(1, probe=False)
        clock.now += 1
        with pytest.raises(RuntimeError), gate.passing("a"):
            raise RuntimeError
        assert gate.wait() == 0

    def test_accounts_have_gates_of_their_own(self, clock: Clock) -> None:
        gates = Gates({"twilio": 1.0}, clock)
        one, other = Address("twilio", "+441", "c"), Address("twilio", "+442", "c")
        chat = Address("webchat", "default", "c")
        for address in (one, chat, chat):
            with gates.of(address).passing("c") as passage:
                assert passage is not None
        assert gates.held() == [("twilio", "+441")]
        assert gates.opens_in(gates.held()) == pytest.approx(1.0)
        assert gates.of(other).wait() == 0
        clock.now += 1
        assert gates.held() == []
        assert gates.opens_in([]) == inf
        assert gates.opens_in([("twilio", "+441")]) == 0, "it opened since the last look"

    def test_no_more_are_let_near_than_have_a_chance(self, clock: Clock) -> None:
        gates, breaks = Gates({"slow": 1.0}, clock), Gates({}, clock)
        slow, free = Address("slow", "a", "c"), Address("free", "a", "c")
        waiting = [(f"s{n}", slow) for n in range(9)] + [(f"f{n}", free) for n in range(9)]
        admitted = gates.admitted(waiting)
        assert [each for each in admitted if each[0] == "s"] == ["s0", "s1", "s2"]
        assert len(admitted) == 12
        breaks.of(free).breaker.refused(1, probe=False)
        assert len(breaks.admitted(waiting[9:])) == 3

"""Plates: which texts can be one, and what many readings of a track add up to. All plates here are invented."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import plate_grammar, plate_vote
from rules.finding import PlateResult
from rules.observation import PlateReading
from rules.plate_grammar import PROVINCES, best_fit, fits
from rules.plate_vote import PlateVotes
from tests.builders.scene import a_reading, a_stamp

READABLE = 0.97
ANY = 0.2
"""So small that the tests of the vote itself see who won, however narrowly."""


def voted(
    *readings: PlateReading, tracks: tuple[int, ...] = (1,), profile: str = "ga36", least: float = ANY
) -> PlateResult | None:
    votes: PlateVotes = {}
    for index, reading in enumerate(readings):
        votes = plate_vote.step(votes, [reading], a_stamp(index / 25))
    return plate_vote.result(votes, tracks, profile, least)


def the_plate(*readings: PlateReading, profile: str = "ga36") -> PlateResult:
    plate = voted(*readings, profile=profile)
    assert plate is not None
    return plate


@pytest.mark.parametrize(
    "text",
    [
        "晋Q70Z04",
        "琼O0000X",
        "青ZZZZZZ",
        "藏YD00000",
        "藏YKZ0000",
        "藏Y00000F",
        "蒙Y0000警",
        "蒙YA000警",
        "宁X00Z0挂",
        "宁X000Z学",
        "粤Z00Z0港",
        "粤Z000Z澳",
        "000000使",
        "使000000",
        "沪A0000领",
        "WJ00000",
        "WJ0000X",
        "WJ辽00000",
        "VZ00000",
        "赣X0000应急",
    ],
)
def test_every_kind_of_plate_of_the_standard_fits(text: str) -> None:
    assert fits(text, "ga36")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "晋Q70Z0",
        "晋Q70Z040",
        "晋Q70I04",
        "晋Q7OZ04",
        "晋I70Z04",
        "晋170Z04",
        "X晋70Z04",
        "晋晋70Z04",
        "藏YD0000X",
        "藏YL00000",
        "藏Y0000XF",
        "蒙YE000警",
        "蒙YX0Z0警",
        "00000使",
        "A00000使",
        "WJ000",
        "XJ0000X",
        "WK0000X",
        "V000000",
        "晋q70z04",
        "HELLO",
        "赣X0000急应",
    ],
)
def test_what_no_standard_plate_looks_like_does_not_fit(text: str) -> None:
    assert not fits(text, "ga36")


def test_the_provinces_are_the_31_of_the_mainland() -> None:
    assert len(PROVINCES) == 31


def test_the_other_profiles() -> None:
    assert fits("AB12CDE", "latin")
    assert not fits("A", "latin")
    assert not fits("ABCDEFGHIJK", "latin")
    assert not fits("晋Q70Z04", "latin")
    assert fits("晋 anything", "none")
    assert not fits("", "none")
    with pytest.raises(ValueError, match="'klingon' is unknown; there are ga36, latin, none"):
        fits("X1", "klingon")


columns = st.lists(
    st.dictionaries(st.sampled_from("晋浙0123OIQXDFK警"), st.floats(0, 1), min_size=1, max_size=5),
    min_size=1,
    max_size=8,
)


@given(columns, st.sampled_from(plate_grammar.PROFILES))
def test_the_best_fit_fits_and_consists_of_what_was_read(drawn: list[dict[str, float]], profile: str) -> None:
    fit = best_fit(drawn, profile)
    if fit is None:
        return
    text, shares = fit
    assert fits(text, profile)
    assert len(text) == len(drawn) == len(shares)
    for column, char, share in zip(drawn, text, shares, strict=True):
        assert column[char] == share >= plate_grammar.LEAST_SHARE


def test_the_same_reading_again_and_again_is_no_surer_than_one() -> None:
    one = the_plate(a_reading(1, "晋Q70Z04", READABLE))
    many = the_plate(*[a_reading(1, "晋Q70Z04", READABLE)] * 40)
    assert one.text == many.text == "晋Q70Z04"
    assert many.readings == 40
    assert one.confidence == pytest.approx(READABLE**7)
    assert many.confidence == pytest.approx(one.confidence)
    assert many.char_confidences == pytest.approx((READABLE,) * 7)
    assert many.alternatives == ()


def test_each_place_is_voted_on_by_itself() -> None:
    plate = the_plate(
        a_reading(1, "晋Q70Z04"), a_reading(1, "晋Q70Z84"), a_reading(1, "晋Q10Z04"), a_reading(1, "晋Q70204")
    )
    assert plate.text == "晋Q70Z04"
    assert plate.char_confidences[0] > plate.char_confidences[2]
    assert {other.text for other in plate.alternatives} == {"晋Q70Z84", "晋Q10Z04", "晋Q70204"}
    assert sum(other.confidence for other in plate.alternatives) == pytest.approx(0.75)


def test_a_text_nobody_read_as_a_whole_can_win_by_its_places() -> None:
    plate = the_plate(*[a_reading(1, text, 1.0) for text in ("晋Q70Z84", "晋Q10Z04", "晋X70Z04")])
    assert plate.text == "晋Q70Z04"
    assert plate.confidence == pytest.approx((2 / 3) ** 3)
    assert plate.stamp is not None
    assert len(plate.alternatives) == 3


def test_a_sharp_reading_outweighs_several_blurred_ones() -> None:
    blurred = [a_reading(1, "晋Q78Z04", sharpness=10.0)] * 5
    assert the_plate(*blurred, a_reading(1, "晋Q70Z04", sharpness=400.0)).text == "晋Q70Z04"


def test_a_sure_reading_outweighs_several_doubtful_ones() -> None:
    doubtful = [a_reading(1, "晋Q78Z04", 0.6)] * 5
    assert the_plate(*doubtful, a_reading(1, "晋Q70Z04", 0.98)).text == "晋Q70Z04"


def test_a_letter_that_no_serial_has_gives_way_to_the_digit_it_looks_like() -> None:
    corrected = the_plate(
        a_reading(1, "晋Q7OZ04", 0.9, {3: (("0", 0.7),)}), a_reading(1, "晋Q7OZ04", 0.9, {3: (("0", 0.7),)})
    )
    assert corrected.text == "晋Q70Z04"
    assert corrected.char_confidences[3] == pytest.approx(0.7)
    assert corrected.confidence < 0.5
    assert [other.text for other in corrected.alternatives] == ["晋Q7OZ04"]


def test_without_a_fitting_alternative_there_is_no_text_but_what_was_read_is_shown() -> None:
    plate = the_plate(a_reading(1, "晋Q7OZ04"), a_reading(1, "晋Q7OZ04"), a_reading(1, "晋Q7IZ04"))
    assert plate.text is None
    assert plate.char_confidences == ()
    assert plate.confidence == 0.0
    assert [(other.text, round(other.confidence, 2)) for other in plate.alternatives] == [
        ("晋Q7OZ04", 0.67),
        ("晋Q7IZ04", 0.33),
    ]


def test_a_character_next_to_nobody_read_does_not_rescue_a_text() -> None:
    assert the_plate(a_reading(1, "晋Q7OZ04", 0.98, {3: (("0", 0.01),)})).text is None


def test_a_doubtful_text_is_unreadable() -> None:
    plate = voted(*[a_reading(1, "晋Q70Z04", 0.95)] * 30, least=plate_vote.READABLE_CONFIDENCE)
    assert plate is not None
    assert plate.text is None
    assert [other.text for other in plate.alternatives] == ["晋Q70Z04"]


def test_no_province_is_favoured() -> None:
    for province in PROVINCES:
        assert the_plate(a_reading(1, f"{province}Q70Z04")).text == f"{province}Q70Z04"
    unsure = a_reading(1, "藏Q70Z04", 0.9, {0: (("浙", 0.08), ("京", 0.02))})
    assert the_plate(*[unsure] * 9).text == "藏Q70Z04"


def test_readings_of_another_length_cost_confidence() -> None:
    alone = the_plate(*[a_reading(1, "晋Q70Z04")] * 3)
    disputed = the_plate(*[a_reading(1, "晋Q70Z04")] * 3, a_reading(1, "晋Q70Z0"))
    assert disputed.text == "晋Q70Z04"
    assert disputed.confidence < 0.8 * alone.confidence
    assert the_plate(a_reading(1, "晋Q70Z04"), *[a_reading(1, "藏YD00000")] * 3).text == "藏YD00000"


def test_a_plate_without_characters_is_unreadable_and_no_plate_is_none() -> None:
    empty = the_plate(a_reading(1, ""))
    assert (empty.text, empty.confidence, empty.alternatives, empty.readings) == (None, 0.0, (), 1)
    assert empty.stamp is not None
    assert empty.corners_px is not None
    assert voted() is None
    assert voted(a_reading(2, "晋Q70Z04")) is None


def test_the_close_up_is_the_best_reading_of_the_text_that_won() -> None:
    plate = the_plate(
        a_reading(1, "晋Q70Z04", sharpness=50),
        a_reading(1, "晋Q70Z04", sharpness=300),
        a_reading(1, "晋Q70Z04", sharpness=200),
        a_reading(1, "晋Q78Z04", sharpness=310),
    )
    assert plate.stamp == a_stamp(1 / 25)


def test_tracks_of_one_vehicle_vote_together_and_other_tracks_do_not() -> None:
    readings = [
        a_reading(1, "晋Q78Z04"),
        a_reading(9, "晋Q70Z04"),
        a_reading(9, "晋Q70Z04"),
        a_reading(5, "藏YD00000"),
    ]
    together = voted(*readings, tracks=(1, 9))
    assert together is not None
    assert together.text == "晋Q70Z04"
    assert together.readings == 3
    again = voted(*readings, tracks=(1, 9, 9, 1))
    assert again == together
    alone = voted(*readings, tracks=(1,))
    assert alone is not None
    assert alone.text == "晋Q78Z04"


def test_no_readings_change_nothing_and_gone_tracks_can_be_forgotten() -> None:
    votes = plate_vote.step({}, [a_reading(1, "晋Q70Z04"), a_reading(2, "藏YD00000")], a_stamp(0))
    assert plate_vote.step(votes, (), a_stamp(1)) is votes
    assert set(plate_vote.without(votes, {1})) == {2}
    assert set(votes) == {1, 2}


def test_the_memory_of_a_track_is_bounded() -> None:
    random = Random(1)
    votes: PlateVotes = {}
    for index in range(500):
        text = "晋Q" + "".join(random.choice("0123456789") for _ in range(5))
        votes = plate_vote.step(votes, [a_reading(1, text)], a_stamp(index))
    assert len(votes[1].texts) == plate_vote.MOST_TEXTS
    assert votes[1].readings == 500


def test_the_generic_profiles_take_what_was_read() -> None:
    assert the_plate(a_reading(1, "AB12CDE"), profile="latin").text == "AB12CDE"
    assert the_plate(a_reading(1, "AB12CDE"), profile="none").text == "AB12CDE"
    assert the_plate(a_reading(1, "晋Q70Z04"), profile="latin").text is None
    with pytest.raises(ValueError, match="unknown"):
        the_plate(a_reading(1, "AB12CDE"), profile="klingon")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["晋Q70Z04", "晋Q78Z04", "晋Q7OZ04", "晋Q70Z0", ""]),
            st.floats(0.3, 1),
            st.floats(1, 900),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_the_order_of_readings_and_the_scale_of_sharpness_do_not_matter(
    drawn: list[tuple[str, float, float]],
) -> None:
    def plate_of(items: list[tuple[str, float, float]], scale: float) -> PlateResult:
        return the_plate(*[a_reading(1, text, sure, sharpness=scale * sharp) for text, sure, sharp in items])

    expected = plate_of(drawn, 1.0)
    for other in (plate_of(drawn[::-1], 1.0), plate_of(drawn, 7.0)):
        assert other.text == expected.text
        assert other.confidence == pytest.approx(expected.confidence)
        assert 0 <= other.confidence <= 1
        assert sum(a.confidence for a in other.alternatives) <= 1 + 1e-9
        if other.text is not None:
            assert fits(other.text, "ga36")

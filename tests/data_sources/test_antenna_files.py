"""MSI / Planet antenna files as they come: each quirk repaired and told, each fault told with its row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phusong.data_sources.antenna_files import read_antenna
from phusong.data_sources.errors import AntennaUnusable, DataError, FileMissing, FileTooLarge, FileUnreadable

TILT_DEG = 6
HEAD = (
    "NAME AP-65-18",
    "MAKE Some Maker",
    "FREQUENCY 1850",
    "H_WIDTH 65",
    "V_WIDTH 7",
    "FRONT_TO_BACK 30",
    "GAIN 17.5 dBi",
    "TILT ELECTRICAL",
    f"ELECTRICAL_TILT {TILT_DEG}",
    "COMMENT none",
)


def loss(angle_deg, width_deg, peak_deg=0.0):
    """A beam 12 (a / w)^2, at most 30 dB, to two digits as files print it."""
    away = (np.asarray(angle_deg, float) - peak_deg + 180.0) % 360.0 - 180.0
    return np.round(np.minimum(12.0 * (away / width_deg) ** 2, 30.0), 2)


DEGREES = np.arange(360)
HORIZONTAL = loss(DEGREES, 65.0)
VERTICAL = loss(DEGREES, 7.0, TILT_DEG)


def rows(angles=DEGREES, values=HORIZONTAL, form="{:g} {:g}"):
    return [form.format(angle, value) for angle, value in zip(angles, values, strict=True)]


def block(keyword, values, angles=DEGREES, form="{:g} {:g}"):
    return [f"{keyword} {len(values)}", *rows(angles, values, form)]


def lines(head=HEAD, horizontal=None, vertical=None):
    return [*head, *(horizontal or block("HORIZONTAL", HORIZONTAL)), *(vertical or block("VERTICAL", VERTICAL))]


def changed(key, line):
    """The head with one keyword's line replaced, or left out for None."""
    kept = [line if old.split()[0] == key else old for old in HEAD]
    return tuple(text for text in kept if text is not None)


@pytest.fixture
def antenna(tmp_path):
    def read(text, newline="\n", encoding="utf-8"):
        path = tmp_path / "a.msi"
        path.write_bytes(newline.join(text if isinstance(text, list) else [text]).encode(encoding))
        return read_antenna(path)

    return read


@pytest.fixture
def faults(antenna):
    def of(text):
        with pytest.raises(AntennaUnusable) as caught:
            antenna(text)
        return [finding for finding in caught.value.findings if finding.level == "error"]

    return of


def told(file, text):
    return [finding for finding in file.findings if text in finding.what]


def test_a_clean_file_is_read_without_a_word(antenna):
    file = antenna(lines())
    assert file.findings == ()
    assert (file.name, file.make, file.comment) == ("AP-65-18", "Some Maker", "none")
    assert (file.gain_dbi, file.frequency_mhz, file.electrical_tilt_deg, file.mechanical_tilt_deg) == (17.5, 1850, 6, 0)
    assert (file.horizontal_width_deg, file.vertical_width_deg, file.front_to_back_db) == (65.0, 7.0, 30.0)
    np.testing.assert_array_equal(file.horizontal_db, HORIZONTAL)
    np.testing.assert_array_equal(file.vertical_db, VERTICAL)


@pytest.mark.parametrize(
    ("text", "gain_dbi", "noted"),
    [
        ("GAIN 15.35 dBd", 17.5, False),
        ("GAIN 15.35dBD", 17.5, False),
        ("GAIN 17,5 (dBi)", 17.5, False),
        ("gain 15.35", 17.5, True),  # dBd is the format's unit
    ],
)
def test_gain_in_either_unit(antenna, text, gain_dbi, noted):
    file = antenna(lines(changed("GAIN", text)))
    assert file.gain_dbi == pytest.approx(gain_dbi)
    assert bool(told(file, "taken for dBd")) is noted


@pytest.mark.parametrize(
    ("text", "range_mhz", "middle_mhz"),
    [
        ("FREQUENCY 1710-1880", (1710.0, 1880.0), 1795.0),
        ("FREQUENCY 1710 - 1880 MHz", (1710.0, 1880.0), 1795.0),
        ("FREQUENCY 3.5 GHz", (3500.0, 3500.0), 3500.0),
        ("Frequency 2.437", (2437.0, 2437.0), 2437.0),
        ("FREQUENCY\t947,5", (947.5, 947.5), 947.5),
    ],
)
def test_frequency_in_any_unit_or_as_a_range(antenna, text, range_mhz, middle_mhz):
    file = antenna(lines(changed("FREQUENCY", text)))
    assert file.frequency_range_mhz == pytest.approx(range_mhz)
    assert file.frequency_mhz == pytest.approx(middle_mhz)


def test_a_missing_frequency_is_doubted_only(antenna):
    file = antenna(lines(changed("FREQUENCY", None)))
    assert np.isnan(file.frequency_mhz)
    assert [finding.level for finding in file.findings] == ["warning"]


@pytest.mark.parametrize(
    ("newline", "encoding"), [("\r\n", "utf-8"), ("\r", "utf-8"), ("\n", "utf-8-sig"), ("\r\n", "utf-16")]
)
def test_line_ends_and_byte_order_marks(antenna, newline, encoding):
    file = antenna(lines(), newline, encoding)
    assert file.findings == ()
    np.testing.assert_array_equal(file.vertical_db, VERTICAL)


def test_latin_1_is_read_and_told(antenna):
    file = antenna(lines(changed("COMMENT", "COMMENT ±45° Kreuz für")), encoding="latin-1")
    assert file.comment == "±45° Kreuz für"
    assert told(file, "Latin-1")


@pytest.mark.parametrize("form", ["{:g}\t{:g}", "  {:.1f}   {:.2f}  ", "{:g};{:g}", "{:g},{:.2f}", "{:g}, {:.2f}"])
def test_any_mark_between_the_numbers(antenna, form):
    file = antenna(lines(horizontal=block("HORIZONTAL", HORIZONTAL, form=form)))
    np.testing.assert_array_equal(file.horizontal_db, HORIZONTAL)
    assert file.findings == ()


@pytest.mark.parametrize("form", ["{:.1f} {:.2f}", "{:.1f};{:.2f}", "{:.1f}\t{:.2f}"])
def test_decimal_commas(antenna, form):
    commas = [row.replace(".", ",") for row in rows(form=form)]
    file = antenna(lines(horizontal=["HORIZONTAL 360", *commas]))
    np.testing.assert_array_equal(file.horizontal_db, HORIZONTAL)
    assert told(file, "decimal commas in 360 rows")


def test_commas_between_and_within_numbers(antenna):
    file = antenna(lines(horizontal=["HORIZONTAL", *(row.replace(".", ",") for row in rows(form="{:.1f},{:.2f}"))]))
    np.testing.assert_array_equal(file.horizontal_db, HORIZONTAL)


def test_blocks_in_either_order_keywords_in_any_case_no_counts_and_a_tail(antenna):
    text = [
        *("vertical", *rows(values=VERTICAL), "Horizontal", *rows(), "END OF FILE", ""),
        *(line.split()[0].lower() + line[len(line.split()[0]) :] for line in HEAD),
    ]
    file = antenna(text)
    assert file.name == "AP-65-18"
    assert file.electrical_tilt_deg == 6.0
    np.testing.assert_array_equal(file.vertical_db, VERTICAL)
    (tail,) = told(file, "END OF FILE")
    assert tail.where.endswith("line 723")


def test_a_first_line_without_the_word_name(antenna):
    file = antenna(lines(changed("NAME", "AP-65-18 rev B")))
    assert file.name == "AP-65-18 rev B"
    assert told(file, "first line is taken for the name")


def test_no_name_at_all_is_the_files(antenna):
    assert antenna(lines(changed("NAME", None))).name == "a"


def test_361_rows_close_the_circle(antenna):
    closed = block("HORIZONTAL", np.append(HORIZONTAL, HORIZONTAL[0]), np.arange(361))
    file = antenna(lines(horizontal=closed))
    np.testing.assert_array_equal(file.horizontal_db, HORIZONTAL)
    assert file.findings == ()


def test_angles_from_minus_180(antenna):
    angles = np.arange(-180, 180)
    file = antenna(lines(vertical=block("VERTICAL", VERTICAL[angles % 360], angles)))
    np.testing.assert_array_equal(file.vertical_db, VERTICAL)


def test_other_steps_are_interpolated(antenna):
    coarse = antenna(lines(horizontal=block("HORIZONTAL", HORIZONTAL[::5], DEGREES[::5])))
    assert told(coarse, "288 of 360 degrees interpolated")
    assert coarse.horizontal_db == pytest.approx(HORIZONTAL, abs=1.0)
    halves = np.arange(0.0, 360.0, 0.5)
    fine = antenna(lines(horizontal=block("HORIZONTAL", loss(halves, 65.0), halves)))
    np.testing.assert_array_equal(fine.horizontal_db, HORIZONTAL)
    assert fine.findings == ()


def test_missing_degrees_are_interpolated_and_a_wrong_count_is_told(antenna):
    kept = np.delete(DEGREES, [20, 21, 100])
    file = antenna(lines(horizontal=["HORIZONTAL 360", *rows(kept, HORIZONTAL[kept])]))
    assert told(file, "3 of 360 degrees interpolated")
    assert told(file, "360 rows announced, 357 found")
    assert file.horizontal_db[20] == pytest.approx(HORIZONTAL[20], abs=0.02)


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (-HORIZONTAL, "attenuations were negative"),
        (17.5 - HORIZONTAL, "the values were gains"),  # most directions lie below 0 dBi
        (HORIZONTAL + 2.5, "strongest direction was at 2.5 dB"),
        (HORIZONTAL - 0.4, "strongest direction was at -0.4 dB"),
    ],
)
def test_values_of_either_sign_and_not_at_zero(antenna, values, what):
    file = antenna(lines(horizontal=block("HORIZONTAL", np.round(values, 2))))
    assert file.horizontal_db == pytest.approx(HORIZONTAL, abs=0.011)
    assert told(file, what)


def test_an_angle_given_twice_keeps_the_first(antenna):
    twice = ["HORIZONTAL 361", *rows(), "45 1.0"]
    file = antenna(lines(horizontal=twice))
    np.testing.assert_array_equal(file.horizontal_db, HORIZONTAL)
    (finding,) = told(file, "45 degrees a second time")
    assert finding.where.endswith(f"line {len(HEAD) + 362}")


def test_text_behind_the_numbers(antenna):
    file = antenna(lines(horizontal=["HORIZONTAL 360", *(f"{row} dB" for row in rows())]))
    np.testing.assert_array_equal(file.horizontal_db, HORIZONTAL)
    assert told(file, "text behind the numbers of 360 rows")


@pytest.mark.parametrize(
    ("tilt", "electrical", "expected_deg", "what"),
    [
        ("TILT ELECTRICAL 6", None, 6.0, ""),
        ("TILT 6", None, 6.0, "taken for the electrical tilt"),
        ("TILT ELECTRICAL", None, 6.0, "6 degrees taken from VERTICAL"),
        ("TILT MECHANICAL", "ELECTRICAL_TILT 06", 6.0, ""),
        (None, "ELECTRICAL_TILT -6", 6.0, "taken as positive"),
        (None, "ELECTRICAL_TILT 2", 6.0, "the beam of VERTICAL is at 6"),
        (None, "ElectricalTilt 6,0", 6.0, ""),
    ],
)
def test_electrical_tilt_wherever_it_stands(antenna, tilt, electrical, expected_deg, what):
    head = [line for line in HEAD if not line.startswith(("TILT", "ELECTRICAL"))]
    file = antenna(lines((*head, *(text for text in (tilt, electrical) if text))))
    assert file.electrical_tilt_deg == pytest.approx(expected_deg)
    assert len(file.findings) == bool(what)
    assert not what or told(file, what)


def test_a_mechanical_tilt_is_kept_apart(antenna):
    file = antenna(lines((*changed("TILT", "TILT MECHANICAL 3"),)))
    assert (file.mechanical_tilt_deg, file.electrical_tilt_deg) == (3.0, 6.0)


def test_a_vertical_cut_that_counts_upwards_is_turned_over(antenna):
    file = antenna(lines(vertical=block("VERTICAL", VERTICAL[-DEGREES])))
    np.testing.assert_array_equal(file.vertical_db, VERTICAL)
    (finding,) = told(file, "turned over")
    assert finding.level == "warning"


def test_beam_widths_that_the_values_deny_are_doubted(antenna):
    file = antenna(lines(changed("H_WIDTH", "H_WIDTH 33")))
    (finding,) = told(file, "but the values give 65.0 degrees")
    assert finding.where.endswith("line 4")


def test_a_beam_that_looks_aside_is_kept_and_told(antenna):
    file = antenna(lines(horizontal=block("HORIZONTAL", np.roll(HORIZONTAL, -30))))
    assert file.beam_turn_deg == -30.0
    (finding,) = told(file, "main beam is at -30 degrees")
    assert finding.level == "warning"
    squinted = antenna(lines(horizontal=block("HORIZONTAL", np.roll(HORIZONTAL, 2))))
    assert (squinted.beam_turn_deg, squinted.findings) == (0.0, ())


def test_an_antenna_that_radiates_alike_all_round(antenna):
    head = changed("H_WIDTH", "H_WIDTH 360")
    file = antenna(lines(head, horizontal=block("HORIZONTAL", np.zeros(360))))
    assert file.horizontal_db.max() == 0.0
    assert file.findings == ()


def test_all_faults_are_told_at_once_with_their_rows(faults):
    broken = [*changed("GAIN", "GAIN unknown"), "HORIZONTAL 360", *rows()[:359], "359 n/a", "5"]
    found = faults(broken)
    assert [fault.what.split(" / ")[-1] for fault in found] == [
        "it is no angle and attenuation",
        "it is no angle and attenuation",
        "no gain is given",
        "there is no VERTICAL part",
    ]
    assert found[0].where.endswith(f"line {len(HEAD) + 361}")
    assert all(fault.mend for fault in found)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (lines(changed("GAIN", None)), "no gain is given"),
        (lines(changed("GAIN", "GAIN 175 dBi")), "no antenna has this gain"),
        (lines(changed("FREQUENCY", "FREQUENCY 0")), "no antenna has this frequency"),
        (lines(horizontal=block("HORIZONTAL", HORIZONTAL[:181], DEGREES[:181])), "no values from 180 to 0 degrees"),
        (lines(horizontal=block("HORIZONTAL", HORIZONTAL[:5], DEGREES[:5])), "only 5 rows"),
        (lines(horizontal=["HORIZONTAL 361", *rows(), "400 3"]), "an angle beyond"),
        (lines(vertical=block("VERTICAL", np.round(10.0 ** (-VERTICAL / 20.0), 3))), "look like ratios"),
        ([*lines(), *block("VERTICAL", VERTICAL)], "VERTICAL a second time"),
        (["NAME x", "0 0", *lines()[1:]], "numbers outside"),
        ("", "no HORIZONTAL part"),
    ],
)
def test_what_describes_no_antenna(faults, text, what):
    assert any(what in fault.what for fault in faults(text))


def test_what_is_no_text(tmp_path, antenna):
    with pytest.raises(FileMissing):
        read_antenna(tmp_path / "none.msi")
    with pytest.raises(FileUnreadable, match="no text file"):
        antenna("NAME \0\1\2")
    with pytest.raises(FileTooLarge):
        antenna("x" * (5 << 20))


@pytest.fixture(scope="module")
def scribble(tmp_path_factory):
    return tmp_path_factory.mktemp("antennas") / "a.pln"


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(360)), st.booleans())
def test_the_order_of_rows_and_the_turn_of_angles_do_not_matter(scribble, order, below_zero):
    shuffled = np.array(order)
    angles = shuffled - 360 if below_zero else shuffled
    scribble.write_text("\n".join(lines(vertical=block("VERTICAL", VERTICAL[shuffled], angles))))
    np.testing.assert_array_equal(read_antenna(scribble).vertical_db, VERTICAL)


WORDS = ["HORIZONTAL", "VERTICAL", "horizontal 360", "GAIN", "GAIN 1e999", "FREQUENCY -", "FREQUENCY 1,8-2,1", "TILT x"]
junk = st.one_of(
    st.sampled_from(
        [*WORDS, *rows()[:3], "1e999 3", "3 1e999", "HORIZONTAL 1e999", "0,1,2", ",", "°", "= 3", "-90 .5"]
    ),
    st.text(max_size=20),
)


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.binary(max_size=200), st.lists(junk, max_size=30).map(lambda text: "\n".join(text).encode())))
def test_whatever_a_file_holds_the_answer_is_an_antenna_or_a_named_fault(scribble, content):
    scribble.write_bytes(content)
    with pytest.raises(DataError):
        read_antenna(scribble)

"""map.html in a real browser: it draws, answers, speaks two languages, and never calls out.

A machine without Chromium skips these tests; where the environment says CI it must be there.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from phusong.scenarios.outputs.map_page import write_map

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

HERE = Path(__file__)
spec = importlib.util.spec_from_file_location("outputs_sample", HERE.parents[1] / "scenarios" / "outputs_sample.py")
sample = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sample)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--enable-unsafe-swiftshader",
    "--use-gl=angle",
    "--use-angle=swiftshader",
]
PATIENCE_MS = 60_000  # a software renderer on a busy machine
# how many pixels of the map are of a colour, within 6 levels
COUNT_PIXELS = """([hex]) => {
  const canvas = document.querySelector("#map-main canvas.maplibregl-canvas");
  const copy = document.createElement("canvas");
  copy.width = canvas.width; copy.height = canvas.height;
  const pen = copy.getContext("2d");
  pen.drawImage(canvas, 0, 0);
  const wanted = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  const pixels = pen.getImageData(0, 0, copy.width, copy.height).data;
  let count = 0;
  for (let i = 0; i < pixels.length; i += 4)
    if (wanted.every((level, band) => Math.abs(pixels[i + band] - level) < 6)) count++;
  return count;
}"""


@pytest.fixture(scope="module")
def result():
    return sample.sample_run()


@pytest.fixture(scope="module")
def page_file(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("bản đồ") / "map.html"
    write_map(result, path)
    return path


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium on PATH: apt-get install chromium")
        pytest.skip("no Chromium on PATH")
    with playwright.sync_playwright() as driver:
        yield driver.chromium


@pytest.fixture(scope="module")
def browser(chromium):
    found = chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield found
    found.close()


class Visit:
    """An open page; what it complained about and whom it called."""

    def __init__(self, browser, path, size=(1000, 720), ready=True):
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints, self.calls = [], []
        self.page.on("console", lambda message: message.type in ("error", "warning") and self.complain(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.calls.append(request.url))
        self.page.goto(path.as_uri())
        if ready:
            self.page.wait_for_selector("#map-main[data-ready]", state="attached")

    def complain(self, text):
        if "GPU stall" not in text:  # a software renderer being slow
            self.complaints.append(text)

    def count(self, colour):
        """Pixels of that colour once the map has settled."""
        self.page.wait_for_timeout(400)
        return self.page.evaluate(COUNT_PIXELS, [colour])

    def outside(self):
        return [url for url in self.calls if not url.startswith(("file:", "data:", "blob:"))]

    def begin_again(self):
        """As after opening: planned view of the whole area, Vietnamese, no pop-up."""
        for button in self.page.locator(".maplibregl-popup-close-button").all():
            button.click()
        self.page.fill("#find", "")
        self.page.click('[data-view="after"]')
        if self.page.get_attribute("html", "lang") == "en":
            self.page.click("#language")
        for box in self.page.locator("#legend input").all():
            box.set_checked(box.get_attribute("data-layer") != "edge")
        self.page.click("#fit")
        self.page.wait_for_timeout(1000)


@pytest.fixture(scope="module")
def opened(browser, page_file):
    visit = Visit(browser, page_file)
    yield visit
    visit.context.close()


@pytest.fixture
def visit(opened):
    yield opened
    assert opened.complaints == []
    assert opened.outside() == []
    opened.begin_again()


@pytest.mark.parametrize(
    ("layer", "colour"),
    [("hamlets_trang", "#c4152c"), ("hamlets_lom", "#f08c00"), ("sites_new", "#ffdf33"), ("routes_fibre", "#7a2aa8")],
)
def test_layers_toggle(visit, layer, colour):
    shown = visit.count(colour)
    assert shown > 10
    visit.page.click(f'input[data-layer="{layer}"]')
    assert visit.count(colour) < shown / 4
    visit.page.click(f'input[data-layer="{layer}"]')
    assert visit.count(colour) == pytest.approx(shown, rel=0.02)


def test_pictures_of_the_sky_take_the_place_of_the_signal(browser, result, tmp_path):
    write_map(sample.with_sky(result), tmp_path / "map.html")
    visit = Visit(browser, tmp_path / "map.html")
    page = visit.page
    assert page.is_checked('[data-layer="coverage"]')
    page.check('[data-layer="sat_rate"]')
    assert not page.is_checked('[data-layer="coverage"]')
    assert "≥ 10 Mbps" in page.inner_text("#satellite-scale")
    page.check('[data-layer="sat_obstruction"]')
    assert not page.is_checked('[data-layer="sat_rate"]')
    assert "≥ 5%" in page.inner_text("#satellite-scale")
    page.check('[data-layer="coverage"]')
    assert page.inner_text("#satellite-scale") == ""
    assert not page.is_checked('[data-layer="sat_obstruction"]')
    assert visit.complaints == []
    assert visit.outside() == []
    visit.context.close()


def test_coverage_toggles_and_the_plan_covers_more_than_today(visit):
    relief = "#e9e7e3"  # bare terrain in the light: what shows where there is no signal
    planned = visit.count(relief)
    visit.page.click('[data-view="before"]')
    today = visit.count(relief)
    visit.page.click('input[data-layer="coverage"]')
    assert planned < today < visit.count(relief)


def test_a_hamlets_popup_opens_on_a_click(visit, result):
    page = visit.page
    page.fill("#find", "dong gieng 2")  # found without accents
    page.click("#found button >> nth=0")
    page.wait_for_selector(".maplibregl-popup .card")
    first = page.inner_text(".maplibregl-popup h3")
    assert first.startswith("Thôn Đồng Giếng 2")
    page.click(".maplibregl-popup-close-button")
    assert page.locator(".maplibregl-popup").count() == 0
    page.wait_for_timeout(300)
    box = page.locator("#map-main").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)  # the hamlet is in the middle now
    assert page.inner_text(".maplibregl-popup h3") == first
    hamlet = result.hamlets[result.hamlets.name == first].iloc[0]
    card = page.inner_text(".maplibregl-popup")
    assert hamlet.commune in card
    assert f"{hamlet.people:,.0f}".replace(",", ".") in card


def test_vietnamese_names_are_drawn_on_the_map(visit):
    names = visit.page.locator("#map-main .place.commune").all_inner_texts()
    assert any("Thượng Ấm" in name or "Đạo Trù" in name or "Ngọc Hội" in name for name in names)
    # the font has the letters: each looks unlike the box of a missing one, and unlike its bare letter
    drawn = visit.page.evaluate(
        """(letters) => {
          const font = getComputedStyle(document.querySelector(".place")).font;
          const picture = (text) => {
            const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 40 });
            const pen = canvas.getContext("2d");
            pen.font = font; pen.fillText(text, 8, 28);
            return canvas.toDataURL();
          };
          return letters.map((letter) => [letter, "\\u{10FFFE}", letter.normalize("NFD")[0]].map(picture));
        }""",
        list("ậễộựỹẤẦ"),
    )
    for letter, box, bare in drawn:
        assert len({letter, box, bare}) == 3


def test_languages_switch(visit, result):
    page = visit.page
    assert page.get_attribute("html", "lang") == "vi"
    assert page.inner_text("h2 >> nth=0") == "Thôn lõm, trắng sóng"
    assert "tỷ đồng" in page.inner_text("#tiles")
    page.click("#language")
    assert page.get_attribute("html", "lang") == "en"
    assert page.inner_text("h2 >> nth=0") == "Low-signal hamlets"
    assert "billion" in page.inner_text("#tiles")
    assert page.inner_text("#low-before") == str(result.summary["low_before"])


def test_compare_shows_both_moments_at_one_place(visit):
    page = visit.page
    page.click('[data-view="compare"]')
    page.wait_for_selector("#map-after[data-ready]", state="attached")
    clip = page.evaluate("document.getElementById('map-after').style.clipPath")
    handle = page.locator("#swipe").bounding_box()
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + 300)
    page.mouse.down()
    page.mouse.move(handle["x"] + 150, handle["y"] + 300)
    page.mouse.up()
    assert page.evaluate("document.getElementById('map-after').style.clipPath") != clip
    page.mouse.move(handle["x"] - 90, 400)  # drag the map on the side of today
    page.mouse.down()
    page.mouse.move(handle["x"] - 50, 430, steps=4)
    page.mouse.up()
    page.wait_for_timeout(1500)
    spots = page.evaluate(
        """() => ["#map-main", "#map-after"].map((map) => Object.fromEntries(
          [...document.querySelectorAll(`${map} .place`)].map((name) => {
            const box = name.getBoundingClientRect();
            return [name.textContent, [Math.round(box.x), Math.round(box.y)]];
          })))"""
    )
    assert spots[0]
    assert spots[0] == spots[1]  # one camera


def test_a_phone_has_the_figures_in_a_sheet(browser, page_file):
    phone = Visit(browser, page_file, size=(390, 844))
    page = phone.page
    assert page.locator("#low").is_visible()
    assert not page.locator("#legend").is_visible()
    page.click("#grip")
    assert page.locator("#legend").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.context.close()
    assert phone.complaints == []


def test_spiteful_names_are_text(visit):
    page = visit.page
    page.fill("#find", "window.hurt")
    assert page.inner_text("#found button b") == sample.SPITEFUL_NAME
    page.click("#found button")
    assert page.inner_text(".maplibregl-popup h3") == sample.SPITEFUL_NAME
    assert page.evaluate("window.hurt") is None
    assert page.locator(".maplibregl-popup script, .maplibregl-popup img, #found img").count() == 0


def test_the_page_forbids_itself_the_network_and_foreign_scripts(visit):
    page = visit.page
    blocked = page.evaluate("fetch('https://example.org/').then(() => false, () => true)")
    assert blocked
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.hurt = 2'}))"
    )
    assert page.evaluate("window.hurt") is None
    visit.complaints.clear()  # the browser's own words about what it has just refused
    visit.calls[:] = [url for url in visit.calls if "example.org" not in url]


def test_the_synthetic_label_shows_only_where_inputs_are_synthetic(visit, result, browser, tmp_path):
    assert visit.page.inner_text("#label") == "DỮ LIỆU MÔ PHỎNG / SYNTHETIC"
    assert visit.page.locator("#label-map").is_visible()
    write_map(dataclasses.replace(result, synthetic=()), tmp_path / "real.html")
    real = Visit(browser, tmp_path / "real.html", ready=False)
    assert not real.page.locator("#label").is_visible()
    real.context.close()


def test_a_browser_without_webgl_still_shows_the_figures(chromium, page_file, result):
    plain = chromium.launch(
        executable_path=CHROMIUM, args=["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-3d-apis"]
    )
    page = plain.new_page()
    page.goto(page_file.as_uri())
    page.wait_for_selector("#no-map", state="visible")
    assert page.inner_text("#low-before") == str(result.summary["low_before"])
    plain.close()


def test_a_run_without_a_plan_shows_today_only(result, browser, tmp_path):
    nothing = {
        "counted": None,
        "cleared_bound": None,
        "gap": None,
        "gap_hamlets": None,
        "budget_vnd": None,
        "checker": "not asked",
    }
    write_map(dataclasses.replace(result, summary={**result.summary, **nothing}), tmp_path / "today.html")
    today = Visit(browser, tmp_path / "today.html")
    assert not today.page.locator("#views").is_visible()
    assert today.page.locator('input[data-layer="sites_new"]').count() == 0
    assert today.page.inner_text("#low").strip() == str(result.summary["low_before"])
    today.context.close()
    assert today.complaints == []


def test_a_large_province_stays_under_eight_megabytes(shared, tmp_path):
    """3,180 hamlets and 1.4 million cells: the size of the tile N21E105."""
    import numpy as np
    import rasterio

    with rasterio.open(shared("data/n21e105/N21E105.hgt")) as file:
        height = file.read(1)[:1201, :1190].astype(np.float32)
    height[height < -100] = np.nan
    box = sample.part_box(*height.shape)
    large = sample.sample_run([("n21e105", box, height)], hamlets=3180, sites=60, new=20, communes=290)
    write_map(large, tmp_path / "map.html")
    assert (tmp_path / "map.html").stat().st_size < 8_000_000

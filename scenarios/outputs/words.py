"""The words and number formats of every output: Vietnamese first, English second, all in this one catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, Literal

from phusong.scenarios.outputs.satellite_words import SATELLITE_WORDS

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, Language] = ("vi", "en")
NO_VALUE = "—"

# key -> (Vietnamese, English). "col." headings of tables, "sheet." tables, "map." the map page, "fig." key figures;
# the rest are values of columns and terms shared by all.
WORDS: dict[str, tuple[str, str]] = {
    # states of a hamlet
    "served": ("phủ sóng", "served"),
    "lom": ("lõm sóng", "partly uncovered (lõm sóng)"),
    "short": ("thiếu", "short"),
    "enough": ("đủ", "enough"),
    "no-signal": ("không có sóng", "no signal"),
    "people": ("người", "people"),
    "trang": ("trắng sóng", "no service (trắng sóng)"),
    "cleared": ("đã xoá lõm, trắng sóng", "cleared by the plan"),
    "undeclared": ("chưa công bố", "not declared"),
    # rules, by name
    "centre-and-clusters": ("trung tâm thôn và các cụm dân cư", "centre and clusters"),
    "people-share": ("tỷ lệ người có sóng", "share of people"),
    # places and stations
    "existing": ("hiện có", "existing"),
    "new": ("xây mới", "new"),
    "improved": ("nâng cấp", "improved"),
    "added": ("thêm", "added"),
    "removed": ("bỏ", "removed"),
    # routes
    "fibre": ("cáp quang", "fibre"),
    "power": ("điện", "power"),
    "access-road": ("đường vào trạm", "access road"),
    # what is built
    "new-site": ("trạm ở vị trí mới", "new site"),
    "sector-added": ("thêm sector", "sector added"),
    "re-aimed": ("xoay lại anten", "antenna re-aimed"),
    "higher-mast": ("nâng cột", "higher mast"),
    "new-low-band": ("thêm băng tần thấp", "low band added"),
    "new-technology": ("thêm công nghệ", "technology added"),
    "remote-radio": ("RRU kéo dài bằng cáp quang", "remote radio on a fibre-fed pole"),
    "repeater": ("trạm lặp", "repeater"),
    # backhaul and power
    "donor": ("lặp từ trạm mẹ", "from the donor station"),
    "microwave": ("vi ba", "microwave"),
    "satellite": ("vệ tinh", "satellite"),
    "unknown": ("chưa rõ", "unknown"),
    "grid": ("điện lưới", "grid"),
    "off-grid": ("điện ngoài lưới", "off-grid supply"),
    "solar-battery": ("điện mặt trời + ắc quy", "solar + battery"),
    "none": ("không có", "none"),
    "yes": ("có", "yes"),
    "no": ("không", "no"),
    "agrees": ("khớp", "agrees"),
    "disagrees": ("KHÔNG khớp, xem summary.json", "DISAGREES, see summary.json"),
    "not asked": ("chưa lập kế hoạch", "no plan was asked for"),
    # key figures
    "fig.low": ("Thôn lõm, trắng sóng", "Low-signal hamlets"),
    "fig.low_says": (
        "{trang} trắng sóng, {lom} lõm sóng trong {hamlets} thôn",
        "{trang} without service, {lom} partly uncovered, of {hamlets} hamlets",
    ),
    "fig.trang_before": ("Trắng sóng, trước", "No service, before"),
    "fig.lom_before": ("Lõm sóng, trước", "Partly uncovered, before"),
    "fig.low_before": ("Lõm và trắng sóng, trước", "Low-signal, before"),
    "fig.low_after": ("Lõm và trắng sóng, sau", "Low-signal, after"),
    "fig.hamlets": ("Số thôn", "Hamlets"),
    "fig.cleared": ("Thôn được xoá lõm, trắng sóng", "Hamlets cleared"),
    "fig.counted": ("Trong đó đếm chắc khi chọn", "Of which the choice counted on"),
    "fig.cleared_bound": ("Đếm chắc nhiều nhất có thể", "At most that a choice can count on"),
    "fig.cleared_of": (
        "xoá {cleared} thôn; đếm chắc {counted}, nhiều nhất có thể {bound}",
        "{cleared} cleared; {counted} counted on, at most {bound} possible",
    ),
    "fig.gap": ("Khoảng cách tới mức tối đa đã chứng minh", "Proven gap to the best possible"),
    "fig.gap_hamlets": ("Khoảng cách tính bằng thôn", "Gap in hamlets"),
    "fig.gap_says": ("chênh nhiều nhất {gap} ({hamlets} thôn)", "proven gap {gap} (hamlets: {hamlets})"),
    "fig.people_newly_covered": ("Người được phủ sóng thêm", "People newly covered"),
    "fig.expected_served_before": ("Kỳ vọng số thôn có sóng, trước", "Hamlets expected to have service, before"),
    "fig.expected_served_after": ("Kỳ vọng số thôn có sóng, sau", "Hamlets expected to have service, after"),
    "fig.hamlets_short_of_capacity": ("Thôn có sóng mà thiếu dung lượng", "Hamlets with signal, short of capacity"),
    "fig.overloaded_sectors": ("Sector quá tải giờ bận", "Sectors overloaded in the busy hour"),
    "fig.electrified": ("Thôn được cấp điện thêm", "Hamlets newly electrified"),
    "fig.capex_vnd": ("Vốn đầu tư", "Investment"),
    "fig.budget_vnd": ("Ngân sách", "Budget"),
    "fig.of_budget": ("ngân sách {budget}", "budget {budget}"),
    "fig.opex_vnd_per_year": ("Chi phí vận hành mỗi năm", "Running cost a year"),
    "fig.lifetime_vnd": ("Chi phí cả vòng đời", "Lifetime cost"),
    "fig.sites_new": ("Vị trí mới", "New sites"),
    "fig.ways": ("Truyền dẫn của vị trí mới", "Backhaul of new sites"),
    "fig.trenches": ("Cáp quang phải đào", "Fibre to be laid"),
    "fig.trenches_says": (
        "{km} km · {money}, dùng chung tiết kiệm {saved}",
        "{km} km · {money}; sharing saves {saved}",
    ),
    "fig.satellite": ("Thôn có băng rộng vệ tinh (không phải sóng di động)", "Hamlets with broadband by satellite"),
    "fig.satellite_says": (
        "{leo} LEO · {geo} GEO, trên {asked}",
        "{leo} LEO · {geo} GEO, of {asked} (no mobile signal)",
    ),
    "fig.stations_new": ("Trạm BTS mới", "New stations"),
    "fig.stations_says": ("{new} trạm BTS mới, {existing} trạm hiện có", "{new} new stations, {existing} existing"),
    "fig.stations_existing": ("Trạm BTS hiện có", "Existing stations"),
    "fig.facilities": ("Trường, trạm y tế, trụ sở có sóng", "Schools, clinics, offices served"),
    "fig.of_total": ("trong tổng số {total}", "of {total}"),
    "fig.edge_hamlets": ("Thôn sát biên, tính riêng", "Edge hamlets, counted apart"),
    "fig.minimum_technology": ("Công nghệ tối thiểu", "Minimum technology"),
    "fig.confidence": ("Độ tin cậy", "Confidence"),
    "fig.model": ("Mô hình truyền sóng", "Propagation model"),
    "fig.checker": ("Kiểm tra độc lập", "Independent check"),
    "fig.rule": ("Quy tắc lõm sóng", "Low-signal rule"),
    "fig.source": ("Nguồn", "Source"),
    "fig.thresholds": ("Ngưỡng", "Thresholds"),
    "fig.assumptions": ("Giả định", "Assumptions"),
    "fig.notes": ("Ghi chú", "Notes"),
    "fig.operators": ("Dân số có sóng theo nhà mạng", "People covered by operator"),
    "fig.synthetic": ("Dữ liệu mô phỏng", "Synthetic inputs"),
    "fig.scenario": ("Kịch bản", "Scenario"),
    # the picture
    "pic.title": ("Kế hoạch xoá vùng lõm sóng", "Plan to clear low-signal hamlets"),
    "pic.title_today": ("Hiện trạng phủ sóng", "Coverage today"),
    "pic.before": ("Hiện trạng", "Before"),
    "pic.after": ("Theo kế hoạch", "After"),
    "pic.proof": (
        "đếm chắc {counted}, nhiều nhất {bound} · chênh {gap} ({hamlets} thôn)",
        "counted on {counted} of at most {bound} · gap {gap} (hamlets: {hamlets})",
    ),
    "pic.hamlets_low": ("{trang} thôn trắng sóng · {lom} thôn lõm sóng", "{trang} no service · {lom} partly uncovered"),
    # sheets
    "sheet.notes": ("Ghi chú", "Notes"),
    "sheet.summary": ("Tóm tắt", "Summary"),
    "sheet.measures": ("Hạng mục đầu tư", "Measures"),
    "sheet.sites": ("Vị trí", "Sites"),
    "sheet.stations": ("Trạm BTS", "Stations"),
    "sheet.sectors": ("Sector", "Sectors"),
    "sheet.hamlets": ("Thôn", "Hamlets"),
    "sheet.measure_first": ("Đo lại trước khi đầu tư", "Measure before investing"),
    "sheet.speeds": ("Tốc độ", "Speeds"),
    "sheet.communes": ("Xã, phường", "Communes"),
    "sheet.operators": ("Nhà mạng", "Operators"),
    "sheet.routes": ("Tuyến", "Routes"),
    "sheet.declared_vs_model": ("Công bố và mô hình", "Declared and model"),
    # headings of columns
    "col.figure": ("Chỉ tiêu", "Figure"),
    "col.value": ("Giá trị", "Value"),
    "col.exact": ("Số đầy đủ", "Exact number"),
    "col.topic": ("Mục", "Topic"),
    "col.text": ("Nội dung", "Text"),
    "col.label": ("Nhãn dữ liệu", "Data label"),
    "col.hamlet_id": ("Mã thôn", "Hamlet id"),
    "col.name": ("Tên", "Name"),
    "col.commune_code": ("Mã xã", "Commune code"),
    "col.commune": ("Xã", "Commune"),
    "col.province": ("Tỉnh", "Province"),
    "col.part": ("Vùng", "Part"),
    "col.people": ("Dân số (người)", "People"),
    "col.households": ("Số hộ", "Households"),
    "col.declared_state": ("Trạng thái công bố", "Declared state"),
    "col.model_state": ("Trạng thái theo mô hình", "State by the model"),
    "col.state_before": ("Hiện trạng", "State before"),
    "col.state_after": ("Theo kế hoạch", "State after"),
    "col.rsrp_before_dbm": ("RSRP trước (dBm)", "RSRP before (dBm)"),
    "col.rsrp_after_dbm": ("RSRP sau (dBm)", "RSRP after (dBm)"),
    "col.cleared": ("Được xoá", "Cleared"),
    "col.served_by_option": ("Phương án phục vụ", "Served by option"),
    "col.probability_before": ("Xác suất có sóng, trước", "Probability of service before"),
    "col.probability_after": ("Xác suất có sóng, sau", "Probability of service after"),
    "col.people_served": ("Người có sóng", "People with signal"),
    "col.people_carried": ("Người đủ dung lượng giờ bận", "People carried in the busy hour"),
    "col.capacity": ("Dung lượng giờ bận", "Busy-hour capacity"),
    "col.demand_mbps": ("Nhu cầu giờ bận (Mbps)", "Busy-hour demand (Mbps)"),
    "col.capacity_mbps": ("Năng lực (Mbps)", "Capacity (Mbps)"),
    "col.utilisation": ("Mức sử dụng", "Utilisation"),
    "col.station_utilisation": ("Mức sử dụng của trạm", "Utilisation of the station"),
    "col.overloaded": ("Quá tải", "Overloaded"),
    "col.download_mbps": ("Tải xuống (Mbps)", "Download (Mbps)"),
    "col.upload_mbps": ("Tải lên (Mbps)", "Upload (Mbps)"),
    "col.least_share": ("Tỷ lệ người đạt mức tối thiểu", "Share of people at the least speed"),
    "col.met": ("Đạt chuẩn", "Norm met"),
    "col.source": ("Nguồn của chuẩn", "Source of the norm"),
    "col.probability": ("Xác suất có sóng", "Probability of service"),
    "col.flips": ("Xác suất đo làm đổi kết luận", "Probability that measuring changes the verdict"),
    "col.unit": ("Đơn vị", "Unit"),
    "col.reason": ("Lý do", "Reason"),
    "col.assigned_operator": ("Nhà mạng được giao", "Assigned operator"),
    "col.electricity_before": ("Điện, trước", "Electricity before"),
    "col.electricity_after": ("Điện, sau", "Electricity after"),
    "col.edge": ("Sát biên", "Edge"),
    "col.measure_first": ("Đo lại trước", "Measure first"),
    "col.deadline": ("Hạn", "Deadline"),
    "col.longitude_deg": ("Kinh độ (độ)", "Longitude (deg)"),
    "col.latitude_deg": ("Vĩ độ (độ)", "Latitude (deg)"),
    "col.site_id": ("Mã vị trí", "Site id"),
    "col.status": ("Tình trạng", "Status"),
    "col.operators": ("Nhà mạng", "Operators"),
    "col.operator": ("Nhà mạng", "Operator"),
    "col.stations": ("Số trạm BTS", "Stations"),
    "col.station_id": ("Mã trạm", "Station id"),
    "col.sector_id": ("Mã sector", "Sector id"),
    "col.technology": ("Công nghệ", "Technology"),
    "col.band": ("Băng tần", "Band"),
    "col.azimuth_deg": ("Phương vị (độ)", "Azimuth (deg)"),
    "col.downtilt_deg": ("Góc chúc (độ)", "Downtilt (deg)"),
    "col.height_m": ("Độ cao anten (m)", "Antenna height (m)"),
    "col.capex_vnd": ("Vốn đầu tư (đồng)", "Investment (VND)"),
    "col.opex_vnd_per_year": ("Vận hành (đồng/năm)", "Running cost (VND/year)"),
    "col.lifetime_vnd": ("Chi phí vòng đời (đồng)", "Lifetime cost (VND)"),
    "col.tower_vnd": ("Cột anten (đồng)", "Tower (VND)"),
    "col.road_vnd": ("Đường vào (đồng)", "Access road (VND)"),
    "col.power_vnd": ("Cấp điện (đồng)", "Power (VND)"),
    "col.backhaul_vnd": ("Truyền dẫn (đồng)", "Backhaul (VND)"),
    "col.radio_vnd": ("Thiết bị vô tuyến (đồng)", "Radio (VND)"),
    "col.power": ("Nguồn điện", "Power supply"),
    "col.backhaul": ("Truyền dẫn", "Backhaul"),
    "col.evn_confirm": ("Cần EVN xác nhận", "EVN to confirm"),
    "col.hamlets_cleared": ("Số thôn được xoá", "Hamlets cleared"),
    "col.option_id": ("Mã phương án", "Option id"),
    "col.kind": ("Loại", "Kind"),
    "col.fibre_km": ("Cáp quang (km)", "Fibre (km)"),
    "col.inferred_km": ("Trong đó suy đoán (km)", "Of which inferred (km)"),
    "col.users": ("Số phương án dùng chung", "Options that share it"),
    "col.length_km": ("Chiều dài (km)", "Length (km)"),
    "col.hamlets": ("Số thôn", "Hamlets"),
    "col.low_before": ("Lõm, trắng sóng trước", "Low-signal before"),
    "col.low_after": ("Lõm, trắng sóng sau", "Low-signal after"),
    "col.people_covered_before": ("Dân số có sóng trước (người)", "People covered before"),
    "col.people_covered_after": ("Dân số có sóng sau (người)", "People covered after"),
    "col.people_before": ("Dân số có sóng trước (người)", "People covered before"),
    "col.people_after": ("Dân số có sóng sau (người)", "People covered after"),
    # the summary on the terminal
    "term.title": (
        "{name} · {hamlets} thôn · {trang} trắng sóng, {lom} lõm sóng ({rule}, {whose}, {technology}, P{confidence})",
        "{name} · {hamlets} hamlets · {trang} without service, {lom} partly uncovered"
        " ({rule}, {whose}, {technology}, P{confidence})",
    ),
    "term.declared_first": ("danh sách công bố trước, mô hình sau", "official list before the model"),
    "term.model": ("mô hình", "model"),
    "term.coverage": (
        "{stations} trạm BTS · {covered} / {people} người có sóng · P50: {p50} thôn lõm/trắng · {edge} thôn sát biên",
        "{stations} stations · {covered} / {people} people have signal · P50: {p50} low-signal hamlets"
        " · {edge} hamlets at the edge",
    ),
    "term.quality": (
        "tính theo xác suất: {expected_before} → {expected_after} thôn có sóng · {short} thôn có sóng mà thiếu dung"
        " lượng giờ bận",
        "{expected_before} → {expected_after} hamlets expected to have service · {short} have signal but are short of"
        " busy-hour capacity",
    ),
    "term.quality_today": (
        "tính theo xác suất: {expected_before} thôn có sóng · {short} thôn có sóng mà thiếu dung lượng giờ bận",
        "{expected_before} hamlets expected to have service · {short} have signal but are short of busy-hour capacity",
    ),
    "term.candidates": (
        "{sites} vị trí, {options} phương án, {improvements} là nâng cấp",
        "{sites} sites, {options} options, {improvements} of them improvements",
    ),
    "term.decision": (
        "xoá {cleared} trên {low_before} thôn (đếm chắc {counted}, nhiều nhất {cleared_bound}) · {spent}{limit}"
        " · khoảng cách {gap} ({gap_hamlets} thôn)",
        "cleared {cleared} of {low_before} hamlets ({counted} counted on, at most {cleared_bound}) · {spent}{limit}"
        " · gap {gap} ({gap_hamlets} hamlets)",
    ),
    "term.of_budget": (" của {budget}", " of {budget}"),
    "term.gains": (
        "{people_newly_covered} người được phủ sóng thêm · {sites_new} vị trí mới, {sites_improved} vị trí nâng cấp,"
        " {stations_new} trạm BTS mới · {electrified} thôn có điện thêm",
        "{people_newly_covered} people newly covered · {sites_new} new sites, {sites_improved} improved sites,"
        " {stations_new} new stations · {electrified} hamlets electrified",
    ),
    "term.lifetime": ("cả vòng đời {horizon_years} năm: {lifetime}", "lifetime of {horizon_years} years: {lifetime}"),
    "term.cheapest": ("thôn rẻ nhất cần {cheapest}", "the cheapest hamlet costs {cheapest}"),
    "term.cheapest_at_most": (
        "thôn rẻ nhất cần nhiều nhất {cheapest}",
        "the cheapest hamlet costs at most {cheapest}",
    ),
    "term.not_repeatable": (
        "dừng theo giờ hoặc bằng Ctrl-C: chạy lại có thể khác",
        "stopped by the clock or by Ctrl-C: another run may differ",
    ),
    "term.repairs": (" · sửa {times} lần", " · repaired {times} times"),
    # the map page
    "map.title": ("Bản đồ kế hoạch xoá vùng lõm sóng", "Plan map: clearing low-signal hamlets"),
    "map.title_today": ("Bản đồ hiện trạng phủ sóng", "Map of coverage today"),
    "map.view": ("Thời điểm", "View"),
    "map.before": ("Hiện trạng", "Before"),
    "map.after": ("Kế hoạch", "After"),
    "map.compare": ("So sánh", "Compare"),
    "map.layers": ("Lớp bản đồ", "Layers"),
    "map.details": ("Cách tính và giả định", "Method and assumptions"),
    "map.coverage": ("Vùng phủ sóng", "Coverage"),
    "map.coverage_unit": ("RSRP, dBm", "RSRP, dBm"),
    "map.no_signal": ("không có sóng", "no signal"),
    "map.hillshade": ("Địa hình", "Terrain"),
    "map.hamlets": ("Thôn, bản", "Hamlets"),
    "map.hamlets_served": ("Phủ sóng", "Served"),
    "map.hamlets_lom": ("Lõm sóng", "Partly uncovered"),
    "map.hamlets_trang": ("Trắng sóng", "No service"),
    "map.hamlets_cleared": ("Được xoá nhờ kế hoạch", "Cleared by the plan"),
    "map.sites_new": ("Vị trí mới", "New sites"),
    "map.sites_improved": ("Vị trí nâng cấp", "Improved sites"),
    "map.sites_existing": ("Vị trí hiện có", "Existing sites"),
    "map.routes_fibre": ("Cáp quang", "Fibre"),
    "map.routes_microwave": ("Tuyến vi ba", "Microwave link"),
    "map.routes_power": ("Đường điện", "Power line"),
    "map.routes_road": ("Đường vào trạm", "Access road"),
    "map.communes": ("Ranh giới, tên xã", "Communes"),
    "map.edge": ("Thôn sát biên dữ liệu", "Edge of the data"),
    "map.measure_first": ("Đo lại trước khi đầu tư", "Measure before investing"),
    "map.find": ("Tìm thôn, xã, vị trí", "Hamlet, commune or site"),
    "map.find_none": ("Không tìm thấy", "Nothing found"),
    "map.fit": ("Toàn vùng", "Whole area"),
    "map.panel": ("Mở hoặc thu bảng số liệu", "Show or hide the figures"),
    "map.swipe": ("Kéo để so sánh", "Drag to compare"),
    "map.language": ("English", "Tiếng Việt"),
    "map.no_webgl": (
        "Trình duyệt này không vẽ được bản đồ (thiếu WebGL). Số liệu bên cạnh và overview.png vẫn đầy đủ.",
        "This browser cannot draw the map (no WebGL). The figures here and overview.png are complete.",
    ),
    "map.before_after": ("{before} → {after}", "{before} → {after}"),
    "map.credits": (
        "Bản đồ vẽ bằng MapLibre GL JS {version} (BSD-3-Clause)",
        "Drawn by MapLibre GL JS {version} (BSD-3)",
    ),
    **SATELLITE_WORDS,
}


def word(key: str, lang: Language = "vi") -> str:
    """The word of `key`; a value that the catalogue does not know (an operator, a band) is returned as it is."""
    pair = WORDS.get(key)
    return key if pair is None else pair[LANGUAGES.index(lang)]


def number(value: Any, digits: int = 0, lang: Language = "vi") -> str:
    """`2.581,9` (vi) or `2,581.9` (en); a dash where there is no finite value."""
    if value is None or not isfinite(float(value)):
        return NO_VALUE
    value = round(float(value), digits)
    text = f"{value + 0.0:,.{digits}f}"  # + 0.0: never "-0"
    return text.translate(str.maketrans(",.", ".,")) if lang == "vi" else text


def percent(share: Any, digits: int = 1, lang: Language = "vi") -> str:
    """A share (0 .. 1) as `97,6%` (vi) or `97.6%` (en)."""
    if share is None or not isfinite(float(share)):
        return NO_VALUE
    return f"{number(100.0 * float(share), digits, lang)}%"


def money_ty(vnd: Any, lang: Language = "vi", band: float | None = None, digits: int = 1) -> str:
    """Money as a minister reads it: `2.581,9 tỷ đồng (±20%)`; band: share of uncertainty (0 .. 1), left out if None."""
    if vnd is None or not isfinite(float(vnd)):
        return NO_VALUE
    billions = number(float(vnd) / 1e9, digits, lang)
    text = f"{billions} tỷ đồng" if lang == "vi" else f"VND {billions} billion"
    return text if band is None else f"{text} (±{percent(band, 0, lang)})"


def verdict(checker: str, lang: Language = "vi") -> str:
    """The checker's verdict in a few words; what it found broken is in summary.json."""
    return word(checker if checker in WORDS else "disagrees", lang)


def counted_cost(summary: Mapping[str, Any]) -> str:
    """The key of the cost that the budget limits: capex, unless the scenario counts the lifetime."""
    return "lifetime_vnd" if summary.get("budget_counts") == "lifetime" else "capex_vnd"


def model_text(summary: Mapping[str, Any]) -> str:
    """`ITU-R P.1812-7 (08/2023) (p1812: time_pct 50, ...)`: what the levels were computed with."""
    used = summary["propagation"]
    parameters = ", ".join(f"{name} {value:g}" if not isinstance(value, bool | str) else f"{name} {value}".lower()
                           for name, value in used["parameters"].items())  # fmt: skip
    offset = [f"{used['model_offset_db']:+g} dB"] if used["model_offset_db"] else []
    return "; ".join([f"{used['source']} ({summary['model']}: {parameters})", *used["surroundings"], *offset])


def lower_first(text: str) -> str:
    """`Trạm BTS` inside a sentence: `trạm BTS`."""
    return text[:1].lower() + text[1:]


def key_figures(summary: Mapping[str, Any], lang: Language) -> list[tuple[str, str]]:
    """The figures of a run as (name, text), in the order in which a planner asks for them."""
    return [(name, text) for name, text, _ in exact_figures(summary, lang)]


def backhaul_figures(summary: Mapping[str, Any], lang: Language) -> list[tuple[str, str, Any]]:
    """How new sites are connected and what is dug for them; nothing where no new site is built."""
    built = summary["backhaul"]
    if not built["ways"]:
        return []
    kinds = " · ".join(f"{word(kind, lang)}: {number(count, lang=lang)}" for kind, count in built["ways"].items())
    dug = word("fig.trenches_says", lang).format(
        km=number(built["trench_km"], 1, lang), money=money_ty(built["trench_vnd"], lang),
        saved=money_ty(built["saved_vnd"], lang),
    )  # fmt: skip
    return [
        (word("fig.ways", lang), kinds, sum(built["ways"].values())),
        (word("fig.trenches", lang), dug, built["trench_vnd"]),
    ]


def satellite_figures(summary: Mapping[str, Any], lang: Language) -> list[tuple[str, str, Any]]:
    """Who would have broadband by satellite; nothing where the run did not look at satellites."""
    looked = summary.get("satellite")
    if not looked:
        return []
    hamlets = looked["hamlets"]
    says = word("fig.satellite_says", lang).format(
        **{key: number(hamlets[key], lang=lang) for key in ("leo", "geo", "asked")}
    )
    return [(word("fig.satellite", lang), says, hamlets["leo"] + hamlets["geo"])]


def exact_figures(summary: Mapping[str, Any], lang: Language) -> list[tuple[str, str, Any]]:
    """`key_figures` with the exact number as a third (None where the figure is a text)."""
    facilities = summary["facilities"]
    standing, reached, every = (
        number(facilities[key], lang=lang) for key in ("served_before", "served_after", "total")
    )
    band = summary.get("cost_band")
    counts = ("hamlets", "trang_before", "lom_before", "low_before", "low_after", "cleared", "counted", "cleared_bound")
    quality = ("expected_served_before", "expected_served_after", "hamlets_short_of_capacity", "overloaded_sectors")
    after = ("people_newly_covered", "electrified", "sites_new", "stations_new", "stations_existing", "edge_hamlets")
    return [
        *((word(f"fig.{key}", lang), number(summary[key], lang=lang), summary[key]) for key in counts),
        (word("fig.gap", lang), percent(summary["gap"], lang=lang), summary["gap"]),
        (word("fig.gap_hamlets", lang), number(summary["gap_hamlets"], lang=lang), summary["gap_hamlets"]),
        *(
            (
                word(f"fig.{key}", lang),
                money_ty(summary[key], lang, None if key == "budget_vnd" else band),
                summary[key],
            )
            for key in ("budget_vnd", "capex_vnd", "opex_vnd_per_year", "lifetime_vnd")
        ),
        *((word(f"fig.{key}", lang), number(summary[key], lang=lang), summary[key]) for key in after),
        *backhaul_figures(summary, lang),
        *satellite_figures(summary, lang),
        *((word(f"fig.{key}", lang), number(summary[key], lang=lang), summary[key]) for key in quality),
        (word("fig.facilities", lang), f"{standing} → {reached} / {every}", facilities["served_after"]),
        (word("fig.minimum_technology", lang), str(summary["minimum_technology"]), None),
        (word("fig.confidence", lang), percent(summary["confidence"], 0, lang), summary["confidence"]),
        (word("fig.model", lang), model_text(summary), None),
        (word("fig.checker", lang), word(str(summary["checker"]), lang), None),
    ]

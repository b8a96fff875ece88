"""The words of the satellite step, part of the one catalogue in `words`."""

from __future__ import annotations

SATELLITE_WORDS: dict[str, tuple[str, str]] = {
    # how a hamlet gets broadband, and why not
    "leo": ("vệ tinh quỹ đạo thấp", "low orbit satellite"),
    "geo": ("vệ tinh địa tĩnh", "geostationary satellite"),
    "not-asked": ("đã có sóng di động", "has mobile signal"),
    "no-sky": ("bầu trời bị che hoặc mưa quá nhiều", "sky hidden, or too much rain"),
    "too-slow": ("tốc độ dưới mức tối thiểu", "slower than asked for"),
    "cell-full": ("ô phục vụ đã đầy", "service cell full"),
    "licence-full": ("hết số thiết bị theo giấy phép", "licence used up"),
    "small-cell": ("trạm nhỏ 4G trên cột ở thôn", "4G small cell on a pole in the hamlet"),
    # the paragraph
    "sat.what": (
        "Vệ tinh cho hộ gia đình internet băng rộng, không phải sóng di động; không thôn nào được tính là xoá lõm sóng "
        "nhờ chảo vệ tinh.",
        "Satellite gives households broadband, not mobile signal; no hamlet counts as cleared by a dish.",
    ),
    "sat.sky": (
        "{name}: {satellites} vệ tinh đang phục vụ (phần tử ngày {epoch}); tính theo dân, có vệ tinh cao trên "
        "{elevation}° và cách cung địa tĩnh {exclusion}° ({band}°) trong {available} thời gian; mưa để lại {rained} "
        "({worst}–{best} theo sai số công suất và G/T; {climate}).",
        "{name}: {satellites} satellites in service (elements of {epoch}); weighted by people, one stands above "
        "{elevation}° and {exclusion}° ({band}°) from the geostationary arc for {available} of the time; rain leaves "
        "{rained} ({worst}–{best} by the band of power and G/T; {climate}).",
    ),
    "sat.ring": (
        "Địa hình che {obstructed} bầu trời dùng được; cây và mái nhà cao {ring}° quanh chảo chỉ để lại {left}.",
        "Terrain hides {obstructed} of the usable sky; trees and roofs up to {ring}° around a dish leave only {left}.",
    ),
    "sat.capacity": (
        "Dung lượng: hộ đang dùng có bình quân {rate} Mbps giờ bận; {cells} ô phục vụ nhận được nhiều nhất {most} "
        "({fewest}–{highest}) thiết bị, được yêu cầu {wanted}; {saturated} ô đầy, ở {uplink} ô đường lên là giới hạn; "
        "{edge} ô sát biên chưa tính hộ ngoài vùng.",
        "Capacity: an active household sees {rate} Mbps in the busy hour on the mean; {cells} service cells take at "
        "most {most} ({fewest}–{highest}) terminals, {wanted} are asked for; {saturated} cells are full, in {uplink} "
        "the uplink is the limit; {edge} cells at the edge lack the households beyond it.",
    ),
    "sat.outcome_low": (
        "Trong {asked} thôn lõm, trắng sóng, cùng lúc có băng rộng từ {rate} Mbps, ít nhất {least} thời gian: {leo} "
        "thôn ({leo_households} hộ) bằng quỹ đạo thấp, thêm {geo} thôn ({geo_households} hộ) bằng địa tĩnh; {none} "
        "thôn không.",
        "Of {asked} low-signal hamlets, at the same time broadband of {rate} Mbps or more, {least} of the time or "
        "more: {leo} hamlets ({leo_households} households) by low orbit, {geo} more ({geo_households} households) by "
        "geostationary; {none} have none.",
    ),
    "sat.outcome_all": (
        "Nếu cả {asked} thôn cùng dùng (chưa xét sóng di động), băng rộng từ {rate} Mbps, ít nhất {least} thời gian "
        "có ở {leo} thôn ({leo_households} hộ) bằng quỹ đạo thấp, thêm {geo} thôn ({geo_households} hộ) bằng địa "
        "tĩnh; {none} thôn không.",
        "If all {asked} hamlets used it (mobile signal not looked at), broadband of {rate} Mbps or more, {least} of "
        "the time or more reaches {leo} hamlets ({leo_households} households) by low orbit, {geo} more "
        "({geo_households} households) by geostationary; {none} have none.",
    ),
    "sat.geo": (
        "{name}: cao {elevation}°, thấy từ {visible} nơi có dân; mưa để lại {rained} thời gian ({worst}–{best}).",
        "{name}: {elevation}° high, seen from {visible} of the people's places; rain leaves {rained} of the time "
        "({worst}–{best}).",
    ),
    "sat.licence": (
        "{source}: {terminals} thiết bị cả nước, phần của vùng {here}; tạm thời tới {until}, sau đó {successor}.",
        "{source}: {terminals} terminals in the country, this area's part {here}; temporary until {until}, then "
        "{successor}.",
    ),
    "sat.successor_geo": ("chuyển sang vệ tinh địa tĩnh", "geostationary takes over"),
    "sat.successor_renewed": ("giả định giấy phép được gia hạn", "the licence is assumed renewed"),
    "sat.phones": (
        "Điện thoại nối thẳng vệ tinh ({label}): ngoài trời, nhắn tin và thoại, {available} thời gian; cả chùm chia "
        "nhau {rate} Mbps.",
        "Phones straight to satellites ({label}): outdoors, text and voice, {available} of the time; a whole beam "
        "shares {rate} Mbps.",
    ),
    # map
    "map.satellite": ("Vệ tinh (băng rộng)", "Satellite (broadband)"),
    "map.sat_rate": ("Tốc độ mỗi hộ giờ bận", "Busy-hour rate per household"),
    "map.sat_rain_limited": ("Có vệ tinh, đã trừ mưa", "Satellite available, rain taken off"),
    "map.sat_availability": ("Có vệ tinh", "Satellite in view"),
    "map.sat_obstruction": ("Bầu trời bị che", "Sky hidden by terrain"),
    "map.sat_geo_rain_limited": ("Địa tĩnh, đã trừ mưa", "Geostationary, rain taken off"),
    "map.sat_phones": ("Điện thoại nối thẳng vệ tinh", "Phones straight to satellites"),
    # tables
    "sheet.satellite": ("Băng rộng vệ tinh", "Satellite broadband"),
    "sheet.satellite_cells": ("Ô phục vụ vệ tinh", "Satellite service cells"),
    "col.low_signal": ("Lõm, trắng sóng", "Low-signal"),
    "col.broadband": ("Băng rộng vệ tinh", "Satellite broadband"),
    "col.broadband_share": ("Tỷ lệ hộ có băng rộng", "Share of households with broadband"),
    "col.broadband_households": ("Hộ có băng rộng", "Households with broadband"),
    "col.rate_mbps": ("Tốc độ mỗi hộ giờ bận (Mbps)", "Busy-hour rate per household (Mbps)"),
    "col.availability": ("Tỷ lệ thời gian, đã trừ mưa", "Share of the time, rain taken off"),
    "col.why": ("Vì sao không có quỹ đạo thấp", "Why not by low orbit"),
    "col.leo_availability": ("Quỹ đạo thấp: có vệ tinh", "Low orbit: satellite in view"),
    "col.leo_rain_limited": ("Quỹ đạo thấp: đã trừ mưa", "Low orbit: rain taken off"),
    "col.leo_rain_limited_low": ("Quỹ đạo thấp: cận dưới", "Low orbit: lower end"),
    "col.leo_rain_limited_high": ("Quỹ đạo thấp: cận trên", "Low orbit: upper end"),
    "col.obstructed": ("Bầu trời bị che", "Sky hidden"),
    "col.leo_rate_mbps": ("Quỹ đạo thấp: Mbps mỗi hộ", "Low orbit: Mbps per household"),
    "col.leo_clear_share": ("Tỷ lệ hộ đủ bầu trời", "Share of households with enough sky"),
    "col.service_cell": ("Ô phục vụ (H3)", "Service cell (H3)"),
    "col.geo_satellite": ("Vệ tinh địa tĩnh", "Geostationary satellite"),
    "col.geo_elevation_deg": ("Góc ngẩng địa tĩnh (°)", "Elevation of the geostationary one (°)"),
    "col.geo_visible_share": ("Tỷ lệ dân thấy địa tĩnh", "Share of people who see it"),
    "col.geo_rain_limited": ("Địa tĩnh: đã trừ mưa", "Geostationary: rain taken off"),
    "col.geo_rain_limited_low": ("Địa tĩnh: cận dưới", "Geostationary: lower end"),
    "col.geo_rain_limited_high": ("Địa tĩnh: cận trên", "Geostationary: upper end"),
    "col.phones_availability": ("Điện thoại nối thẳng vệ tinh", "Phones straight to satellites"),
    "col.area_km2": ("Diện tích (km²)", "Area (km²)"),
    "col.terminals": ("Thiết bị được yêu cầu", "Terminals asked for"),
    "col.most_terminals": ("Thiết bị nhận được nhiều nhất", "Terminals it can take"),
    "col.most_terminals_low": ("Thiết bị nhận được: cận dưới", "Terminals it can take: lower end"),
    "col.most_terminals_high": ("Thiết bị nhận được: cận trên", "Terminals it can take: upper end"),
    "col.down_mbps": ("Đường xuống cả ô (Mbps)", "Downlink of the cell (Mbps)"),
    "col.up_mbps": ("Đường lên cả ô (Mbps)", "Uplink of the cell (Mbps)"),
    "col.uplink_binds": ("Đường lên là giới hạn", "Uplink is the limit"),
    "col.saturated": ("Đầy", "Full"),
}

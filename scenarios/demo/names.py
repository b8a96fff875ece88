"""Invented names: no commune of 2025 or of the 2009 census bears one of these; hamlets are named from syllables."""

from __future__ import annotations

import numpy as np

PROVINCE = "Tỉnh Mô Phỏng"
OPERATORS = ("Mạng A", "Mạng B", "Mạng C")
CAPITAL = "Phường Thung Mây"
_COMMUNES = """
Mường Lềnh, Nậm Tòng, Phìn Chua, Tả Páo, Chiềng Luông, Pá Lanh, Huổi Đon, Sín Trù, Háng Lử, Nà Lếch, Khau Cáy, Lũng Dôn,
Bó Cang, Phiêng Tó, Pom Khẩu, Tát Mon, Suối Ngàn, Đèo Sương, Mường Vai, Nậm Phạ, Phìn Dê, Tả Dình, Chiềng Hốc, Huổi Sản,
Sín Páo, Háng Tủa, Nà Mạ, Khau Pheo, Lũng Hin, Mường Sôm, Nậm Hỳ, Mường Ỏm, Nậm Dôn, Mường Hin, Chiềng Vai
"""
COMMUNES = tuple(name.strip() for name in _COMMUNES.split(","))
# Kind of settlement, first and second syllables.
_VALLEY = (
    "Bản",
    "Nà Pá Huổi Co Phiêng Pom Bó Khuổi Cốc Noong Hua Chom Nậm",
    "Xa Lanh Pheo Dôn Sản Lếch Hỳ Tòng Mạ Vai Ỏm Sôm Cáy Phạ Luông Mon Hin Cang Hốc Tó Ngoa Khoang",
)
_UPLAND = (
    "Thôn",
    "Sính Giàng Tả Lao Sín Phìn Chế Pà Háng Sùng Tìa Dào",
    "Phình Chải Tủa Lềnh Dê Chua Sáng Trù Hồ Lử Páo Dình Súa Vàng Mù",
)


def hamlet_names(upland: list[bool], town: list[bool], rng: np.random.Generator) -> list[str]:
    """Names of the hamlets of one commune, no two alike: numbered quarters in town, bản below, thôn on the heights."""
    names: list[str] = []
    taken: set[str] = set()
    quarters = 0
    for high, urban in zip(upland, town, strict=True):
        if urban:
            quarters += 1
            names.append(f"Tổ dân phố {quarters}")
            continue
        kind, first, second = _UPLAND if high else _VALLEY
        while (name := f"{kind} {rng.choice(first.split())} {rng.choice(second.split())}") in taken:
            pass
        taken.add(name)
        names.append(name)
    return names

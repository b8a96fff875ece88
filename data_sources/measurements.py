"""Signal that people measured on the spot: drive tests, walk tests, phones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from phusong.data_sources.layers import LayerRead, read_kind
from phusong.data_sources.schema import OPERATORS, Column, Kind

# fmt: off
MEASUREMENTS = Kind(
    "measurements", "Kết quả đo", "Measurements", "point", repeated_id="piece",
    columns=(
        Column("sample_id", "id", "Mã mẫu đo", "sample id", also="Mã đo | Số thứ tự | STT | sample | id"),
        Column(
            "rsrp_dbm", "number", "RSRP", "RSRP", unit="dBm", required=True, low=-160, high=-20, doubt_low=-140,
            doubt_high=-35,
            also="SS-RSRP | Mức thu | Mức tín hiệu | Cường độ tín hiệu | Mức RSRP | LTE RSRP | NR RSRP | "
                 "NR SS-RSRP | SS-RSRP (dBm) | serving RSRP | signal strength | signal level | level",
            note_vi="RSRP (4G) hoặc SS-RSRP (5G) ngoài trời",
            note_en="RSRP (4G) or SS-RSRP (5G), outdoors",
        ),
        Column(
            "operator", "operator", "Nhà mạng", "operator", choices=OPERATORS,
            also="Doanh nghiệp | Mạng | network | PLMN | carrier",
            note_vi="Trống: mạng tốt nhất", note_en="blank: the best of all",
        ),
        Column(
            "technology", "choice", "Công nghệ", "technology", also="Thế hệ | tech | RAT | network type",
            choices={
                "2G": "2G | GSM | 2",
                "3G": "3G | UMTS | WCDMA | 3",
                "4G": "4G | LTE | E-UTRA | 4",
                "5G": "5G | NR | 5G NR | 5G SA | 5G NSA | NSA | 5",
            },
            note_vi="Trống: mọi công nghệ", note_en="blank: any",
        ),
        Column(
            "band", "band", "Băng tần", "band", also="Băng | band name | dải tần",
            note_vi="Tên băng 3GPP, ví dụ B3, n78; trống: mọi băng", note_en="3GPP name, e.g. B3, n78; blank: any",
        ),
        Column(
            "measured_on", "date", "Ngày đo", "date", also="Ngày | Ngày giờ | Thời gian | Thời điểm | datetime",
            note_vi="dd/mm/yyyy", note_en="dd/mm/yyyy or yyyy-mm-dd",
        ),
        Column(
            "rx_height_m", "number", "Chiều cao anten đo", "antenna height of the receiver", unit="m", low=0.3,
            high=50, doubt_high=10, also="Chiều cao anten | Chiều cao máy thu | antenna height | rx height | height",
            note_vi="Trên mặt đất; trống: [radio] rx_height_m",
            note_en="above ground; blank: [radio] rx_height_m",
        ),
        Column(
            "clutter_class", "text", "Lớp phủ", "clutter class",
            also="Loại địa hình | Loại lớp phủ | Môi trường | clutter | land cover | class",
            note_vi="Tên lớp, tuỳ ý; sai lệch được in theo lớp", note_en="any name; errors are printed by class",
        ),
    ),
)
# fmt: on


def read_measurements(path: Path, *, columns: Mapping[str, str] | None = None) -> LayerRead:
    """Reads measured levels: accepted rows with the columns of MEASUREMENTS, rejected rows, every fault once.

    columns : canonical name -> title in the file, where the title is not one of those known
    Formats and failures are those of `read_layer`.
    """
    return read_kind(MEASUREMENTS, path, columns=columns)

"""What each vector layer holds: its columns, units, ranges, words and the headers under which they are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Geometry = Literal["point", "line", "polygon"]
ColumnType = Literal[
    "id", "code", "text", "number", "count", "choice", "operator", "date", "deadline", "voltage", "band"
]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a layer.

    name     : canonical name, with its unit
    type     : how a cell is read; "count" takes "1.234" for 1234, "deadline" takes "2026" for its last day
    vi, en   : its title in each language;  note_vi, note_en: what to write there
    also     : other headers, " | " between, compared without diacritics, case or punctuation; earlier ones win
    required : the column must be there, and no cell of it blank unless there is a default
    low, high: a value beyond is rejected;  doubt_low, doubt_high: a value beyond is kept with a warning
    choices  : value -> words for it, " | " between, the first for drop-downs
    default  : what a blank choice means;  other: what an unknown word means (None: the row is rejected)
    """

    name: str
    type: ColumnType
    vi: str
    en: str
    also: str = ""
    unit: str = ""
    required: bool = False
    low: float | None = None
    high: float | None = None
    doubt_low: float | None = None
    doubt_high: float | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None
    other: str | None = None
    note_vi: str = ""
    note_en: str = ""

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers (NaN where unknown), not text (None where unknown)."""
        return self.type in ("number", "count", "voltage")

    @property
    def headers(self) -> tuple[str, ...]:
        """Headers under which the column is found, the best first."""
        return (self.name, self.vi, *(self.also.split(" | ") if self.also else ()))

    @property
    def values(self) -> str:
        """What a cell may hold: the first word of each choice, or the range with its unit."""
        if self.choices:
            return " · ".join(self.words(choice)[0] for choice in self.choices)
        if self.low is not None and self.high is not None:
            return f"{self.low:.10g} … {self.high:.10g} {self.unit}".strip()
        return self.unit

    def words(self, choice: str) -> tuple[str, ...]:
        """Words that mean a choice, the choice itself last."""
        return (*self.choices[choice].split(" | "), choice)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of layer.

    columns     : without its geometry; the first is the id
    repeated_id : what a second row with the same id is: a "fault", a further "piece" of the same thing (its id is
                  numbered on), or another "sector" of the same site (only an exact copy is a fault)
    """

    name: str
    vi: str
    en: str
    geometry: Geometry
    columns: tuple[Column, ...]
    repeated_id: Literal["fault", "piece", "sector"]

    @property
    def id(self) -> Column:
        return self.columns[0]

    @property
    def coordinates(self) -> tuple[Column, ...]:
        """Columns that give the place in a file without geometry of its own; "wkt", the last, stands for all others."""
        return COORDINATES[self.geometry]


EXAMPLE_ID = "VÍ DỤ / EXAMPLE"  # id of the row that a template shows and a reader skips

# fmt: off
OPERATORS: Mapping[str, str] = {
    "Viettel": "Viettel | Viettel Telecom | Tổng công ty Viễn thông Viettel | Tập đoàn Viettel | VTT",
    "VNPT": "VNPT | VinaPhone | VNPT VinaPhone | VNPT - VinaPhone | VNPT/VinaPhone | Vina | VNP",
    "MobiFone": "MobiFone | Mobi | VMS | VMS MobiFone | Tổng công ty Viễn thông MobiFone",
    "Vietnamobile": "Vietnamobile | Vietnam Mobile | VNM | Hanoi Telecom",
}
BANDS = frozenset((  # TS 36.101 and TS 38.101: those licensed or discussed in ITU Region 3
    "B1", "B3", "B5", "B7", "B8", "B20", "B28", "B38", "B40", "B41",
    "n1", "n3", "n5", "n7", "n8", "n28", "n38", "n40", "n41", "n77", "n78", "n79", "n257", "n258",
))

_UNKNOWN = "không rõ | chưa rõ | unknown"
_ELECTRICITY = {
    "grid": "điện lưới | lưới | lưới điện | lưới điện quốc gia | có | có điện | có điện lưới | true | 1 | yes | x",
    "off-grid": "ngoài lưới | điện mặt trời | mặt trời | máy phát | máy phát điện | thủy điện nhỏ | offgrid | solar",
    "none": "chưa có điện | không | không có điện | không có | chưa | false | 0 | no",
    "unknown": _UNKNOWN,
}
_electricity = Column(
    "electricity", "choice", "Điện", "electricity", choices=_ELECTRICITY, default="unknown",
    also="Nguồn điện | Tình trạng điện | Điện lưới | Có điện lưới | has_grid_power | grid_power | power",
    note_vi="Nguồn điện hiện có; cột đúng/sai kiểu has_grid_power cũng đọc được",
    note_en="present supply; a true/false column such as has_grid_power is read too",
)
_lon = Column(
    "lon", "number", "Kinh độ", "longitude", unit="°", required=True,
    also="Kinh độ WGS84 | longitude | long | lng | point_x | x", note_vi="Độ thập phân, WGS 84, ví dụ 105,6263",
    note_en="decimal degrees, WGS 84, e.g. 105.6263",
)
_lat = Column(
    "lat", "number", "Vĩ độ", "latitude", unit="°", required=True, also="Vĩ độ WGS84 | latitude | point_y | y",
    note_vi="Độ thập phân, WGS 84, ví dụ 21,5675", note_en="decimal degrees, WGS 84, e.g. 21.5675",
)
_wkt = Column(
    "wkt", "text", "WKT", "well-known text", also="geometry | geom | hình học",
    note_vi="Hình học dạng WKT, độ thập phân WGS 84, thay cho các cột toạ độ",
    note_en="geometry as WKT in WGS 84 degrees, instead of coordinate columns",
)

COORDINATES: Mapping[Geometry, tuple[Column, ...]] = {
    "point": (_lon, _lat, _wkt),
    "line": (
        Column("lon0", "number", "Kinh độ đầu", "longitude of the start", unit="°", also="x0 | lon_start"),
        Column("lat0", "number", "Vĩ độ đầu", "latitude of the start", unit="°", also="y0 | lat_start"),
        Column("lon1", "number", "Kinh độ cuối", "longitude of the end", unit="°", also="x1 | lon_end"),
        Column("lat1", "number", "Vĩ độ cuối", "latitude of the end", unit="°", also="y1 | lat_end"),
        _wkt,
    ),
    "polygon": (_wkt,),
}

_hamlets = Kind(
    "hamlets", "Thôn, bản, ấp, tổ dân phố", "Hamlets", "point", repeated_id="fault",
    columns=(
        Column(
            "hamlet_id", "id", "Mã thôn", "hamlet id", required=True,
            also="Mã thôn bản | Mã số thôn | Mã bản | Mã ấp | Mã tổ dân phố | id thôn | hamlet code | id",
            note_vi="Mã riêng của từng thôn, không trùng", note_en="unique for each hamlet",
        ),
        Column(
            "name", "text", "Tên thôn", "name",
            also="Tên thôn bản | Tên thôn/bản | Tên bản | Tên ấp | Tên thôn, bản, tổ dân phố | Thôn/bản | Thôn | "
                 "Bản | Ấp | Buôn | Khu dân cư | Tên | hamlet | hamlet name",
            note_vi="Tên đầy đủ", note_en="full name",
        ),
        Column(
            "commune_code", "code", "Mã xã", "commune code",
            also="Mã xã phường | Mã ĐVHC | Mã đơn vị hành chính | commune id",
            note_vi="Mã 5 chữ số của xã, phường, đặc khu (từ 7/2025)",
            note_en="five digits, communes since July 2025",
        ),
        Column(
            "commune", "text", "Xã", "commune",
            also="Tên xã | Xã/phường | Xã, phường | Xã, phường, đặc khu | Phường | commune name",
            note_vi="Tên xã, phường, đặc khu", note_en="name of the commune",
        ),
        Column(
            "population", "count", "Dân số", "population", unit="người", low=0, high=1_000_000, doubt_low=1,
            doubt_high=20_000,
            also="Số dân | Nhân khẩu | Số nhân khẩu | Số khẩu | Số người | people | pop | inhabitants",
            note_vi="Số người", note_en="people",
        ),
        Column(
            "households", "count", "Số hộ", "households", unit="hộ", low=0, high=200_000, doubt_low=1,
            doubt_high=5_000, also="Số hộ dân | Hộ dân | Hộ | Tổng số hộ | hh", note_vi="Số hộ",
            note_en="households",
        ),
        Column(
            "declared_state", "choice", "Trạng thái", "declared state",
            also="Trạng thái công bố | Tình trạng phủ sóng | Hiện trạng phủ sóng | Tình trạng sóng | Tình trạng | "
                 "Hiện trạng | state",
            choices={
                "trang": "trắng sóng | trắng | thôn trắng sóng | vùng trắng | không có sóng | chưa có sóng | "
                    "chưa phủ sóng",
                "lom": "lõm sóng | lõm | thôn lõm sóng | vùng lõm",
                "served": "có sóng | phủ sóng | đã phủ sóng | đã có sóng | được phủ sóng",
            },
            note_vi="Trạng thái do cơ quan công bố; để trống nếu chưa công bố",
            note_en="as declared by an authority; blank if never",
        ),
        Column(
            "declared_by", "text", "Cơ quan công bố", "declared by",
            also="Đơn vị công bố | Cơ quan báo cáo | Đơn vị báo cáo | Nguồn",
            note_vi="Cơ quan đã công bố trạng thái", note_en="who declared it",
        ),
        Column(
            "declared_document", "text", "Văn bản", "document",
            also="Số văn bản | Công văn | Số hiệu văn bản | document", note_vi="Số, ký hiệu văn bản",
            note_en="number of the document",
        ),
        Column(
            "declared_date", "date", "Ngày công bố", "declared on", also="Ngày văn bản | Ngày báo cáo | Ngày | date",
            note_vi="dd/mm/yyyy", note_en="dd/mm/yyyy or yyyy-mm-dd",
        ),
        Column(
            "assigned_operator", "operator", "Nhà mạng được giao", "assigned operator", choices=OPERATORS,
            also="Doanh nghiệp được giao | Doanh nghiệp phụ trách | Đơn vị được giao | Nhà mạng | Doanh nghiệp | "
                 "operator",
            note_vi="Doanh nghiệp được giao xoá trắng/lõm", note_en="operator told to clear the hamlet",
        ),
        Column(
            "deadline", "deadline", "Thời hạn", "deadline",
            also="Hạn hoàn thành | Thời hạn hoàn thành | Thời gian hoàn thành | due",
            note_vi="dd/mm/yyyy; chỉ ghi tháng hay năm thì lấy ngày cuối",
            note_en="dd/mm/yyyy; a month or year means its last day",
        ),
        _electricity,
    ),
)

_sectors = Kind(
    "sectors", "Trạm, mỗi dòng một sector", "Existing sites, one row a sector", "point", repeated_id="sector",
    columns=(
        Column(
            "site_id", "id", "Mã trạm", "site id", required=True,
            also="Mã vị trí | Mã site | ID trạm | Mã BTS | site | id", note_vi="Các sector cùng vị trí ghi cùng mã",
            note_en="sectors of one place share it",
        ),
        Column(
            "operator", "operator", "Nhà mạng", "operator", required=True, choices=OPERATORS,
            also="Doanh nghiệp | Doanh nghiệp viễn thông | Mạng | network", note_vi="Một nhà mạng mỗi dòng",
            note_en="one operator a row",
        ),
        Column(
            "antenna_height_m", "number", "Chiều cao anten", "antenna height", unit="m", required=True, low=1,
            high=500, doubt_low=3, doubt_high=150,
            also="Chiều cao ăng ten | Độ cao anten | Độ cao ăng ten | Cao độ anten | antenna height | height_m",
            note_vi="Tâm anten trên mặt đất", note_en="antenna centre above ground",
        ),
        Column(
            "azimuth_deg", "number", "Góc phương vị", "azimuth", unit="°", low=0, high=360,
            also="Phương vị | Hướng | Hướng phủ | azimuth | azi",
            note_vi="Từ hướng bắc, theo chiều kim đồng hồ; trống = vô hướng",
            note_en="clockwise from north; blank = omnidirectional",
        ),
        Column(
            "downtilt_deg", "number", "Góc cụp", "downtilt", unit="°", low=-15, high=45, doubt_low=-5, doubt_high=20,
            also="Góc nghiêng | Tilt | downtilt | total tilt", note_vi="Tổng góc cụp cơ và điện, dương là cụp xuống",
            note_en="mechanical plus electrical, positive is down",
        ),
        Column(
            "mechanical_tilt_deg", "number", "Góc cụp cơ", "mechanical tilt", unit="°", low=-15, high=45, doubt_low=-5,
            doubt_high=15, also="Cụp cơ | Góc nghiêng cơ | mechanical downtilt | M-tilt | mtilt",
            note_vi="Phần cụp cơ trong góc cụp; trống = 0", note_en="the part of the downtilt that leans the antenna",
        ),
        Column(
            "antenna", "text", "Loại anten", "antenna",
            also="Anten | Mẫu anten | antenna model | antenna type | pattern",
            note_vi="NAME trong tệp .msi/.pln của kịch bản; trống = công thức 3GPP",
            note_en="NAME in one of the scenario's antenna files; blank = 3GPP formula",
        ),
        Column(
            "technology", "choice", "Công nghệ", "technology", required=True, also="Thế hệ | tech | RAT",
            choices={
                "2G": "2G | GSM | 2",
                "3G": "3G | UMTS | WCDMA | 3",
                "4G": "4G | LTE | E-UTRA | 4",
                "5G": "5G | NR | 5G NR | 5",
            },
            note_vi="Mỗi dòng một công nghệ", note_en="one a row",
        ),
        Column(
            "band", "band", "Băng tần", "band", also="Băng | band name | dải tần",
            note_vi="Tên băng 3GPP: B3, B8, n41, n78; số MHz được chuyển sang tần số",
            note_en="3GPP name; a number of MHz is taken for the frequency",
        ),
        Column(
            "frequency_mhz", "number", "Tần số", "frequency", unit="MHz", low=300, high=60_000, doubt_low=400,
            doubt_high=6_000, also="Tần số đường xuống | frequency | freq | DL frequency",
            note_vi="Tần số giữa đường xuống; trống = theo băng",
            note_en="centre of the downlink; blank = from the band",
        ),
        Column(
            "bandwidth_mhz", "number", "Băng thông", "bandwidth", unit="MHz", low=0.1, high=2_000, doubt_high=400,
            also="Độ rộng băng tần | Độ rộng kênh | bandwidth | bw", note_vi="Độ rộng sóng mang",
            note_en="of the carrier",
        ),
        Column(
            "tx_power_dbm", "number", "Công suất phát", "transmit power", unit="dBm", low=-10, high=80, doubt_low=10,
            doubt_high=60, also="Công suất | tx power | power dbm", note_vi="Tổng các cổng của sóng mang",
            note_en="of the whole carrier, all ports",
        ),
        Column(
            "antenna_gain_dbi", "number", "Tăng ích anten", "antenna gain", unit="dBi", low=-10, high=45,
            doubt_low=0, doubt_high=30, also="Độ lợi anten | Độ tăng ích | gain | gain dbi", note_vi="Cực đại",
            note_en="peak",
        ),
        Column(
            "beamwidth_deg", "number", "Độ rộng búp sóng", "beamwidth", unit="°", low=1, high=360,
            also="Góc mở | Búp sóng | HPBW | beamwidth", note_vi="Nửa công suất, mặt phẳng ngang",
            note_en="half power, horizontal",
        ),
        Column(
            "feeder_loss_db", "number", "Suy hao feeder", "feeder loss", unit="dB", low=0, high=30, doubt_high=8,
            also="Suy hao phi đơ | Suy hao cáp | feeder loss", note_vi="Cáp và đầu nối",
            note_en="cable and connectors",
        ),
        Column(
            "backhaul", "choice", "Truyền dẫn", "backhaul", default="unknown",
            also="Loại truyền dẫn | Đường truyền | transmission",
            choices={
                "fibre": "cáp quang | quang | fiber | cáp",
                "microwave": "viba | vi ba | vi ba số | radio",
                "satellite": "vệ tinh | vsat",
                "unknown": _UNKNOWN,
            },
            note_vi="Không rõ được coi là chưa có quang", note_en="unknown is taken for not lit",
        ),
        _electricity,
    ),
)

_roads = Kind(
    "roads", "Đường giao thông", "Roads", "line", repeated_id="piece",
    columns=(
        Column("road_id", "id", "Mã đường", "road id", also="Tên tuyến | osm_id | id"),
        Column(
            "width_m", "number", "Bề rộng", "width", unit="m", low=0.1, high=5_000, doubt_high=100,
            also="Chiều rộng | Bề rộng mặt đường | width",
        ),
        Column("road_class", "text", "Cấp đường", "road class", also="Loại đường | highway | fclass | class"),
    ),
)

_pops = Kind(
    "pops", "Điểm hiện diện cáp quang", "Fibre points of presence", "point", repeated_id="fault",
    columns=(
        Column("pop_id", "id", "Mã điểm", "point id", also="Mã PoP | Mã nút | pop | id"),
        Column("name", "text", "Tên", "name", also="Tên điểm | Tên nút | Tên PoP"),
    ),
)

_fibre_routes = Kind(
    "fibre_routes", "Tuyến cáp quang", "Fibre routes", "line", repeated_id="piece",
    columns=(
        Column("route_id", "id", "Mã tuyến", "route id", also="Tên tuyến | Tuyến | id"),
        Column(
            "owner", "operator", "Chủ sở hữu", "owner", choices=OPERATORS,
            also="Đơn vị | Doanh nghiệp | Nhà mạng | operator",
        ),
    ),
)

_power_lines = Kind(
    "power_lines", "Đường dây điện", "Power lines", "line", repeated_id="piece",
    columns=(
        Column("line_id", "id", "Mã đường dây", "line id", also="Tên đường dây | Mã lộ | osm_id | cluster | id"),
        Column(
            "voltage_kv", "voltage", "Điện áp", "voltage", unit="kV", low=0.1, high=1_200,
            also="Cấp điện áp | voltage | kv",
            note_vi="Đọc được 22, 110kV, <22kV, 220000; nhiều mạch thì lấy cấp cao nhất",
            note_en="22, 110kV, <22kV, 220000 are read; of several circuits the highest",
        ),
    ),
)

_facilities = Kind(
    "facilities", "Công trình công cộng", "Public facilities", "point", repeated_id="fault",
    columns=(
        Column("facility_id", "id", "Mã công trình", "facility id", also="Mã | osm_id | id"),
        Column("name", "text", "Tên", "name", also="Tên công trình | Tên trường | Tên cơ sở"),
        Column(
            "kind", "choice", "Loại", "kind", required=True, default="other", other="other",
            also="Loại công trình | fclass | type | amenity",
            choices={
                "school": "trường học | trường | điểm trường | trường mầm non | trường tiểu học | mầm non | "
                    "tiểu học | THCS | THPT | kindergarten | college | university",
                "health": "trạm y tế | y tế | bệnh viện | phòng khám | hospital | doctors | clinic | health_post",
                "commune_office": "UBND xã | trụ sở xã | ủy ban nhân dân | UBND | ủy ban nhân dân xã | townhall | "
                    "town_hall",
                "border_gate": "cửa khẩu | đồn biên phòng | biên phòng | border_control",
                "other": "khác",
            },
        ),
    ),
)

_exclusions = Kind(
    "exclusions", "Vùng cấm hoặc hạn chế xây dựng", "Exclusion and penalty polygons", "polygon", repeated_id="fault",
    columns=(
        Column("exclusion_id", "id", "Mã vùng", "polygon id", also="id"),
        Column(
            "kind", "text", "Loại", "kind", also="Loại vùng | Loại rừng | type",
            note_vi="ví dụ rừng đặc dụng, quân sự", note_en="e.g. protected forest",
        ),
        Column(
            "rule", "choice", "Quy định", "rule", default="forbid", also="Quy tắc | Mức",
            choices={
                "forbid": "cấm | cấm xây dựng | không được xây",
                "penalty": "hạn chế | tăng chi phí | phạt",
            },
        ),
        Column(
            "cost_factor", "number", "Hệ số chi phí", "cost factor", low=1, high=1_000, doubt_high=20,
            also="Hệ số | factor", note_vi="Bắt buộc khi quy định là hạn chế",
            note_en="must be given where the rule is penalty",
        ),
    ),
)

_communes = Kind(
    "communes", "Xã, phường, đặc khu", "Communes", "polygon", repeated_id="fault",
    columns=(
        Column(
            "commune_code", "code", "Mã xã", "commune code", required=True,
            also="Mã ĐVHC | Mã đơn vị hành chính | Mã | code | id",
        ),
        Column("commune", "text", "Tên xã", "commune", also="fullName | Tên đầy đủ | Xã | Xã/phường | Tên | name"),
        Column(
            "province", "text", "Tỉnh", "province",
            also="Tên tỉnh | Tỉnh/thành phố | Tỉnh, thành phố | province name",
        ),
    ),
)

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (_hamlets, _sectors, _roads, _pops, _fibre_routes, _power_lines, _facilities, _exclusions, _communes)
}
# fmt: on

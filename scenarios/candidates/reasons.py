"""Why candidates were left out, and what the road map lacked: each reason in Vietnamese and English."""

from __future__ import annotations

REASONS: dict[str, tuple[str, str]] = {
    "site-without-low-signal-hamlet-in-reach": (
        "trạm hiện có không có thôn trắng/lõm sóng trong tầm",
        "existing sites without a low-signal hamlet in reach",
    ),
    "site-outside-the-terrain": ("trạm hiện có nằm ngoài địa hình đã cho", "existing sites outside the given terrain"),
    "sector-already-faces-the-hamlets": (
        "hướng đã có sector phủ, không thêm sector",
        "directions that a sector already faces",
    ),
    "sector-already-aimed": ("sector đã đúng hướng và góc cụp", "sectors that are already well aimed"),
    "omnidirectional-site-cannot-be-re-aimed": (
        "trạm vô hướng, không xoay được",
        "omnidirectional sites, which cannot be re-aimed",
    ),
    "mast-too-high-to-raise": ("cột đã cao, không nâng thêm", "masts already too high to raise"),
    "low-band-already-there": ("trạm đã có băng tần thấp", "sites that already have a low band"),
    "beyond-max-sites": ("vị trí vượt quá candidates.max_sites", "places beyond candidates.max_sites"),
    "hamlet-without-free-ground": (
        "thôn không còn chỗ được phép dựng cột",
        "hamlets without ground on which a tower may stand",
    ),
    "hamlet-tower-beside-a-larger-one": (
        "thôn sát một thôn đông người hơn, dùng chung vị trí",
        "hamlets that share the place of a larger one beside them",
    ),
    "high-ground-far-from-low-signal-hamlets": (
        "điểm cao xa thôn trắng/lõm sóng",
        "high ground far from low-signal hamlets",
    ),
    "high-ground-hardly-above-the-hamlets": (
        "điểm cao không cao hơn thôn bao nhiêu",
        "high ground hardly above the hamlets",
    ),
    "high-ground-forbidden": ("điểm cao trong vùng cấm hoặc ngoài vùng", "high ground in forbidden areas"),
    "high-ground-far-from-a-road": ("điểm cao xa đường", "high ground far from a road"),
    "high-ground-beside-a-better-one": ("điểm cao sát một điểm tốt hơn", "high ground beside a better place"),
    "high-ground-beside-a-hamlet-tower": ("điểm cao sát vị trí ở thôn", "high ground beside a hamlet's place"),
    "hamlet-without-a-donor-for-a-repeater": (
        "thôn không nghe được trạm mẹ cho trạm lặp",
        "hamlets where no repeater hears a donor",
    ),
    "no-road-within-the-limit": ("vị trí quá xa mọi con đường", "places too far from any road"),
    "no-fibre-within-the-limit": (
        "cột vô tuyến không kéo được cáp quang tới",
        "remote radios that no fibre can reach",
    ),
    "no-backhaul-within-the-limit": (
        "vị trí không có truyền dẫn nào tới được",
        "places that no kind of backhaul can reach",
    ),
    "remote-radio-too-far-from-fibre": ("cột vô tuyến từ xa quá xa cáp quang", "remote radios too far from fibre"),
    "small-cell-forbidden": ("thôn nằm trong vùng cấm, không dựng trạm nhỏ", "small cells on forbidden ground"),
    "remote-radio-forbidden": ("thôn nằm trong vùng cấm, không dựng cột", "remote radios on forbidden ground"),
    "road-pieces": ("mảnh đường rời nhau sau khi nối đầu mút", "pieces of road after joining near ends"),
    "trenches": ("đoạn có thể đào cáp", "pieces along which cable can be laid"),
    "trenches-not-offered": (
        "đoạn nằm ngoài các tuyến rẻ nhất giữa các vị trí gần nhau, không xét",
        "of these off the cheapest routes between neighbouring places, and not offered",
    ),
    "road-pieces-linked": ("mảnh đường được nối bằng tuyến suy đoán", "pieces of road tied in by inferred links"),
    "places-linked-off-road": ("vị trí nối vào đường bằng tuyến suy đoán", "places linked to a road by inferred ways"),
}

"""The scenario that `phusong init` writes."""

SCENARIO_TEMPLATE = """\
# Kịch bản Phusong. Mô tả mọi khoá / every key is described by:  phusong schema
# Khoá không viết ra nhận giá trị mặc định / keys left out take their defaults.

[scenario]
name = "Tỉnh của tôi"
seed = 1

[area]
# bounds = [[105.30, 21.40, 105.75, 21.75]]   # tây, nam, đông, bắc / west, south, east, north
cell_m = 90
crs = "auto"                                   # hoặc VN-2000 / or e.g. "EPSG:5897"

[data]
dir = "data"                                   # tương đối với tệp này / relative to this file
synthetic = []                                 # vai trò nào là dữ liệu mô phỏng / roles that are made up

[data.terrain]
files = ["dem.tif"]                            # GeoTIFF, .hgt, thư mục / folders

[data.population]
file = "population.tif"
units = "people_per_km2"                       # hoặc / or "people"

[data.hamlets]
file = "hamlets.xlsx"                          # biểu mẫu / form:  phusong template hamlets
# columns = { hamlet_id = "Mã thôn" }          # cột của ta = cột trong tệp / our column = the file's

[data.sectors]
file = "sites.csv"                             # biểu mẫu / form:  phusong template sites

# [data.roads]
# file = "roads.gpkg"
# [data.pops]
# file = "fibre_pops.gpkg"
# [data.power_lines]
# file = "power_lines.gpkg"
# [data.facilities]
# file = "facilities.gpkg"
# [data.communes]
# file = "communes.gpkg"
# [data.exclusions]
# file = "protected_forest.gpkg"

# antennas = ["antennas/"]                     # tệp .msi, .pln / under [data]: antenna files, named in the site list

[radio]
model = "p1812"                                # xem / see docs: itm, delta-bullington, tr38901-rma ...
confidence = 0.8

[service]
minimum_technology = "4G"
operator = "any"                               # any | assigned | all

[objective]
goal = "max_cleared"
budget_vnd = 50_000_000_000
# goal = "min_cost"
# target_share = 0.95
"""

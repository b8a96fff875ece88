// The map page of one plan. All texts and values come from the JSON in #data; text is only ever set as text.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const { INK, HALO, LOOKS, ROUTES, PICTURES, style, apply } = planLayers(data);

  // what is switched on; the keys are those of the legend
  const shown = {
    coverage: true, hillshade: true, hamlets_served: true, hamlets_lom: true, hamlets_trang: true,
    hamlets_cleared: true, measure_first: true, edge: false, sites_new: true, sites_improved: true,
    sites_existing: true, routes_fibre: true, routes_microwave: true, routes_power: true, routes_road: true, communes: true,
  };
  let language = location.hash === "#en" ? "en" : "vi";
  let view = data.planned ? "after" : "before"; // or "compare"
  let swipeAt = 0.5; // share of the stage that shows the state before
  let opened = null; // {kind, row} of the open pop-up
  let popup = null;
  const maps = {}; // {main, after}: the second exists once compared

  // --- words and numbers ---

  const say = (key) => (data.words[key] ? data.words[key][language === "vi" ? 0 : 1] : String(key));
  const count = (value, digits = 0) =>
    new Intl.NumberFormat(language === "vi" ? "vi-VN" : "en-GB", {
      minimumFractionDigits: digits, maximumFractionDigits: digits,
    }).format(value);

  const { hamlets, sites, communes } = data;

  // --- names on the map: HTML, because a style's glyphs would be requests; the more important name wins a place ---

  const NAMES = [
    ...communes.commune.map((text, row) => ({
      text, lon: communes.lon[row], lat: communes.lat[row], kind: "commune", from: communes.hamlets[row] ? 0 : 11,
      weight: communes.area[row],
    })).sort((a, b) => b.weight - a.weight),
    ...(hamlets.name || []).map((text, row) => ({
      text, lon: hamlets.lon[row], lat: hamlets.lat[row], kind: "hamlet", from: hamlets.look_before[row] === "served" ? 13 : 11.5,
      weight: hamlets.people[row],
    })).sort((a, b) => b.weight - a.weight),
  ].filter((name) => name.text && name.lon !== null);

  function letter(map) {
    for (const marker of map.names || []) marker.remove();
    map.names = [];
    if (!shown.communes || map.getContainer().hidden) return;
    const taken = [], zoom = map.getZoom(), { width, height } = map.getCanvas().getBoundingClientRect();
    for (const name of NAMES) {
      if (zoom < name.from || taken.length >= 70) continue;
      const spot = map.project([name.lon, name.lat]);
      const below = name.kind === "hamlet" ? 17 : 0;
      const room = zoom < 10 ? 10 : 4; // a calm map leaves places empty
      const half = name.text.length * 3.3 + 4 + room, tall = 8 + room / 2;
      const box = [spot.x - half, spot.y + below - tall, spot.x + half, spot.y + below + tall];
      if (box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height) continue;
      if (taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) continue;
      taken.push(box);
      const element = make("div", { class: `place ${name.kind}` }, name.text);
      map.names.push(new maplibregl.Marker({ element, offset: [0, below] }).setLngLat([name.lon, name.lat]).addTo(map));
    }
  }

  // --- pop-ups ---

  const FIELDS = {
    hamlets: [
      ["state_before", "word"], ["state_after", "word"], ["declared_state", "word"], ["people", "count"], ["households", "count"],
      ["rsrp_before_dbm", "level"], ["rsrp_after_dbm", "level"], ["probability_before", "share"],
      ["probability_after", "share"], ["capacity", "word"], ["served_by_option", "text"], ["assigned_operator", "text"],
      ["deadline", "text"], ["electricity_before", "word"], ["electricity_after", "word"], ["measure_first", "mark"], ["edge", "mark"], ["hamlet_id", "text"],
    ],
    sites: [
      ["status", "word"], ["operators", "text"], ["stations", "count"], ["hamlets_cleared", "count"], ["capex_vnd", "count"],
      ["opex_vnd_per_year", "count"], ["lifetime_vnd", "count"], ["power", "word"], ["evn_confirm", "mark"], ["backhaul", "word"], ["site_id", "text"],
    ],
    routes: [["length_km", "level"], ["inferred_km", "level"], ["users", "count"], ["site_id", "text"], ["option_id", "text"]],
    communes: [
      ["hamlets", "count"], ["low_before", "count"], ["low_after", "count"], ["people", "count"],
      ["people_covered_before", "count"], ["people_covered_after", "count"], ["commune_code", "text"],
    ],
  };
  const WRITE = {
    word: say, text: String, count: (value) => count(value), level: (value) => count(value, 1), share: (value) => `${count(100 * value)}%`, mark: () => say("yes"),
  };

  function card(kind, row, moment) {
    const table = data[kind], at = (column) => table[column][row];
    const title = { hamlets: "name", sites: "name", communes: "commune" }[kind];
    const under = { hamlets: "commune", communes: "province" }[kind];
    const list = make("dl");
    for (const [column, form] of FIELDS[kind]) {
      const value = at(column);
      if (value === null || value === "" || (form === "mark" && !value)) continue;
      if (kind === "sites" && column.endsWith("_vnd") && !value) continue;
      list.append(make("dt", {}, say(`col.${column}`)), make("dd", {}, WRITE[form](value)));
    }
    const body = make("div", { class: "card" });
    if (kind === "hamlets") {
      const look = hamlets[`look_${moment}`][row];
      body.append(make("p", { class: `state ${look}` }, say(`map.hamlets_${look}`)));
    }
    body.append(make("h3", {}, title ? at(title) || at(`${kind.slice(0, -1)}_id`) : say(`map.${ROUTES[at("kind")]}`)));
    if (under && at(under)) body.append(make("p", { class: "quiet" }, at(under)));
    body.append(list);
    return body;
  }

  function open(map, kind, row, where) {
    close();
    opened = { map, kind, row, where };
    popup = new maplibregl.Popup({ maxWidth: "300px", focusAfterOpen: false }).setLngLat(where).setDOMContent(card(kind, row, map.moment)).addTo(map);
    popup.on("close", () => choose(-1));
    if (kind === "communes") choose(row);
  }
  function close() {
    if (popup) popup.remove();
    popup = opened = null;
  }
  function choose(commune) {
    for (const map of Object.values(maps)) map.setFilter("communes_chosen", ["==", ["get", "row"], commune]);
  }

  const CLICKED = [
    ["sites", ["sites_new", "sites_improved", "sites_existing"]],
    ["hamlets", LOOKS.map((look) => `hamlets_${look}`)],
    ["routes", Object.values(ROUTES)],
    ["communes", ["communes_fill"]],
  ];
  function hit(map, at) {
    const near = [[at.x - 5, at.y - 5], [at.x + 5, at.y + 5]];
    for (const [kind, layers] of CLICKED) {
      const [feature] = map.queryRenderedFeatures(kind === "communes" ? at : near, { layers });
      if (feature) return { kind, row: feature.properties.row, geometry: feature.geometry };
    }
    return null;
  }

  // --- the maps ---

  function makeMap(container, moment, camera) {
    const map = new maplibregl.Map({
      container, style: style(), attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false,
      renderWorldCopies: false, maxZoom: 15, fadeDuration: 0,
      canvasContextAttributes: { antialias: true, preserveDrawingBuffer: true }, // kept for printing
      locale: { "NavigationControl.ZoomIn": "+", "NavigationControl.ZoomOut": "−", "Popup.Close": "×", "Map.Title": say("map.title") },
      ...camera,
    });
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    for (const [name, image] of Object.entries(PICTURES)) map.addImage(name, image, { pixelRatio: 2 });
    map.moment = moment;
    map.on("load", () => {
      apply(map, map.moment, shown);
      letter(map);
      map.once("idle", () => map.getContainer().setAttribute("data-ready", "yes"));
    });
    map.on("moveend", () => letter(map));
    map.on("resize", () => letter(map));
    map.on("click", (event) => {
      const found = hit(map, event.point);
      if (!found) return close();
      const onPoint = found.geometry.type === "Point";
      open(map, found.kind, found.row, onPoint ? found.geometry.coordinates : event.lngLat);
    });
    map.on("mousemove", (event) => {
      const found = hit(map, event.point);
      map.getCanvas().style.cursor = found && found.kind !== "communes" ? "pointer" : "";
    });
    return map;
  }

  function fit(animate = true) {
    const [west, south, east, north] = data.bounds;
    maps.main.fitBounds([[west, south], [east, north]], { padding: 12, animate });
  }

  // Two maps, one camera: whichever moves, the other follows.
  function couple(first, second) {
    let following = false;
    const follow = (leader, follower) => () => {
      if (following || view !== "compare") return;
      following = true;
      follower.jumpTo({ center: leader.getCenter(), zoom: leader.getZoom() });
      following = false;
    };
    first.on("move", follow(first, second));
    second.on("move", follow(second, first));
  }

  function setView(next) {
    view = next;
    close();
    const comparing = view === "compare";
    for (const button of byId("views").children) button.setAttribute("aria-checked", String(button.dataset.view === view));
    for (const id of ["map-after", "swipe", "side-before", "side-after"]) byId(id).hidden = !comparing;
    if (!maps.main) return;
    maps.main.moment = comparing ? "before" : view;
    if (maps.main.loaded() || maps.main.isStyleLoaded()) apply(maps.main, maps.main.moment, shown);
    if (!comparing) return;
    const camera = { center: maps.main.getCenter(), zoom: maps.main.getZoom() };
    if (!maps.after) {
      maps.after = makeMap("map-after", "after", camera);
      couple(maps.main, maps.after);
    } else {
      maps.after.resize();
      maps.after.jumpTo(camera);
      apply(maps.after, "after", shown);
      letter(maps.after);
    }
    moveSwipe(swipeAt);
  }

  function moveSwipe(share) {
    swipeAt = Math.min(0.98, Math.max(0.02, share));
    const percent = `${(swipeAt * 100).toFixed(2)}%`;
    byId("map-after").style.clipPath = `inset(0 0 0 ${percent})`;
    byId("swipe").style.left = percent;
    byId("swipe").setAttribute("aria-valuenow", String(Math.round(swipeAt * 100)));
  }

  // --- the panel ---

  function swatch(key) {
    const chip = make("i", { class: `chip ${key}` });
    const [group, name] = [key.split("_")[0], key.split("_").slice(1).join("_")];
    if (group === "hamlets") {
      chip.style.background = name === "cleared" ? HALO : data.colour.hamlet[name];
      if (name === "cleared") chip.style.borderColor = data.colour.hamlet.cleared;
    } else if (group === "routes") {
      chip.style.borderTopColor = data.colour.route[Object.keys(ROUTES).find((kind) => ROUTES[kind] === key)];
    } else {
      const name_ = { sites_new: "site-new", sites_improved: "site-improved", sites_existing: "site-existing", measure_first: "measure-first", edge: "edge" }[key];
      if (name_) {
        const canvas = make("canvas", { width: 44, height: 44 });
        canvas.getContext("2d").putImageData(PICTURES[name_], 0, 0);
        chip.append(canvas);
      }
    }
    return chip;
  }

  const SATELLITE = Object.keys(data.satellite || {}).map((name) => `sat_${name}`); // one at a time, instead of signal
  const PLANNED = new Set(["hamlets_cleared", "sites_new", "sites_improved", ...Object.values(ROUTES)]);
  const GROUPS = [
    ["map.coverage", ["coverage", "hillshade"]],
    ...(data.satellite ? [["map.satellite", SATELLITE]] : []),
    ["map.hamlets", ["hamlets_trang", "hamlets_lom", "hamlets_cleared", "hamlets_served", "measure_first", "edge"]],
    ["sheet.sites", ["sites_new", "sites_improved", "sites_existing"]],
    ...(data.planned ? [["sheet.routes", ["routes_fibre", "routes_microwave", "routes_power", "routes_road"]]] : []),
    ["sheet.communes", ["communes"]],
  ];

  function drawLegend() {
    const legend = byId("legend");
    for (const [title, keys] of GROUPS) {
      const group = make("fieldset", {}, make("legend", { "data-word": title }));
      for (const key of keys) {
        if (!data.planned && PLANNED.has(key)) continue;
        const box = make("input", { type: "checkbox", "data-layer": key });
        box.checked = shown[key];
        box.addEventListener("change", () => {
          shown[key] = box.checked;
          if (data.satellite && box.checked && (key === "coverage" || SATELLITE.includes(key))) only(key);
          for (const map of Object.values(maps)) { apply(map, map.moment, shown); letter(map); }
        });
        group.append(make("label", {}, box, swatch(key), make("span", { "data-word": `map.${key}` })));
      }
      if (keys.includes("coverage")) group.append(signalScale());
      if (keys === SATELLITE) group.append(make("div", { id: "satellite-scale" }));
      legend.append(group);
    }
  }

  // Of the signal and the pictures of the sky one is shown at a time, each with its own scale.
  function only(key) {
    for (const other of ["coverage", ...SATELLITE]) {
      if (other === key) continue;
      shown[other] = false;
      byId("legend").querySelector(`[data-layer="${other}"]`).checked = false;
    }
    const scale = data.satellite[key.slice("sat_".length)], list = make("ol", { class: "scale" });
    (scale ? scale.colour : []).forEach((colour, step) => {
      const chip = make("i");
      chip.style.background = colour;
      list.append(make("li", {}, chip, make("span", {}, `≥ ${scale.from[step]}`)));
    });
    byId("satellite-scale").replaceChildren(list);
  }

  function signalScale() {
    const scale = make("ol", { id: "signal" });
    ["", ...data.signal.colour].forEach((colour, step) => {
      const chip = make("i");
      if (colour) chip.style.background = colour;
      const text = step ? make("span", {}, `${step === data.signal.colour.length ? "≥ " : ""}${String(data.signal.from_dbm[step - 1]).replace("-", "−")}`)
        : make("span", { "data-word": "map.no_signal" });
      scale.append(make("li", {}, chip, text));
    });
    return make("div", {}, scale, make("p", { class: "quiet", "data-word": "map.coverage_unit" }));
  }

  function speak() {
    document.documentElement.lang = language;
    for (const element of document.querySelectorAll("[data-word]")) element.textContent = say(element.dataset.word);
    for (const element of document.querySelectorAll("[data-title]")) {
      element.title = say(element.dataset.title);
      element.setAttribute("aria-label", element.title);
    }
    byId("find").placeholder = say(byId("find").dataset.placeholder);
    byId("find").setAttribute("aria-label", byId("find").placeholder);
    const panel = data.panel[language];
    byId("low-before").textContent = panel.low[0];
    byId("gap").textContent = [panel.gap_says, panel.low_says].filter(Boolean).join(" · ");
    if (data.planned) {
      byId("low-after").textContent = panel.low[1];
      byId("cleared").textContent = panel.cleared_says;
      const whole = Math.max(panel.bar.before, 1);
      byId("bar-cleared").style.width = `${(100 * panel.bar.cleared) / whole}%`;
      byId("bar-bound").style.left = `${Math.min(100, (100 * panel.bar.bound) / whole)}%`;
    }
    byId("tiles").replaceChildren(...panel.tiles.map(([value, name, note]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, value), ...(note ? [make("dd", { class: "quiet" }, note)] : []))));
    const titled = (name, body) => (name ? [make("h4", {}, name), body] : [body]);
    byId("blocks").replaceChildren(
      ...panel.blocks.flatMap(([name, rows]) =>
        titled(name, make("dl", {}, ...rows.flatMap(([term, value]) => [make("dt", {}, term), make("dd", {}, value)])))),
      ...panel.lists.flatMap(([name, texts]) => titled(name, make("ul", {}, ...texts.map((text) => make("li", {}, text))))),
    );
    byId("credits").textContent = `Phusong · ${say("map.credits").replace("{version}", data.version)}`;
    if (opened) {
      const { map, kind, row, where } = opened;
      open(map, kind, row, where);
    }
  }

  // --- finding a place by name, without accents or case ---

  const plain = (text) => String(text).normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase();
  const INDEX = [
    ...communes.commune.map((name, row) => ["communes", row, name, communes.province[row]]),
    ...(hamlets.name || []).map((name, row) => ["hamlets", row, name, hamlets.commune[row]]),
    ...sites.site_id.map((id, row) => ["sites", row, id, sites.name[row]]),
  ].map((entry) => [...entry, plain(`${entry[2]} ${entry[3] || ""}`)]);

  function find() {
    const wanted = plain(byId("find").value.trim()).split(/\s+/).filter(Boolean);
    const list = byId("found");
    list.hidden = wanted.length === 0;
    if (list.hidden) return;
    const matches = INDEX.filter((entry) => wanted.every((part) => entry[4].includes(part))).slice(0, 7);
    list.replaceChildren(...matches.map(([kind, row, name, under]) => {
      const button = make("button", { type: "button" }, make("b", {}, name), make("small", {}, under || ""));
      button.addEventListener("click", () => {
        const where = [data[kind].lon[row], data[kind].lat[row]];
        list.hidden = true;
        document.body.classList.remove("unfolded");
        maps.main.jumpTo({ center: where, zoom: Math.max(maps.main.getZoom(), kind === "communes" ? 10.5 : 12) });
        open(maps.main, kind, row, where);
      });
      return make("li", {}, button);
    }));
    if (!matches.length) list.append(make("li", { class: "quiet" }, say("map.find_none")));
  }

  // --- start ---

  byId("name").textContent = data.name;
  byId("label").hidden = byId("label-map").hidden = !data.label;
  for (const element of document.querySelectorAll("#low i, #low b, #bar, #cleared, #views")) element.hidden = !data.planned;
  if (!data.planned) byId("subtitle").dataset.word = "map.title_today";
  drawLegend();
  speak();
  byId("language").addEventListener("click", () => { language = language === "vi" ? "en" : "vi"; speak(); });
  byId("grip").addEventListener("click", () => {
    const wide = document.body.classList.toggle("unfolded");
    byId("grip").setAttribute("aria-expanded", String(wide));
  });
  byId("views").addEventListener("click", (event) => event.target.dataset.view && setView(event.target.dataset.view));
  byId("fit").addEventListener("click", () => fit());
  byId("find").addEventListener("input", find);
  byId("swipe").addEventListener("pointerdown", (event) => {
    byId("swipe").setPointerCapture(event.pointerId);
    const stage = byId("stage").getBoundingClientRect();
    byId("swipe").onpointermove = (move) => moveSwipe((move.clientX - stage.left) / stage.width);
  });
  byId("swipe").addEventListener("pointerup", () => { byId("swipe").onpointermove = null; });
  byId("swipe").addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") moveSwipe(swipeAt - 0.03);
    if (event.key === "ArrowRight") moveSwipe(swipeAt + 0.03);
  });
  // on paper the stage keeps its pixels and is scaled into what A4 leaves beside the figures (735 x 700 CSS pixels)
  let methodWasOpen = false;
  window.addEventListener("beforeprint", () => {
    const { width, height } = byId("stage").getBoundingClientRect();
    const page = document.documentElement.style;
    page.setProperty("--stage-width", `${width}px`);
    page.setProperty("--stage-height", `${height}px`);
    page.setProperty("--stage-scale", String(Math.min(735 / width, 700 / height)));
    methodWasOpen = byId("method").open;
    byId("method").open = true;
  });
  window.addEventListener("afterprint", () => { byId("method").open = methodWasOpen; });

  try {
    const [west, south, east, north] = data.bounds;
    maps.main = makeMap("map-main", view, { bounds: [[west, south], [east, north]], fitBoundsOptions: { padding: 12 } });
    maps.main.addControl(new maplibregl.NavigationControl({ showCompass: false }), "bottom-right");
    maps.main.addControl(new maplibregl.ScaleControl({ maxWidth: 130 }), "bottom-left");
  } catch (fault) {
    byId("no-map").hidden = false;
    console.warn(fault);
  }
  setView(view);
})();

"use strict";
// Sources, layers and symbols of the map page, from the plan's columns.

// An element with attributes and children; text becomes text, never markup.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function planLayers(data) {
  const INK = "#22282d", HALO = "#ffffff";
  const LOOKS = ["served", "lom", "trang", "cleared"];
  const ROUTES = { fibre: "routes_fibre", microwave: "routes_microwave", power: "routes_power", "access-road": "routes_road" };
  const { hamlets, sites, routes, communes } = data;

  const point = (lon, lat, properties) => ({
    type: "Feature", properties, geometry: { type: "Point", coordinates: [lon, lat] },
  });
  const collection = (features) => ({ type: "FeatureCollection", features });
  const rows = (table, build) => collection(table.lon ? table.lon.map((_, row) => build(row)) : []);

  const SOURCES = {
    hamlets: rows(hamlets, (row) =>
      point(hamlets.lon[row], hamlets.lat[row], {
        row, before: hamlets.look_before[row], after: hamlets.look_after[row],
        edge: hamlets.edge[row], measure_first: hamlets.measure_first[row],
      })),
    sites: rows(sites, (row) => point(sites.lon[row], sites.lat[row], { row, status: sites.status[row] })),
    routes: collection(routes.lines.map((lines, row) => ({
      type: "Feature", properties: { row, kind: routes.kind[row] },
      geometry: { type: "MultiLineString", coordinates: lines },
    }))),
    communes: collection(communes.rings.map((rings, row) => ({
      type: "Feature", properties: { row }, geometry: { type: "MultiPolygon", coordinates: nested(rings) },
    }))),
  };

  // Rings arrive flat; an outer ring and a hole are told apart by containment of their first position.
  function nested(rings) {
    const inside = ([x, y], ring) => {
      let odd = false;
      for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
        const [xi, yi] = ring[i], [xj, yj] = ring[j];
        if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
      }
      return odd;
    };
    const holders = rings.map((ring) => rings.filter((other) => other !== ring && inside(ring[0], other)));
    const polygons = new Map(rings.filter((_, i) => holders[i].length % 2 === 0).map((ring) => [ring, [ring]]));
    rings.forEach((ring, i) => {
      if (holders[i].length % 2) polygons.get(holders[i].find((other) => polygons.has(other))).push(ring);
    });
    return [...polygons.values()];
  }

  const grow = (...stops) => ["interpolate", ["linear"], ["zoom"], ...stops];

  function hamletLayer(look) {
    const size = { served: 0.55, lom: 1, trang: 1.08, cleared: 1.12 }[look];
    return {
      id: `hamlets_${look}`, type: "circle", source: "hamlets",
      paint: {
        "circle-radius": grow(7, 2.1 * size, 9, 3.6 * size, 11, 5.8 * size, 14, 10 * size),
        "circle-color": look === "cleared" ? HALO : data.colour.hamlet[look],
        "circle-opacity": look === "served" ? 0.75 : 1,
        "circle-stroke-color": look === "cleared" ? data.colour.hamlet.cleared : HALO,
        "circle-stroke-width": look === "cleared" ? grow(7, 1.4, 10, 2.4, 14, 3.4) : look === "served" ? 0 : grow(7, 0.5, 11, 1.1),
      },
    };
  }

  const icons = (id, source, image, size, filter) => ({
    id, type: "symbol", source, filter,
    layout: {
      "icon-image": image, "icon-size": size, "icon-allow-overlap": true, "icon-ignore-placement": true,
    },
  });

  function routeLayers(kind) {
    const dash = { microwave: [5, 0.9], power: [2.2, 1.4], "access-road": [0.6, 1.1] }[kind];
    const shared = { type: "line", source: "routes", filter: ["==", ["get", "kind"], kind], layout: { "line-join": "round" } };
    return [
      { ...shared, id: `${ROUTES[kind]}_halo`, paint: { "line-color": HALO, "line-width": grow(8, 2.4, 12, 5), "line-opacity": 0.85 } },
      {
        ...shared, id: ROUTES[kind],
        paint: { "line-color": data.colour.route[kind], "line-width": grow(8, 1.2, 12, 2.8), ...(dash && { "line-dasharray": dash }) },
      },
    ];
  }

  // The layers of the satellite step, where the plan has one: [id, part, name] of each picture.
  const satellitePictures = () => data.parts.flatMap((part, number) =>
    Object.keys(part.satellite ? part.satellite.png : {}).map((name) => [`sat_${name}-${number}`, part, name]));

  function style() {
    const sources = {}, layers = [{ id: "paper", type: "background", paint: { "background-color": data.paper } }];
    for (const [name, features] of Object.entries(SOURCES)) sources[name] = { type: "geojson", data: features };
    for (const name of ["relief", "before", "after"]) {
      data.parts.forEach((part, number) => {
        const id = `${name}-${number}`;
        sources[id] = { type: "image", url: part[name], coordinates: part.corners };
        layers.push({
          id, type: "raster", source: id,
          paint: { "raster-fade-duration": 0, "raster-opacity": name === "relief" ? 1 : 0.74 },
        });
      });
    }
    for (const [id, part, name] of satellitePictures()) {
      sources[id] = { type: "image", url: part.satellite.png[name], coordinates: part.satellite.corners };
      layers.push({
        id, type: "raster", source: id, layout: { visibility: "none" },
        paint: { "raster-fade-duration": 0, "raster-opacity": 0.74 },
      });
    }
    layers.push(
      { id: "communes_fill", type: "fill", source: "communes", paint: { "fill-color": INK, "fill-opacity": 0 } },
      { id: "communes", type: "line", source: "communes", paint: { "line-color": INK, "line-width": grow(7, 0.4, 11, 1.1), "line-opacity": 0.42 } },
      { id: "communes_chosen", type: "line", source: "communes", filter: ["==", ["get", "row"], -1], paint: { "line-color": INK, "line-width": 2.6 } },
      ...Object.keys(ROUTES).flatMap(routeLayers),
      hamletLayer("served"),
      icons("sites_existing", "sites", "site-existing", grow(7, 0.5, 10, 0.8, 13, 1.2), ["==", ["get", "status"], "existing"]),
      icons("measure_first", "hamlets", "measure-first", grow(8, 0.45, 10, 0.85, 13, 1.35), ["get", "measure_first"]),
      icons("edge", "hamlets", "edge", grow(8, 0.4, 10, 0.75, 13, 1.3), ["get", "edge"]),
      ...["lom", "trang", "cleared"].map(hamletLayer),
      ...["improved", "new"].map((status) =>
        icons(`sites_${status}`, "sites", `site-${status}`, grow(7, 0.55, 10, 0.9, 13, 1.35), ["==", ["get", "status"], status])),
    );
    return { version: 8, sources, layers };
  }

  // Small pictures for symbols, drawn here because a style's sprite would be a request.
  function picture(draw) {
    const canvas = make("canvas", { width: 44, height: 44 });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.translate(22, 22);
    pen.lineJoin = "round";
    draw(pen);
    return pen.getImageData(0, 0, 44, 44);
  }
  const triangle = (size, fill, stroke, width) => (pen) => {
    pen.beginPath();
    pen.moveTo(0, -size);
    pen.lineTo(size, size * 0.78);
    pen.lineTo(-size, size * 0.78);
    pen.closePath();
    pen.fillStyle = fill; pen.strokeStyle = stroke; pen.lineWidth = width;
    pen.fill(); pen.stroke();
  };
  const PICTURES = {
    "site-existing": picture(triangle(9, data.colour.site.existing, HALO, 2)),
    "site-improved": picture(triangle(14, data.colour.site.improved, INK, 3.4)),
    "site-new": picture(triangle(15, data.colour.site.new, INK, 3.4)),
    "measure-first": picture((pen) => {
      pen.lineWidth = 5; pen.strokeStyle = HALO; pen.strokeRect(-19, -19, 38, 38);
      pen.lineWidth = 2.5; pen.strokeStyle = INK; pen.strokeRect(-19, -19, 38, 38);
    }),
    edge: picture((pen) => {
      pen.beginPath(); pen.arc(0, 0, 18, 0, 7); pen.setLineDash([7, 5]);
      pen.lineWidth = 3; pen.strokeStyle = INK; pen.stroke();
    }),
  };

  // Show on a map what its moment ("before" or "after") and the legend's switches ask for.
  function apply(map, moment, shown) {
    const set = (id, visible) => map.setLayoutProperty(id, "visibility", visible ? "visible" : "none");
    data.parts.forEach((_, number) => {
      set(`relief-${number}`, shown.hillshade);
      for (const name of ["before", "after"]) set(`${name}-${number}`, shown.coverage && name === moment);
    });
    for (const [id, , name] of satellitePictures()) set(id, Boolean(shown[`sat_${name}`]));
    for (const look of LOOKS) {
      set(`hamlets_${look}`, shown[`hamlets_${look}`]);
      map.setFilter(`hamlets_${look}`, ["==", ["get", moment], look]);
    }
    const planned = moment === "after";
    for (const key of Object.values(ROUTES)) {
      set(key, planned && shown[key]);
      set(`${key}_halo`, planned && shown[key]);
    }
    set("sites_new", planned && shown.sites_new);
    set("sites_improved", planned && shown.sites_improved);
    set("sites_existing", shown.sites_existing);
    map.setFilter("sites_existing", planned ? ["==", ["get", "status"], "existing"] : ["!=", ["get", "status"], "new"]);
    for (const id of ["communes", "communes_fill", "communes_chosen"]) set(id, shown.communes);
    set("measure_first", shown.measure_first);
    set("edge", shown.edge);
  }

  return { INK, HALO, LOOKS, ROUTES, PICTURES, style, apply };
}


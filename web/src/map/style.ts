/** The map's ground: the region's own roads, drawn quietly so that the day stands out. */

import type { LayerSpecification, LineLayerSpecification, StyleSpecification } from "maplibre-gl";

export const ROADS_URL = "/v1/roads.geojson";
export const GROUND = "#0e131a";
export const FONT = ["system-ui", "sans-serif"];

interface RoadLook {
  id: string;
  classes: string[];
  colour: string;
  widths: [zoom: number, px: number][];
  from: number;
}

const ROADS: RoadLook[] = [
  {
    id: "roads-minor",
    classes: ["minor"],
    colour: "#202b38",
    widths: [[11, 0.3], [13, 0.9], [15, 2.6], [18, 14]],
    from: 11,
  },
  {
    id: "roads-middle",
    classes: ["middle"],
    colour: "#2b3a4a",
    widths: [[9, 0.4], [12, 1.1], [15, 4], [18, 18]],
    from: 9,
  },
  {
    id: "roads-major",
    classes: ["major"],
    colour: "#394b60",
    widths: [[7, 0.6], [12, 1.9], [15, 5.5], [18, 22]],
    from: 5,
  },
];

function roadLayer(look: RoadLook): LineLayerSpecification {
  return {
    id: look.id,
    type: "line",
    source: "roads",
    minzoom: look.from,
    filter: ["in", ["get", "class"], ["literal", look.classes]],
    layout: { "line-cap": "round", "line-join": "round" },
    paint: {
      "line-color": look.colour,
      "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], ...look.widths.flat()],
    },
  };
}

const names: LayerSpecification = {
  id: "road-names",
  type: "symbol",
  source: "roads",
  minzoom: 14,
  filter: ["has", "name"],
  layout: {
    "symbol-placement": "line",
    "symbol-spacing": 320,
    "text-field": ["get", "name"],
    "text-font": FONT,
    "text-size": ["interpolate", ["linear"], ["zoom"], 14, 10, 17, 13],
  },
  paint: {
    "text-color": "#8595a8",
    "text-halo-color": GROUND,
    "text-halo-width": 1.4,
  },
};

export function groundStyle(): StyleSpecification {
  return {
    version: 8,
    sources: {
      roads: { type: "geojson", data: ROADS_URL, tolerance: 0.3, maxzoom: 14 },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": GROUND } },
      ...ROADS.map(roadLayer),
      names,
    ],
  };
}

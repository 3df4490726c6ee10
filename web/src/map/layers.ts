/** What lies on the ground: containers, tours, stops, places and trucks. */

import type {
  ExpressionSpecification,
  FilterSpecification,
  GeoJSONSource,
  LayerSpecification,
  Map as MapLibre,
} from "maplibre-gl";
import { EMPTIED, STEPS, UNKNOWN } from "../risk";
import { FONT, GROUND } from "./style";

const EMPTY = { type: "FeatureCollection" as const, features: [] };
const SOURCES = ["sites", "tours", "stops", "places", "trucks"] as const;
export type SourceName = (typeof SOURCES)[number];

const byRisk = (unknown: string | number, pick: "colour" | "radius") =>
  [
    "case",
    ["==", ["get", "risk"], null],
    unknown,
    [
      "step",
      ["to-number", ["get", "risk"]],
      STEPS[0]![pick],
      ...STEPS.slice(1).flatMap((step) => [step.from, step[pick]]),
    ],
  ] as unknown as ExpressionSpecification;

const grow = (at: ExpressionSpecification) =>
  [
    "interpolate",
    ["linear"],
    ["zoom"],
    10,
    ["*", 0.55, at],
    13,
    at,
    17,
    ["*", 2, at],
  ] as unknown as ExpressionSpecification;

const faded = (full: number, faint: number) =>
  ["case", ["==", ["get", "faint"], true], faint, full] as unknown as ExpressionSpecification;

const width = (scale: number) =>
  [
    "interpolate",
    ["linear"],
    ["zoom"],
    10,
    1.6 * scale,
    13,
    2.8 * scale,
    17,
    7 * scale,
  ] as unknown as ExpressionSpecification;

const round = { "line-cap": "round", "line-join": "round" } as const;

const LAYERS: LayerSpecification[] = [
  {
    id: "tour-casing",
    type: "line",
    source: "tours",
    layout: round,
    filter: ["!", ["get", "driven"]],
    paint: { "line-color": GROUND, "line-width": width(2), "line-opacity": faded(0.9, 0) },
  },
  {
    id: "tours",
    type: "line",
    source: "tours",
    layout: {
      ...round,
      "line-sort-key": ["case", ["get", "faint"], 0, ["get", "driven"], 1, 2],
    },
    paint: {
      "line-color": ["get", "colour"],
      "line-width": width(1),
      "line-opacity": ["case", ["get", "driven"], faded(0.3, 0.1), faded(0.9, 0.16)],
    },
  },
  {
    id: "sites",
    type: "circle",
    source: "sites",
    layout: { "circle-sort-key": ["coalesce", ["get", "risk"], -1] },
    paint: {
      "circle-color": [
        "case",
        ["get", "emptied"],
        EMPTIED.fill,
        byRisk(UNKNOWN, "colour"),
      ],
      "circle-radius": grow(byRisk(3.2, "radius")),
      "circle-opacity": faded(1, 0.3),
      "circle-stroke-opacity": faded(1, 0.3),
      "circle-stroke-width": ["case", ["get", "over"], 1.8, ["get", "emptied"], 1.4, 1],
      "circle-stroke-color": [
        "case",
        ["get", "over"],
        "#ffffff",
        ["get", "emptied"],
        EMPTIED.edge,
        GROUND,
      ],
    },
  },
  {
    id: "site-selected",
    type: "circle",
    source: "sites",
    filter: ["==", ["get", "selected"], true] as FilterSpecification,
    paint: {
      "circle-color": "transparent",
      "circle-radius": grow(["literal", 12] as unknown as ExpressionSpecification),
      "circle-stroke-width": 2,
      "circle-stroke-color": "#6fd3c7",
    },
  },
  {
    id: "stop-discs",
    type: "circle",
    source: "stops",
    paint: {
      "circle-color": ["case", ["==", ["get", "state"], "open"], GROUND, ["get", "colour"]],
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 11, 6, 14, 10, 17, 13],
      "circle-stroke-color": ["get", "colour"],
      "circle-stroke-width": 1.8,
    },
  },
  {
    id: "stop-numbers",
    type: "symbol",
    source: "stops",
    minzoom: 11.5,
    layout: {
      "text-field": ["to-string", ["get", "number"]],
      "text-font": FONT,
      "text-size": ["interpolate", ["linear"], ["zoom"], 11, 8, 14, 11, 17, 14],
      "text-allow-overlap": true,
      "text-ignore-placement": true,
    },
    paint: {
      "text-color": ["case", ["==", ["get", "state"], "open"], "#f2f5f9", GROUND],
    },
  },
  {
    id: "places",
    type: "symbol",
    source: "places",
    layout: {
      "icon-image": ["get", "kind"],
      "icon-allow-overlap": true,
      "icon-size": ["interpolate", ["linear"], ["zoom"], 9, 0.6, 13, 0.9, 17, 1.2],
      "text-field": ["step", ["zoom"], "", 12, ["get", "name"]],
      "text-font": FONT,
      "text-size": 12,
      "text-anchor": "top",
      "text-offset": [0, 1.2],
      "text-optional": true,
      "text-max-width": 9,
    },
    paint: { "text-color": "#dfe6ee", "text-halo-color": GROUND, "text-halo-width": 1.6 },
  },
  {
    id: "trucks",
    type: "symbol",
    source: "trucks",
    layout: {
      "icon-image": ["get", "icon"],
      "icon-rotate": ["get", "bearing"],
      "icon-rotation-alignment": "map",
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
      "icon-size": ["interpolate", ["linear"], ["zoom"], 9, 0.62, 13, 0.95, 17, 1.3],
      "text-field": ["step", ["zoom"], "", 12.5, ["get", "name"]],
      "text-font": FONT,
      "text-size": 12,
      "text-anchor": "left",
      "text-offset": [1.5, 0],
      "text-optional": true,
    },
    paint: {
      "icon-opacity": faded(1, 0.35),
      "text-opacity": faded(1, 0.35),
      "text-color": "#f6f8fb",
      "text-halo-color": GROUND,
      "text-halo-width": 1.8,
    },
  },
];

export function addLayers(map: MapLibre) {
  for (const source of SOURCES) map.addSource(source, { type: "geojson", data: EMPTY });
  for (const layer of LAYERS) map.addLayer(layer);
}

export function setData(map: MapLibre, source: SourceName, features: GeoJSON.Feature[]) {
  (map.getSource(source) as GeoJSONSource | undefined)?.setData({ ...EMPTY, features });
}

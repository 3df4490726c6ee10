/** Turns the day's state into what the map draws. */

import type { LonLat, Region } from "../api";
import type { SiteState, TourState } from "../day.svelte";

type Properties = Record<string, unknown>;

const point = (at: LonLat, properties: Properties, id?: string): GeoJSON.Feature => ({
  type: "Feature",
  ...(id ? { id } : {}),
  geometry: { type: "Point", coordinates: at },
  properties,
});

export function siteFeatures(
  sites: Iterable<SiteState>,
  shown: (site: SiteState) => boolean,
  selected: string | null,
): GeoJSON.Feature[] {
  return Array.from(sites, (site) =>
    point(site.point, {
      site: site.id,
      risk: site.risk,
      over: (site.fill ?? 0) >= 1,
      emptied: site.emptied,
      faint: !shown(site),
      selected: site.id === selected,
    }),
  );
}

/** The ways of tours: what is driven recedes, and so do the others of a selected one. */
export function tourFeatures(
  tours: TourState[],
  selected: string | null,
  split: (vehicle: string, way: LonLat[]) => [driven: LonLat[], ahead: LonLat[]],
): GeoJSON.Feature[] {
  return tours.flatMap((tour) => {
    const [driven, ahead] = split(tour.summary.vehicle, wayOf(tour));
    const faint = selected !== null && selected !== tour.summary.id;
    return [way(tour, driven, faint, true), way(tour, ahead, faint, false)].filter(
      (feature) => feature.geometry.coordinates.length > 1,
    );
  });
}

const way = (tour: TourState, coordinates: LonLat[], faint: boolean, driven: boolean) => ({
  type: "Feature" as const,
  geometry: { type: "LineString" as const, coordinates },
  properties: { tour: tour.summary.id, colour: tour.colour, faint, driven },
});

/** The points along which a tour drives. */
export function wayOf(tour: TourState): LonLat[] {
  const line = tour.layer.features.find((feature) => feature.geometry?.type === "LineString");
  return (line?.geometry?.coordinates as LonLat[] | undefined) ?? [];
}

export function stopFeatures(tour: TourState | null): GeoJSON.Feature[] {
  if (!tour) return [];
  return tour.detail.stop_list
    .filter((stop) => stop.kind === "visit" && stop.lon !== null && stop.lat !== null)
    .map((stop) =>
      point([stop.lon!, stop.lat!], {
        site: stop.id,
        number: stop.number,
        state: stop.state,
        colour: tour.colour,
      }),
    );
}

export function placeFeatures(region: Region): GeoJSON.Feature[] {
  return [
    ...region.facilities.map(({ name, lon, lat }) => point([lon, lat], { kind: "facility", name })),
    ...region.depots.map(({ name, lon, lat }) => point([lon, lat], { kind: "depot", name })),
  ];
}

export function boundsOf(points: LonLat[]): [number, number, number, number] | null {
  if (points.length === 0) return null;
  const lons = points.map(([lon]) => lon);
  const lats = points.map(([, lat]) => lat);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

/** Today as the dispatcher sees it: one state that map, list and legend share. */

import * as api from "./api";
import type { Container, LonLat, Plan, Region, Tour, TourLayer, TourSummary } from "./api";
import { words } from "./language.svelte";
import { follow, type Connection, type PositionFeature } from "./live";
import { tourColour } from "./palette";
import { WORRYING, fillOf, isEmptied, riskOf } from "./risk";

export type Selection = { tour: string } | { site: string } | null;

/** All containers at one place. */
export interface SiteState {
  id: string;
  name: string;
  point: LonLat;
  containers: Container[];
  risk: number | null;
  fill: number | null;
  emptied: boolean;
}

/** A tour with its stops, its way and its colour. */
export interface TourState {
  summary: TourSummary;
  detail: Tour;
  layer: TourLayer;
  colour: string;
}

const PATIENCE_MS = 10_000;

const highest = (values: (number | null)[]) =>
  values.reduce<number | null>((best, value) => {
    if (value === null) return best;
    return best === null ? value : Math.max(best, value);
  }, null);

class Day {
  status = $state<"loading" | "ready" | "failed">("loading");
  connection = $state<Connection>("connecting");
  region = $state.raw<Region | null>(null);
  containers = $state.raw<ReadonlyMap<string, Container>>(new Map());
  plans = $state.raw<Plan[]>([]);
  tours = $state.raw<TourState[]>([]);
  positions = $state.raw<PositionFeature[]>([]);
  names = $state.raw<ReadonlyMap<string, string>>(new Map());
  selection = $state.raw<Selection>(null);
  speed = $state(1);
  simulated = $state(false);
  now = $state.raw(new Date());
  midnight = $state.raw(new Date(0));

  #clock = { server: Date.now(), local: performance.now() };
  #stops: (() => void)[] = [];
  #reloading: ReturnType<typeof setTimeout> | undefined;
  #day = "";

  sites = $derived.by(() => {
    const sites = new Map<string, SiteState>();
    for (const container of this.containers.values()) {
      const site = sites.get(container.site);
      if (site) site.containers.push(container);
      else
        sites.set(container.site, {
          id: container.site,
          name: container.site_name,
          point: [container.lon, container.lat],
          containers: [container],
          risk: null,
          fill: null,
          emptied: false,
        });
    }
    for (const site of sites.values()) {
      site.risk = highest(site.containers.map(riskOf));
      site.fill = highest(site.containers.map(fillOf));
      site.emptied =
        (site.risk ?? 0) < WORRYING &&
        site.containers.some((container) => isEmptied(container, this.midnight));
    }
    return sites;
  });

  /** The tour that empties each site. */
  tourOfSite = $derived.by(() => {
    const found = new Map<string, TourState>();
    for (const tour of this.tours)
      for (const stop of tour.detail.stop_list) if (stop.kind === "visit") found.set(stop.id, tour);
    return found;
  });

  tourOfVehicle = $derived(new Map(this.tours.map((tour) => [tour.summary.vehicle, tour])));

  selectedTour = $derived.by(() => {
    const selection = this.selection;
    if (!selection || !("tour" in selection)) return null;
    return this.tours.find((tour) => tour.summary.id === selection.tour) ?? null;
  });

  selectedSite = $derived.by(() => {
    const selection = this.selection;
    return selection && "site" in selection ? (this.sites.get(selection.site) ?? null) : null;
  });

  /** A vehicle's name without what its type adds behind a comma. */
  vehicleName = (id: string) => (this.names.get(id) ?? id).split(",")[0]!;

  async start() {
    this.status = "loading";
    try {
      await this.#follow(); // first, so that nothing is missed between loading and listening
      await this.#load();
      this.status = "ready";
    } catch {
      this.stop();
      this.status = "failed";
    }
  }

  stop() {
    for (const stop of this.#stops.splice(0)) stop();
  }

  select(selection: Selection) {
    this.selection = selection;
  }

  toggleTour(id: string) {
    const selected = this.selection && "tour" in this.selection && this.selection.tour === id;
    this.select(selected ? null : { tour: id });
  }

  async #load() {
    const [region, clock] = await Promise.all([api.fetchRegion(), api.fetchClock()]);
    this.region = region;
    words.zone = region.zone;
    this.#setClock(clock);
    const [containers, vehicles] = await Promise.all([api.fetchContainers(), api.fetchVehicles()]);
    this.containers = new Map(containers.map((container) => [container.id, container]));
    this.names = new Map(vehicles.map((vehicle) => [vehicle.id, vehicle.name]));
    this.positions = vehicles.flatMap(({ id, position }) =>
      position
        ? [
            {
              id,
              geometry: { coordinates: [position.lon, position.lat] as LonLat },
              properties: {
                time: position.time,
                speed_mps: position.speed_mps ?? null,
                heading_deg: position.heading_deg ?? null,
              },
            },
          ]
        : [],
    );
    await this.loadPlans();
  }

  /** Load the plans of the clock's day: for each service the published one, else the newest. */
  async loadPlans() {
    this.#day = this.#today();
    this.midnight = words.midnight(this.now);
    const found = await api.fetchPlans(this.#day);
    const best = new Map<string, api.PlanSummary>();
    for (const plan of found) {
      if (plan.state === "superseded") continue;
      const key = `${plan.service}/${plan.depot}`;
      const rival = best.get(key);
      const better =
        !rival ||
        (plan.state === "published" && rival.state !== "published") ||
        (plan.state === rival.state && plan.created_at > rival.created_at);
      if (better) best.set(key, plan);
    }
    const ids = [...best.values()].map((plan) => plan.id).sort();
    this.plans = await Promise.all(ids.map(api.fetchPlan));
    const summaries = this.plans.flatMap((plan) => plan.tour_list);
    this.tours = await Promise.all(
      summaries.map(async (summary, index) => {
        const [detail, layer] = await Promise.all([
          api.fetchTour(summary.id),
          api.fetchTourLayer(summary.id),
        ]);
        return { summary: detail, detail, layer, colour: tourColour(index) };
      }),
    );
  }

  /** Open the stream of changes; resolves when it speaks. */
  #follow(): Promise<void> {
    this.stop();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const patience = setTimeout(reject, PATIENCE_MS);
    const ticking = setInterval(() => this.#tick(), 250);
    const close = follow(
      {
        clock: (clock) => {
          this.#setClock(clock);
          resolve();
        },
        positions: (layer) => (this.positions = layer.features),
        containers: ({ items }) => this.#update(items),
        plan: () => this.#reloadSoon(),
        tour: (summary) => void this.#updateTour(summary),
        reset: () => void this.#load().catch(() => undefined),
      },
      (state) => (this.connection = state),
    );
    this.#stops.push(
      close,
      () => clearInterval(ticking),
      () => clearTimeout(this.#reloading),
      () => clearTimeout(patience),
    );
    return promise;
  }

  #setClock(clock: api.Clock) {
    this.#clock = { server: Date.parse(clock.now), local: performance.now() };
    this.speed = clock.speed;
    this.simulated = clock.simulated;
    this.#tick();
  }

  #tick() {
    const elapsed = performance.now() - this.#clock.local;
    this.now = new Date(this.#clock.server + elapsed * this.speed);
    if (this.#day && this.#today() !== this.#day) this.#reloadSoon();
  }

  #today() {
    const parts = new Intl.DateTimeFormat("en-CA", { timeZone: words.zone, dateStyle: "short" });
    return parts.format(this.now);
  }

  #reloadSoon() {
    this.#day = this.#today();
    clearTimeout(this.#reloading);
    this.#reloading = setTimeout(() => void this.loadPlans().catch(() => undefined), 200);
  }

  #update(items: Container[]) {
    const containers = new Map(this.containers);
    for (const container of items) containers.set(container.id, container);
    this.containers = containers;
  }

  async #updateTour(summary: TourSummary) {
    const known = this.tours.find((tour) => tour.summary.id === summary.id);
    if (!known || known.summary.revision !== summary.revision) return this.#reloadSoon();
    const moved =
      known.summary.progress.stops_done !== summary.progress.stops_done ||
      known.summary.progress.stops_failed !== summary.progress.stops_failed;
    const detail = moved
      ? await api.fetchTour(summary.id).catch(() => known.detail)
      : known.detail;
    this.tours = this.tours.map((tour) =>
      tour.summary.id === summary.id ? { ...tour, summary, detail } : tour,
    );
  }
}

export const day = new Day();

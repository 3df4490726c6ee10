/** The server's resources, typed by its own OpenAPI description. */

import type { components } from "./openapi";

type Schemas = components["schemas"];
export type Region = Schemas["Region"];
export type Clock = Schemas["Clock"];
export type Container = Schemas["Container"];
export type Vehicle = Schemas["Vehicle"];
export type Position = Schemas["Position"];
export type PlanSummary = Schemas["PlanSummary"];
export type Plan = Schemas["Plan"];
export type TourSummary = Schemas["TourSummary"];
export type Tour = Schemas["Tour"];
export type Stop = Schemas["Stop"];
export type Unserved = Schemas["Unserved"];
export type Progress = Schemas["Progress"];
export type Job = Schemas["Job"];
export type Explanation = Schemas["Explanation"];

export type LonLat = [number, number];

export interface ContainerLayer {
  features: { properties: Container }[];
}

export interface TourFeature {
  type: "Feature";
  id?: string;
  geometry: { type: string; coordinates: unknown } | null;
  properties: Record<string, unknown>;
}

export interface TourLayer {
  features: TourFeature[];
}

/** What the server says when something is wrong (RFC 9457). */
export class ProblemError extends Error {
  constructor(
    readonly status: number,
    title: string,
    readonly detail: string | undefined,
  ) {
    super(title);
  }
}

const GEOJSON = "application/geo+json";

async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(path, init);
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new ProblemError(response.status, problem.title ?? response.statusText, problem.detail);
  }
  return (await response.json()) as T;
}

const get = <T>(path: string, accept = "application/json") =>
  call<T>(path, { headers: { Accept: accept } });

export const fetchRegion = () => get<Region>("/v1/region");
export const fetchClock = () => get<Clock>("/v1/clock");
export const fetchContainers = async () =>
  (await get<ContainerLayer>("/v1/containers", GEOJSON)).features.map((f) => f.properties);
export const fetchVehicles = async () =>
  (await get<{ items: Vehicle[] }>("/v1/vehicles?limit=200")).items;
export const fetchPlans = async (day: string) =>
  (await get<{ items: PlanSummary[] }>(`/v1/plans?day=${day}&limit=200`)).items;
export const fetchPlan = (id: string) => get<Plan>(`/v1/plans/${id}`);
export const fetchSiteExplanation = (plan: string, site: string) =>
  get<Explanation>(`/v1/plans/${plan}/explanation?site=${site}`);
export const fetchTourExplanation = (plan: string, vehicle: string) =>
  get<Explanation>(`/v1/plans/${plan}/explanation?vehicle=${vehicle}`);
export const fetchTour = (id: string) => get<Tour>(`/v1/tours/${id}`);
export const fetchTourLayer = (id: string) => get<TourLayer>(`/v1/tours/${id}`, GEOJSON);
export const fetchJob = (id: number) => get<Job>(`/v1/jobs/${id}`);

export const publishPlan = (id: string) =>
  call<Plan>(`/v1/plans/${id}/publish`, { method: "POST" });

export const orderPlan = (day: string, service: string) =>
  call<Job>("/v1/plans", {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify({ day, service }),
  });

/**
 * The colours of risk: dark and blue to bright and yellow. Lightness rises with every step, so
 * the order survives any colour blindness and a print in grey.
 */

import type { Container } from "./api";

export interface Step {
  from: number;
  colour: string;
  radius: number;
}

export const STEPS: readonly Step[] = [
  { from: 0, colour: "#465b80", radius: 3.6 },
  { from: 0.05, colour: "#7c7f99", radius: 4.2 },
  { from: 0.2, colour: "#b7957a", radius: 5 },
  { from: 0.5, colour: "#efb14b", radius: 6.2 },
  { from: 0.8, colour: "#fff1a1", radius: 7.4 },
];

export const UNKNOWN = "#2b3646";
export const EMPTIED = { fill: "#173b3a", edge: "#6fd3c7" };
export const WORRYING = STEPS[2]!.from;

export const riskOf = (container: Container): number | null =>
  container.belief?.overflow_risk ?? null;

/** Whether it was emptied after everything else that is known about it. */
function isEmptiedLast({ emptied_at, reading, belief }: Container): boolean {
  return !!emptied_at && !belief && (!reading || reading.time < emptied_at);
}

/** Whether it was emptied today and is calm since. */
export function isEmptied(container: Container, midnight: Date): boolean {
  const { emptied_at } = container;
  if (!emptied_at || new Date(emptied_at) < midnight) return false;
  return (riskOf(container) ?? 0) < WORRYING;
}

/** The fill level by the newest of what was measured, computed and done. */
export function fillOf(container: Container): number | null {
  const { reading, belief } = container;
  if (isEmptiedLast(container)) return 0;
  if (reading && (!belief || reading.time > belief.computed_at)) return reading.fill;
  return belief?.fill ?? null;
}

export function stepOf(risk: number | null): Step | null {
  if (risk === null) return null;
  return STEPS.findLast((step) => risk >= step.from) ?? STEPS[0]!;
}

export const colourOf = (risk: number | null) => stepOf(risk)?.colour ?? UNKNOWN;

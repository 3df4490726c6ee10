/** A tour's way as a ruler: where a truck is along it, and which point lies so far along. */

import type { LonLat } from "../api";

const METRES_PER_DEGREE = 111_195;

export interface Spot {
  point: LonLat;
  bearing: number;
}

export class Track {
  readonly #points: LonLat[];
  readonly #metres: number[] = [0];
  readonly #shrink: number; // a degree of longitude is shorter than one of latitude

  constructor(points: LonLat[]) {
    this.#points = points;
    this.#shrink = Math.cos(((points[0]?.[1] ?? 0) * Math.PI) / 180);
    for (let i = 1; i < points.length; i++) {
      this.#metres.push(this.#metres[i - 1]! + this.distance(points[i - 1]!, points[i]!));
    }
  }

  get length() {
    return this.#metres.at(-1)!;
  }

  distance(a: LonLat, b: LonLat) {
    const east = (b[0] - a[0]) * this.#shrink * METRES_PER_DEGREE;
    const north = (b[1] - a[1]) * METRES_PER_DEGREE;
    return Math.hypot(east, north);
  }

  /**
   * How far along the way a point lies, or null when it is off the way.
   *
   * A tour passes many streets twice, so of several places equally near the one that follows
   * `from` most closely is taken.
   */
  locate(point: LonLat, from: number | null, reach = 40): number | null {
    let best: number | null = null;
    let bestScore = Infinity;
    for (let i = 1; i < this.#points.length; i++) {
      const start = this.#metres[i - 1]!;
      if (from !== null && (this.#metres[i]! < from - 150 || start > from + 6000)) continue;
      const [share, offset] = this.#project(point, this.#points[i - 1]!, this.#points[i]!);
      if (offset > reach) continue;
      const along = start + share * (this.#metres[i]! - start);
      const score = offset + (from === null ? 0 : 0.02 * Math.abs(along - from));
      if (score < bestScore) [best, bestScore] = [along, score];
    }
    return best;
  }

  at(along: number): Spot {
    const target = Math.min(Math.max(along, 0), this.length);
    let low = 1;
    let high = this.#metres.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#metres[middle]! < target) low = middle + 1;
      else high = middle;
    }
    const a = this.#points[low - 1]!;
    const b = this.#points[low] ?? a;
    const span = this.#metres[low]! - this.#metres[low - 1]!;
    const share = span > 0 ? (target - this.#metres[low - 1]!) / span : 0;
    return {
      point: [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])],
      bearing: this.bearing(a, b),
    };
  }

  /** The way up to a place and the way from there on. */
  split(along: number): [before: LonLat[], after: LonLat[]] {
    const { point } = this.at(along);
    const next = this.#metres.findIndex((metres) => metres > along);
    if (next < 0) return [this.#points, []];
    return [
      [...this.#points.slice(0, next), point],
      [point, ...this.#points.slice(next)],
    ];
  }

  bearing(a: LonLat, b: LonLat) {
    const angle = Math.atan2((b[0] - a[0]) * this.#shrink, b[1] - a[1]);
    return (angle * 180) / Math.PI;
  }

  #project(point: LonLat, a: LonLat, b: LonLat): [share: number, offset: number] {
    const x = (b[0] - a[0]) * this.#shrink;
    const y = b[1] - a[1];
    const px = (point[0] - a[0]) * this.#shrink;
    const py = point[1] - a[1];
    const square = x * x + y * y;
    const share = square > 0 ? Math.min(1, Math.max(0, (px * x + py * y) / square)) : 0;
    return [share, Math.hypot(px - share * x, py - share * y) * METRES_PER_DEGREE];
  }
}

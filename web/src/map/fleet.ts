/**
 * Moves trucks smoothly between the positions that arrive once a second.
 *
 * On its tour a truck glides along the road it drives; off it, in a straight line. What is shown
 * lags one update behind, so that it never has to guess.
 */

import type { LonLat } from "../api";
import { Track, type Spot } from "./track";

export interface Fix {
  vehicle: string;
  point: LonLat;
  heading: number | null;
}

interface Move {
  from: LonLat;
  to: LonLat;
  fromAlong: number | null;
  toAlong: number | null;
  fromBearing: number;
  toBearing: number;
  start: number;
}

const FAR_M = 4000;
const PLAIN = new Track([
  [0, 0],
  [0, 0],
]);

export class Fleet {
  readonly #tracks = new Map<string, Track>();
  readonly #moves = new Map<string, Move>();
  #interval = 1000;
  #last = 0;

  setTrack(vehicle: string, points: LonLat[]) {
    if (points.length > 1) this.#tracks.set(vehicle, new Track(points));
    else this.#tracks.delete(vehicle);
    const move = this.#moves.get(vehicle);
    if (move) move.fromAlong = move.toAlong = null;
  }

  /** Take new positions; `now` in milliseconds of the page's clock. */
  receive(fixes: Fix[], now: number, jump = false) {
    const elapsed = now - this.#last;
    if (elapsed < 5000) this.#interval += 0.3 * (Math.max(250, elapsed) - this.#interval);
    this.#last = now;
    for (const fix of fixes) this.#moves.set(fix.vehicle, this.#move(fix, now, jump));
  }

  /** Whether anything is still on its way. */
  moving(now: number) {
    return now - this.#last < this.#interval * 1.1;
  }

  /** A tour's way, split at the place where its truck is. */
  split = (vehicle: string, way: LonLat[]): [driven: LonLat[], ahead: LonLat[]] => {
    const along = this.#moves.get(vehicle)?.fromAlong ?? null;
    const track = this.#tracks.get(vehicle);
    return track && along !== null ? track.split(along) : [[], way];
  };

  spots(now: number): Map<string, Spot> {
    const spots = new Map<string, Spot>();
    for (const [vehicle, move] of this.#moves) spots.set(vehicle, this.#spot(vehicle, move, now));
    return spots;
  }

  #move(fix: Fix, now: number, jump: boolean): Move {
    const previous = this.#moves.get(fix.vehicle);
    const track = this.#tracks.get(fix.vehicle);
    const shown = previous && this.#spot(fix.vehicle, previous, now);
    const toAlong = track?.locate(fix.point, previous?.toAlong ?? null) ?? null;
    const far = !shown || PLAIN.distance(shown.point, fix.point) > FAR_M;
    const from = jump || far ? fix.point : shown.point;
    const fromAlong = jump || far ? toAlong : (track?.locate(from, previous?.toAlong ?? null) ?? null);
    const still = PLAIN.distance(from, fix.point) < 1;
    const fromBearing = shown?.bearing ?? fix.heading ?? 0;
    const toBearing = still ? fromBearing : (fix.heading ?? PLAIN.bearing(from, fix.point));
    return { from, to: fix.point, fromAlong, toAlong, fromBearing, toBearing, start: now };
  }

  #spot(vehicle: string, move: Move, now: number): Spot {
    const share = Math.min(1, Math.max(0, (now - move.start) / this.#interval));
    const track = this.#tracks.get(vehicle);
    if (track && move.fromAlong !== null && move.toAlong !== null) {
      const ahead = move.toAlong - move.fromAlong;
      if (ahead >= 0 && ahead < 2 * FAR_M) {
        const spot = track.at(move.fromAlong + share * ahead);
        return ahead < 1 ? { ...spot, bearing: move.fromBearing } : spot;
      }
    }
    const turn = ((move.toBearing - move.fromBearing + 540) % 360) - 180;
    return {
      point: [
        move.from[0] + share * (move.to[0] - move.from[0]),
        move.from[1] + share * (move.to[1] - move.from[1]),
      ],
      bearing: move.fromBearing + Math.min(1, 3 * share) * turn,
    };
  }
}

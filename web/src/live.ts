/** The server's stream of changes. The browser reconnects by itself and says what it saw last. */

import type { Clock, Container, LonLat, TourSummary } from "./api";

export interface PositionFeature {
  id: string;
  geometry: { coordinates: LonLat };
  properties: { time: string; speed_mps: number | null; heading_deg: number | null };
}

export interface LiveEvents {
  clock: Clock;
  positions: { features: PositionFeature[] };
  containers: { items: Container[] };
  plan: { plan: string };
  tour: TourSummary;
  reset: Record<string, never>;
}

export type Handlers = { [Name in keyof LiveEvents]: (event: LiveEvents[Name]) => void };
export type Connection = "connecting" | "live" | "lost";

const REOPEN_MS = 5000;

export function follow(handlers: Handlers, onState: (state: Connection) => void): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function open() {
    source = new EventSource("/v1/live");
    source.onopen = () => onState("live");
    source.onerror = () => {
      onState("lost");
      // After an answer that is no stream, such as 503, the browser gives up; we do not.
      if (source.readyState === EventSource.CLOSED) {
        timer = setTimeout(() => {
          handlers.reset({});
          open();
        }, REOPEN_MS);
      }
    };
    for (const name of Object.keys(handlers) as (keyof LiveEvents)[]) {
      source.addEventListener(name, (message) => handlers[name](JSON.parse(message.data)));
    }
  }

  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

/** A page with the card in every recorded state, for eyes and for pictures. Not a part of the product. */

import type { Job, Point } from "../src/protocol";
import { type Card, freshCard, reduce, type Source } from "../src/state/card";
import { type Link, NO_LINK } from "../src/state/connection";
import { measured } from "../src/state/series";
import { mount } from "../src/views/train";

interface Recorded {
  record: Job;
  series?: Record<string, Point[]>;
  counts?: Record<string, number>;
  source?: Source;
  as_of?: string;
  /** Seconds since the record last moved. */
  quiet?: number;
  link?: Partial<Link> & { retryIn?: number; downFor?: number };
}

const NOW = Date.parse("2026-11-21T14:02:11Z");
const LIVE: Partial<Link> = { phase: "connected", transport: "websocket", rtt: 0.038, server: "http://localhost:8888/" };

export function cardOf(state: Recorded): Card {
  const source = state.source ?? "server";
  const began = NOW - 60_000;
  let card: Card = { ...freshCard(state.record.job_id, source, began), asOf: state.as_of ?? null };
  const { retryIn, downFor, ...link } = state.link ?? {};
  const told: Link = {
    ...NO_LINK,
    ...LIVE,
    heardAt: NOW - 1000 * (downFor ?? 0),
    eventAt: NOW - 1000,
    pingAt: NOW - 4000,
    ...link,
    ...(retryIn !== undefined && { retryAt: NOW + retryIn * 1000 }),
    ...(downFor !== undefined && { downSince: NOW - downFor * 1000 }),
  };
  const points = Object.entries(state.series ?? {}).map(([name, all]) => {
    const named = all.map((point) => ({ ...point, name }));
    return [name, { count: state.counts?.[name] ?? all.length, points: named }] as const;
  });
  const moved = NOW - 1000 * (state.quiet ?? state.link?.downFor ?? 0);
  card = reduce(card, { kind: "record", at: moved, job: state.record });
  card = { ...card, series: measured(Object.fromEntries(points)), movedAt: moved };
  card = reduce(card, { kind: "link", at: NOW, link: told });
  // Shown at once: the pictures are of what holds, not of what is about to.
  return reduce(reduce(card, { kind: "tick", at: NOW - 5000 }), { kind: "tick", at: NOW });
}

declare global {
  interface Window {
    showStates(states: Record<string, Recorded>, width: number): void;
  }
}

window.showStates = (states, width) => {
  const place = document.getElementById("states") as HTMLElement;
  place.replaceChildren();
  place.style.width = `${width}px`;
  for (const [name, state] of Object.entries(states)) {
    const label = document.createElement("p");
    label.textContent = name;
    const box = document.createElement("div");
    box.id = name.replaceAll(/\W+/g, "-");
    place.append(label, box);
    mount(box, cardOf(state), new AbortController().signal, (action) => console.info(JSON.stringify(action)));
  }
};

/** The machine in the words of its views: each figure with whose it is, and the last minutes as a line. */

import type { Event, SystemMetrics, Use } from "../protocol";
import { trans } from "../words";
import type { Board, Figures } from "./board";
import { count, roughly, UNKNOWN } from "./figures";

export type Level = "healthy" | "warning" | "critical";

export interface Gauge {
  key: "cpu" | "memory" | "disk";
  name: string;
  /** `38 %`. */
  percent: string;
  /** `4.1 of 23.5 GiB`. */
  figures: string;
  /** The one figure of a strip: `38 %`, `4.1/23.5 GiB`. */
  brief: string;
  /** `container`, `host`, `data folder`. */
  whose: string;
  level: Level;
  /** 0–100, null where nothing was measured; oldest first. */
  line: readonly (number | null)[];
  /** Percent from which it is a warning, and critical; empty while nobody knows. */
  ticks: readonly number[];
}

export interface Machine {
  health: Level;
  gauges: Gauge[];
  /** All other figures, a line for each whose they are: `Host: load 1.2 of 64 CPUs · up 3 h`. */
  more: string[];
  /** Of these, what a strip has room for. */
  brief: string[];
  /** Whose CPU and memory are where both are of one; what is not says it itself. */
  whose: string | null;
  /** Seconds between the last two samples; null until there are two. */
  every: number | null;
}

/** Null until there is a sample, and again when the last one is old. */
export function machine(board: Board): Machine | null {
  const now = newest(board);
  if (!now) return null;
  const whose = now.cpu_scope === now.memory_scope ? scope(now.cpu_scope) : null;
  const host = scope("host");
  return {
    health: now.health,
    gauges: [
      gauge(trans.__("CPU"), "cpu", board, now.cpu_percent, trans.__("%1 CPUs", amount(now.cpus)), scope(now.cpu_scope)),
      {
        ...gauge(trans.__("Memory"), "memory", board, now.memory_percent, of(now.memory_used, now.memory_limit), scope(now.memory_scope)),
        brief: now.memory_limit === null ? size(now.memory_used) : slashed(now.memory_used, now.memory_limit),
      },
      gauge(trans.__("Disk"), "disk", board, now.disk_percent, of(now.disk_used, now.disk_limit), trans.__("data folder")),
    ],
    more: more(now),
    brief: [
      ...(now.load_average ? [`${trans.__("Load %1/%2", now.load_average[0].toFixed(1), amount(now.host.cpus))}${whose === host ? "" : ` ${host}`}`] : []),
      ...now.gpu.map((gpu) => `${gpu.name} ${percent(gpu.percent)}`),
    ],
    whose,
    every: interval(board),
  };
}

const STALE_MS = 30_000;

function newest(board: Board): SystemMetrics | null {
  const now = board.samples.at(-1);
  return now && board.now - (Date.parse(now.time) - (board.connection.link.skew ?? 0)) <= STALE_MS ? now : null;
}

/** `310 MiB`: memory of a kernel with all its processes; null where the server has no such kernel. */
export function kernelUse(board: Board, id: string): string | null {
  const use = board.samples.at(-1)?.kernels.find((one) => one.id === id);
  return use ? size(use.memory) : null;
}

/** `CPU 98 % · 310 MiB, peak 420 MiB`: of a job with all its processes; empty where it cannot be seen. */
export function jobUse(board: Board, id: string): string {
  const now = newest(board);
  const use = now && useIn([now], id);
  if (!use || use.memory === null) return "";
  const memory = trans.__("%1, peak %2", size(use.memory), size(use.peak));
  return use.cpu_percent === null ? memory : `${trans.__("CPU %1", cpuOf(use))} · ${memory}`;
}

/** Of one CPU: two at work are 200 %. */
export function cpuOf(use: Use): string {
  return percent(use.cpu_percent);
}


/** What the newest sample of some says of a job; undefined where there is no sample among them. */
export function useIn(events: readonly Event[], jobId: string): Use | null | undefined {
  const sample = events.filter((event) => event.type === "system_metrics").at(-1);
  return sample && (sample.jobs.find((one) => one.id === jobId) ?? null);
}

function gauge(name: string, key: Gauge["key"], board: Board, value: number | null, figures: string, whose: string): Gauge {
  return {
    key,
    name,
    percent: percent(value),
    figures,
    brief: percent(value),
    whose,
    level: board.samples.at(-1)?.levels[key] ?? "healthy",
    line: line(board).map((sample) => sample[`${key}_percent`]),
    ticks: ticks(board.thresholds[key]),
  };
}

function line({ past, samples }: Board): Figures[] {
  const first = Date.parse(samples[0]?.time ?? "");
  return [...past.filter((sample) => Date.parse(sample.time) < first), ...samples];
}

/** Those that can be reached. */
function ticks(of: Board["thresholds"][string] | undefined): number[] {
  return of ? [of.warning, of.critical].filter((percent) => percent <= 100) : [];
}

function interval({ samples }: Board): number | null {
  const [before, last] = samples.slice(-2);
  return before && last ? Math.max(Date.parse(last.time) - Date.parse(before.time), 0) / 1000 : null;
}

function scope(whose: "container" | "host"): string {
  return whose === "container" ? trans.__("container") : trans.__("host");
}

function more(now: SystemMetrics): string[] {
  const { host, load_average: load, network } = now;
  const machine: string[] = [];
  if (now.cpu_scope === "container") machine.push(trans.__("CPU %1 of %2", percent(host.cpu_percent), amount(host.cpus)));
  if (now.memory_scope === "container") machine.push(trans.__("memory %1", of(host.memory_used, host.memory_limit)));
  if (load) machine.push(trans.__("load %1 of %2 CPUs", load[0].toFixed(1), amount(host.cpus)));
  if (now.uptime !== null) machine.push(trans.__("up %1", roughly(now.uptime)));
  const server: string[] = [];
  const { active_connections: connections, process_count: processes, api_response_ms: rest, ws_response_ms: socket } = now;
  if (connections !== null) server.push(trans._n("%1 connection", "%1 connections", connections));
  if (rest !== null) server.push(trans.__("answers in %1", milliseconds(rest)));
  if (socket !== null) server.push(trans.__("sockets in %1", milliseconds(socket)));
  // Of its namespaces, which need not be the host's.
  if (processes !== null) server.push(trans.__("sees %1 processes", count(processes)));
  if (network) server.push(trans.__("network %1/s in, %2/s out", size(network.received), size(network.sent)));
  return [
    ...now.gpu.map((gpu) => `${gpu.name} ${percent(gpu.percent)}, ${of(gpu.memory_used, gpu.memory_limit)}`),
    ...(machine.length > 0 ? [trans.__("Host: %1", machine.join(" · "))] : []),
    ...(server.length > 0 ? [trans.__("Server: %1", server.join(" · "))] : []),
  ];
}

function milliseconds(value: number): string {
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)}\u202fms`;
}

function percent(value: number | null): string {
  return value === null ? UNKNOWN : `${Math.round(value)}\u202f%`;
}

function amount(value: number | null): string {
  return value === null ? UNKNOWN : String(Math.round(value * 10) / 10);
}

/** `4.1 of 23.5 GiB`: the unit once where both have it. */
function of(used: number | null, limit: number | null): string {
  return trans.__("%1 of %2", ...alike(used, limit));
}

function slashed(used: number | null, limit: number | null): string {
  return alike(used, limit).join("/");
}

function alike(used: number | null, limit: number | null): [string, string] {
  const [some, all] = [size(used), size(limit)];
  const unit = all.split("\u202f")[1] ?? "";
  return [unit && some.endsWith(`\u202f${unit}`) ? some.slice(0, -unit.length - 1) : some, all];
}

/** `4.1 GiB`, `310 MiB`. */
export function size(bytes: number | null): string {
  if (bytes === null) return UNKNOWN;
  const units = ["B", "KiB", "MiB"];
  let value = bytes;
  for (const unit of units) {
    if (value < 1024) return `${value < 10 && unit !== "B" ? value.toFixed(1) : Math.round(value)}\u202f${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)}\u202fGiB`;
}

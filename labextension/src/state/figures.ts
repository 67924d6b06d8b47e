/** Numbers, durations and times of day as people read them. What is unknown is a dash, never a guess. */

import type { Point } from "../protocol";
import { trans } from "../words";

export const UNKNOWN = "—";

/** Four significant digits, of constant length within a decade so that a changing number does not jump. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e7)) return minus(value.toExponential(2));
  if (size >= 1000) return minus(count(Math.round(value)));
  const decimals = size < 1 ? 4 : size < 10 ? 3 : size < 100 ? 2 : 1;
  return minus(value.toFixed(decimals));
}

/** A measured value that is no finite number, by its kind. */
export function symbol(kind: Point["nf"]): string {
  return kind === "+inf" ? "∞" : kind === "-inf" ? "−∞" : "NaN";
}

/** A parameter or an option: text as it is, all else as JSON. */
export function option(value: unknown): string {
  return value === null ? UNKNOWN : typeof value === "string" ? value : JSON.stringify(value);
}

/** A whole number in groups of three. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

/** `87 B`, `12.3 kB`, `0.9 MB`, `1.2 GB`: files are told in powers of ten. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)}\u202fB`;
  if (bytes < 1e5) return `${(bytes / 1e3).toFixed(1)}\u202fkB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)}\u202fMB`;
  return `${(bytes / 1e9).toFixed(1)}\u202fGB`;
}

/** Never rounded up: 100 % is the end. */
export function percent(progress: number): string {
  return `${Math.floor(progress)}\u202f%`;
}

/** `0:06`, `12:05`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(Math.floor(seconds), 0);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const tail = `${two(minutes, hours > 0)}:${two(whole % 60, true)}`;
  return hours ? `${hours}:${tail}` : tail;
}

/** `0.12 s`, `10.4 s`, `3 min 12 s`, `2 h 5 min`. */
export function span(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(seconds < 0.1 ? 2 : 1)}\u202fs`;
  if (seconds < 59.95) return `${seconds.toFixed(1)}\u202fs`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)}\u202fmin ${whole % 60}\u202fs`;
  return `${Math.floor(whole / 3600)}\u202fh ${Math.floor((whole % 3600) / 60)}\u202fmin`;
}

/** `3 s`, `4 min`, `2 h`: how long ago, roughly. */
export function roughly(seconds: number): string {
  if (seconds < 60) return `${Math.max(Math.round(seconds), 0)}\u202fs`;
  if (seconds < 3600) return `${Math.round(seconds / 60)}\u202fmin`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)}\u202fh`;
  return `${Math.round(seconds / 86_400)}\u202fd`;
}

/** `just now`, `4 min ago`; empty where the time is none. */
export function ago(iso: string, now: number): string {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (Number.isNaN(seconds)) return "";
  return seconds < 10 ? trans.__("just now") : trans.__("%1 ago", roughly(seconds));
}

/** `14:02` today, `21 Nov 14:02` on other days; local time. */
export function timeOfDay(iso: string, now: number): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return UNKNOWN;
  const hour = `${two(time.getHours(), true)}:${two(time.getMinutes(), true)}`;
  if (time.toDateString() === new Date(now).toDateString()) return hour;
  const day = time.toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
  return `${day} ${hour}`;
}

function two(value: number, padded: boolean): string {
  return padded ? String(value).padStart(2, "0") : String(value);
}

function minus(text: string): string {
  return text.replace("-", "−");
}

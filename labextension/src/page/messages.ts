/** The messages of a stream as they came, the last of them kept; and what their types are called. */

/** Names that older documents use. They are never sent. */
const ALIASES: Readonly<Record<string, string>> = {
  training_complete: "training_completed",
  training_error: "training_failed",
  system_stats: "system_metrics",
  upload_complete: "upload_completed",
  upload_error: "upload_failed",
};
/** A snapshot alone may have a million characters. */
export const MOST_MESSAGES = 500;
export const MOST_CHARACTERS = 4 << 20;

export interface Message {
  /** Counts from 1. */
  number: number;
  /** Local milliseconds. */
  at: number;
  text: string;
  types: readonly string[];
}

export interface Counts {
  messages: number;
  characters: number;
  /** Of events and of the stream's own messages, by their type. */
  types: Readonly<Record<string, number>>;
}

/** Types as somebody typed them, by the names they are sent with; none: all. */
export function wanted(typed: string): ReadonlySet<string> {
  return new Set(typed.split(/[\s,]+/).filter(Boolean).map((name) => ALIASES[name] ?? name));
}

export function matches(message: Message, types: ReadonlySet<string>): boolean {
  return types.size === 0 || message.types.some((type) => types.has(type));
}

export class Messages {
  #kept: Message[] = [];
  #characters = 0;
  #counts: Counts = { messages: 0, characters: 0, types: {} };

  /** Oldest first. */
  get kept(): readonly Message[] {
    return this.#kept;
  }

  get counts(): Counts {
    return this.#counts;
  }

  /** `said` is what `text` holds. */
  take(text: string, said: unknown, at: number): Message {
    const found = typesOf(said);
    const { messages, characters, types } = this.#counts;
    const counted = { ...types };
    for (const type of found) counted[type] = (counted[type] ?? 0) + 1;
    this.#counts = { messages: messages + 1, characters: characters + text.length, types: counted };
    const message = { number: messages + 1, at, text, types: [...new Set(found)] };
    this.#kept.push(message);
    this.#characters += text.length;
    while (this.#kept.length > MOST_MESSAGES || (this.#characters > MOST_CHARACTERS && this.#kept.length > 1)) {
      this.#characters -= this.#kept.shift()?.text.length ?? 0;
    }
    return message;
  }

  clear(): void {
    this.#kept = [];
    this.#characters = 0;
  }
}

/** Of each event in it; of a message of the stream's own, its type. */
function typesOf(said: unknown): string[] {
  if (typeof said !== "object" || said === null) return [];
  if ("events" in said && Array.isArray(said.events)) return said.events.map((event: { type?: unknown }) => String(event?.type));
  if ("latest" in said && typeof said.latest === "object" && said.latest !== null) return Object.keys(said.latest).map((key) => key.split(":")[0] ?? key);
  return "type" in said ? [String(said.type)] : [];
}

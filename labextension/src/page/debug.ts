/** `mlops/debug`: the stream as the server sends it, message by message, for whoever wants to know what is on the wire. */

import { freshKey } from "../client/keys";
import { pageServer } from "../client/page";
import { putting } from "../client/put";
import { RequestFailed, Rest } from "../client/rest";
import { Uploads } from "../client/uploads";
import { standing, type Upload } from "../state/uploads";
import { attribute, element, say } from "../views/element";
import { matches, type Message, Messages, wanted } from "./messages";

const server = pageServer();
if (server) {
  const rest = new Rest(server);
  const messages = new Messages();
  const list = part("messages", HTMLOListElement);
  const types = part("types", HTMLInputElement);
  const pause = part("pause", HTMLButtonElement);
  const disconnect = part("disconnect", HTMLButtonElement);
  const connecting = part("connect", HTMLFormElement);
  const training = part("train", HTMLFormElement);
  const uploading = part("upload", HTMLFormElement);
  const cancel = part("cancel", HTMLButtonElement);
  let socket: WebSocket | null = null;
  let paused = false;
  /** Where the stream would be resumed. */
  let cursor: { since: number; epoch: string } | null = null;

  connecting.addEventListener("submit", (event) => {
    event.preventDefault();
    connect();
  });
  disconnect.addEventListener("click", () => socket?.close());
  training.addEventListener("submit", (event) => {
    event.preventDefault();
    void train();
  });
  const kept = new Map<string, string>();
  const memory = {
    get: (file: string) => kept.get(file) ?? null,
    set: (file: string, id: string | null) => void (id === null ? kept.delete(file) : kept.set(file, id)),
  };
  let upload: Upload | null = null;
  const uploads = new Uploads(rest, putting(server), memory, (_key, change) => tellUpload(change));
  uploading.addEventListener("submit", (event) => {
    event.preventDefault();
    const file = field(uploading, "file").files?.[0];
    if (!file) return;
    upload = null;
    uploads.send(file);
  });
  cancel.addEventListener("click", () => upload && uploads.drop(upload.key));
  types.addEventListener("input", redraw);
  pause.addEventListener("click", () => {
    paused = !paused;
    attribute(pause, "aria-pressed", String(paused));
    say(pause, paused ? "Go on" : "Pause");
    redraw();
  });
  part("clear", HTMLButtonElement).addEventListener("click", () => {
    messages.clear();
    redraw();
  });
  count();

  function connect(): void {
    socket?.close();
    const url = new URL("mlops/api/events/subscribe", server?.baseUrl);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    for (const name of ["since", "epoch"]) {
      const value = field(connecting, name).value.trim();
      if (value) url.searchParams.set(name, value);
    }
    const opened = new WebSocket(url);
    socket = opened;
    disconnect.disabled = false;
    tell("Connecting…");
    opened.onopen = () => tell("Connected.");
    opened.onmessage = (heard) => hear(opened, String(heard.data));
    opened.onclose = ({ code, reason }) => {
      if (socket !== opened) return;
      socket = null;
      disconnect.disabled = true;
      const refused = code === 1006 ? " Refused or cut: where a proxy refuses websockets, pages poll." : "";
      tell(`Closed: ${code}${reason && `, ${reason}`}.${refused}`);
      if (!cursor) return;
      // The next connection goes on from here, unless somebody says otherwise.
      field(connecting, "since").value = String(cursor.since);
      field(connecting, "epoch").value = cursor.epoch;
    };
  }

  function hear(from: WebSocket, text: string): void {
    const said = JSON.parse(text) as { type?: string; epoch?: string; head?: number; nonce?: number; events?: { seq: number }[] };
    if (said.type === "ping") from.send(JSON.stringify({ type: "pong", nonce: said.nonce }));
    if (said.type === "hello" && said.epoch !== cursor?.epoch) cursor = { since: said.head ?? 0, epoch: said.epoch ?? "" };
    const last = said.events?.at(-1)?.seq;
    if (cursor && last !== undefined) cursor = { ...cursor, since: last };
    const message = messages.take(text, said, Date.now());
    count();
    if (paused || !matches(message, wanted(types.value))) return;
    list.prepend(entry(message));
    // What is kept no longer is shown no longer.
    const oldest = messages.kept[0]?.number ?? 0;
    while (Number((list.lastElementChild as HTMLElement).dataset["number"]) < oldest) list.lastElementChild?.remove();
  }

  function redraw(): void {
    if (paused) return;
    const shown = wanted(types.value);
    list.replaceChildren(...messages.kept.filter((message) => matches(message, shown)).map(entry).reverse());
    count();
  }

  function count(): void {
    const { counts, kept } = messages;
    const each = Object.entries(counts.types).sort(([one], [other]) => one.localeCompare(other));
    const parts = [`${counts.messages} messages, ${counts.characters} characters, the last ${kept.length} kept`, ...each.map(([type, n]) => `${type} ${n}`)];
    say(part("counts", HTMLElement), parts.join(" · "));
  }

  /** As the command line does it: the same request, the same answer. */
  async function train(): Promise<void> {
    const told = part("trained", HTMLOutputElement);
    say(told, "…");
    try {
      const typed = field(training, "path").value.trim();
      const path = typed.startsWith("/") ? typed : `${(await rest.status()).root_dir.replace(/\/$/, "")}/${typed}`;
      const { job_id } = await rest.submit({ data: { path }, target: field(training, "target").value }, freshKey());
      told.replaceChildren(element("a", { href: `../mlops?job=${job_id}` }, job_id), " is queued.");
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      say(told, error.message);
    }
  }

  /** The same sender as the panel's; its events are in the stream below. */
  function tellUpload(change: Partial<Upload> | null): void {
    const told = part("uploaded", HTMLOutputElement);
    upload = change === null ? null : ({ ...upload, pace: [], ...change } as Upload);
    cancel.disabled = upload === null || !["waiting", "sending", "cut"].includes(upload.phase);
    if (!upload) say(told, "Cancelled.");
    else if (upload.dataset) told.replaceChildren(element("a", { href: `../mlops?dataset=${upload.dataset.id}` }, upload.dataset.id), ` ${upload.phase}`);
    else say(told, `${upload.phase} ${standing(upload)}`);
  }

  function tell(state: string): void {
    say(part("state", HTMLOutputElement), state);
  }
}

function entry({ number, at, text }: Message): HTMLElement {
  const time = element("time", {}, new Date(at).toLocaleTimeString(undefined, { hour12: false }));
  // Who has no mouse scrolls it, too.
  return element("li", { "data-number": String(number) }, time, element("pre", { tabindex: "0" }, text));
}

function field(form: HTMLFormElement, name: string): HTMLInputElement {
  return form.elements.namedItem(name) as HTMLInputElement;
}

function part<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no ${id}`);
  return found;
}

import { describe, expect, test, vi } from "vitest";
import type { Put } from "../../src/client/put";
import { type Ask, RequestFailed, Rest } from "../../src/client/rest";
import { type Memory, Uploads } from "../../src/client/uploads";
import { changed, type Upload } from "../../src/state/uploads";

const MIB = 2 ** 20;
const FILE = new File([new Uint8Array(10 * MIB)], "customers.csv", { lastModified: 7 });

/** A server that takes parts up to `most` bytes, and fails at the calls whose numbers `failing` names. */
class Desk {
  offset = 0;
  state = "open";
  most = 64 * MIB;
  asked: string[] = [];
  parts: [offset: number, bytes: number][] = [];
  failing = new Map<number, RequestFailed>();
  duplicate = false;
  became: object = { state: "completed", dataset_id: "d-1", version: 1 };
  kept = new Map<string, string>();
  uploads: readonly Upload[] = [];
  phases: string[] = [];

  ask: Ask = async (method, path, _query, signal) => {
    signal?.throwIfAborted();
    this.asked.push(`${method} ${path}`);
    if (method === "POST" && path === "uploads") return { upload_id: "u-1", offset: 0, bytes: FILE.size, chunk: 4 * MIB };
    if (path.endsWith("/finish")) return this.duplicate ? { duplicate_of: { dataset: "d-9", version: 2 } } : {};
    if (this.offset === FILE.size) return { offset: this.offset, bytes: FILE.size, ...this.became };
    return { upload_id: "u-1", offset: this.offset, bytes: FILE.size, state: this.state };
  };

  put: Put = async (_path, offset, part, moved, signal) => {
    const failure = this.failing.get(this.parts.length);
    this.parts.push([offset, part.size]);
    signal.throwIfAborted();
    if (failure) throw failure;
    if (part.size > this.most) throw new RequestFailed(413, "413 Request Entity Too Large");
    if (offset !== this.offset) throw new RequestFailed(409, "elsewhere", { offset: this.offset });
    moved(part.size);
    this.offset += part.size;
    return { offset: this.offset };
  };

  memory: Memory = {
    get: (file) => this.kept.get(file) ?? null,
    set: (file, id) => void (id === null ? this.kept.delete(file) : this.kept.set(file, id)),
  };

  taken: number | null = null;
  sender = new Uploads(new Rest(this.ask), (...told) => this.put(...told), this.memory, (key, change) => {
    this.uploads = changed(this.uploads, key, change, Date.now());
    if (change?.phase && this.phases.at(-1) !== change.phase) this.phases.push(change.phase);
  }, () => this.taken);

  async until(phase: Upload["phase"]): Promise<Upload> {
    await vi.waitFor(() => expect(this.uploads[0]?.phase).toBe(phase), { timeout: 8_000 });
    return this.uploads[0] as Upload;
  }
}

describe("an upload", () => {
  test("is sent in parts, read by the server, and is a dataset", async () => {
    const desk = new Desk();
    desk.sender.send(FILE);
    const { dataset, sent } = await desk.until("done");
    expect(desk.parts).toEqual([[0, 4 * MIB], [4 * MIB, 4 * MIB], [8 * MIB, 2 * MIB]]);
    expect([dataset, sent]).toEqual([{ id: "d-1", version: 1 }, FILE.size]);
    expect(desk.phases).toEqual(["waiting", "sending", "reading", "done"]);
    expect(desk.kept.size).toBe(0);
  });

  test("is sent in smaller parts where a proxy takes no more", async () => {
    const desk = new Desk();
    desk.most = MIB;
    desk.sender.send(FILE);
    await desk.until("done");
    expect(desk.parts.slice(0, 4)).toEqual([[0, 4 * MIB], [0, 2 * MIB], [0, MIB], [MIB, MIB]]);
  });

  test("fails with what a proxy said that takes no part at all", async () => {
    const desk = new Desk();
    desk.most = 1;
    desk.sender.send(FILE);
    expect((await desk.until("failed")).error).toBe("413 Request Entity Too Large");
    expect(desk.parts.at(-1)).toEqual([0, 256 * 2 ** 10]);
  });

  test("goes on where the server stands after the connection was lost", async () => {
    const desk = new Desk();
    const gone = new RequestFailed(0, "");
    desk.failing = new Map([[1, gone]]);
    const before = desk.put;
    // It arrived; only the answer did not.
    desk.put = async (...told) => {
      const [, , part] = told;
      return before(...told).catch((error) => {
        if (error === gone) desk.offset += part.size;
        throw error;
      });
    };
    desk.sender.send(FILE);
    await desk.until("done");
    expect(desk.parts).toEqual([[0, 4 * MIB], [4 * MIB, 4 * MIB], [8 * MIB, 2 * MIB]]);
    expect(desk.phases).toEqual(["waiting", "sending", "cut", "sending", "reading", "done"]);
  });

  test("goes on after a reload when the same file comes again", async () => {
    const desk = new Desk();
    desk.offset = 6 * MIB;
    desk.kept.set(`customers.csv|${FILE.size}|7`, "u-1");
    desk.sender.send(FILE);
    await desk.until("done");
    expect(desk.parts).toEqual([[6 * MIB, 4 * MIB]]);
    expect(desk.asked).not.toContain("POST uploads");
  });

  test("begins anew when the server has forgotten it", async () => {
    const desk = new Desk();
    desk.kept.set(`customers.csv|${FILE.size}|7`, "u-0");
    const before = desk.ask;
    desk.ask = (...told) => (told[1] === "uploads/u-0" ? Promise.reject(new RequestFailed(404, "no upload")) : before(...told));
    const sender = new Uploads(new Rest(desk.ask), desk.put, desk.memory, (key, change) => {
      desk.uploads = changed(desk.uploads, key, change, Date.now());
    });
    sender.send(FILE);
    await desk.until("done");
    expect(desk.parts[0]).toEqual([0, 4 * MIB]);
  });

  test("says that the server has the same already", async () => {
    const desk = new Desk();
    desk.duplicate = true;
    desk.sender.send(FILE);
    expect((await desk.until("same")).dataset).toEqual({ id: "d-9", version: 2 });
  });

  test("says in which line the server could not read it", async () => {
    const desk = new Desk();
    desk.became = { state: "failed", problem: { message: "21 fields expected" }, line: 12 };
    desk.sender.send(FILE);
    const { error, line } = await desk.until("failed");
    expect([error, line]).toEqual(["21 fields expected", 12]);
  });

  test("is not sent when it is no table, is empty or too large", () => {
    const desk = new Desk();
    desk.taken = 5 * 2 ** 30;
    const huge = Object.defineProperty(new File([], "x.parquet"), "size", { value: 6 * 2 ** 30 });
    for (const file of [new File(["x"], "notes.txt"), new File([], "none.csv"), huge]) desk.sender.send(file);
    expect(desk.uploads.map((one) => one.error?.replaceAll("\u202f", " "))).toEqual([
      "Not sent: it is neither a .csv nor a .parquet file.",
      "Not sent: it is empty.",
      "Not sent: it has 6.4 GB, and 5.4 GB is the most.",
    ]);
    expect(desk.asked).toEqual([]);
  });

  test("is cancelled here and on the server, and the next one goes", async () => {
    const desk = new Desk();
    const before = desk.put;
    let first = true;
    desk.put = (...told) => {
      if (!first) return before(...told);
      first = false;
      return new Promise((_, reject) => told[4].addEventListener("abort", () => reject(told[4].reason)));
    };
    const key = desk.sender.send(FILE);
    desk.sender.send(FILE);
    await vi.waitFor(() => expect(first).toBe(false));
    desk.sender.drop(key);
    await desk.until("done");
    expect(desk.asked).toContain("DELETE uploads/u-1");
    expect(desk.uploads).toHaveLength(1);
  });
});

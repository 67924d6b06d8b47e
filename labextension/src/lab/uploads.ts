/** The page's way in for files: sent by its own client, remembered by the browser, told to the page's state. */

import type { Client } from "../client/client";
import type { PageServer } from "../client/page";
import { putting } from "../client/put";
import { type Memory, Uploads } from "../client/uploads";
import type { ShelfActs } from "../views/shelves";
import type { PageBoard } from "./page";

const MEMORY = "mlops_jupyter:upload:";

const memory: Memory = {
  get: (file) => localStorage.getItem(MEMORY + file),
  set: (file, uploadId) => {
    if (uploadId === null) localStorage.removeItem(MEMORY + file);
    else localStorage.setItem(MEMORY + file, uploadId);
  },
};

export function uploadsOf(client: Client, server: PageServer, page: PageBoard): NonNullable<ShelfActs["upload"]> {
  const tell = page.upload.bind(page);
  const uploads = new Uploads(client.rest, putting(server), memory, tell, () => page.board.assets.upload_bytes);
  return {
    send: (files) => {
      for (const file of files) uploads.send(file);
    },
    drop: (key) => uploads.drop(key),
  };
}

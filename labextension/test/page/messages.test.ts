import { expect, test } from "vitest";
import { matches, Messages, MOST_CHARACTERS, MOST_MESSAGES, wanted } from "../../src/page/messages";

const FRAME = { events: [{ type: "training_progress" }, { type: "training_completed" }], prev: 1 };

test("a message is of the types of all that is in it, and counted by them", () => {
  const messages = new Messages();
  const told = [{ type: "hello" }, FRAME, { latest: { system_metrics: {} }, rev: 1 }].map((said) => messages.take("…", said, 0).types);
  expect(told).toEqual([["hello"], ["training_progress", "training_completed"], ["system_metrics"]]);
  messages.take("…", FRAME, 0);
  expect(messages.counts).toEqual({
    messages: 4,
    characters: 4,
    types: { hello: 1, training_progress: 2, training_completed: 2, system_metrics: 1 },
  });
});

test("types may be asked for by the names of older documents", () => {
  const { types } = new Messages().take("", FRAME, 0);
  const message = { number: 1, at: 0, text: "", types };
  for (const typed of ["", " , ", "training_complete", "x training_progress", "training_completed,x"]) {
    expect([typed, matches(message, wanted(typed))]).toEqual([typed, true]);
  }
  for (const typed of ["x", "training", "training_error", "system_stats"]) {
    expect([typed, matches(message, wanted(typed))]).toEqual([typed, false]);
  }
  expect([...wanted("training_error system_stats upload_complete upload_error")]).toEqual([
    "training_failed",
    "system_metrics",
    "upload_completed",
    "upload_failed",
  ]);
});

test("what is kept is bounded in number and in characters; the counts go on", () => {
  const messages = new Messages();
  for (let i = 0; i < MOST_MESSAGES + 3; i++) messages.take("x", { type: "ping" }, i);
  expect([messages.kept.length, messages.kept[0]?.number, messages.counts.messages]).toEqual([MOST_MESSAGES, 4, MOST_MESSAGES + 3]);
  const long = "y".repeat(MOST_CHARACTERS - 10);
  messages.take(long, FRAME, 0);
  expect(messages.kept.length).toBe(11);
  // One alone is shown, however long.
  messages.take(`${long}${long}`, FRAME, 0);
  expect(messages.kept.map((message) => message.text.length)).toEqual([2 * long.length]);
});

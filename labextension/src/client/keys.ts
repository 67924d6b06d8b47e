/** Names nobody else gives. Not the UUIDs of `crypto`: pages that come by plain http have none. */
export function freshKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

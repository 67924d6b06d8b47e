/// <reference types="node" />

/** What the test environment adds to the window. */
interface Window {
  happyDOM?: { setURL(url: string): void; settings: { fetch: { disableSameOriginPolicy: boolean } } };
}

import { effect, type Signal, signal } from "@preact/signals";

/** How long the browser remembers: until the tab is closed, or for good. */
type Where = "sessionStorage" | "localStorage";

/** A switch that the browser remembers under a name, where it has storage: frames in a sandbox have none. */
export function remembered(name: string, where: Where): Signal<boolean> {
  const key = `cocoa-widget:${name}`;
  const attempt = <T>(use: (storage: Storage) => T): T | undefined => {
    try {
      return use(window[where]);
    } catch {
      return undefined;
    }
  };
  const on = signal(attempt((storage) => storage.getItem(key)) === "true");
  effect(() => {
    const { value } = on;
    attempt((storage) => (value ? storage.setItem(key, "true") : storage.removeItem(key)));
  });
  return on;
}

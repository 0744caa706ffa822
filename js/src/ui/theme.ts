import { type Signal, signal } from "@preact/signals";

/** Perceived lightness (0..1) of a CSS colour, or null when the text is not a colour or the colour is transparent. */
function luminance(color: string, probe: HTMLElement): number | null {
  if (!color.trim()) return null;
  probe.style.color = "";
  probe.style.color = color.trim();
  if (!probe.style.color) return null;
  const parts = getComputedStyle(probe)
    .color.match(/[\d.]+/g)
    ?.map(Number);
  const [r = 0, g = 0, b = 0, alpha = 1] = parts ?? [];
  return parts && alpha > 0 ? (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255 : null;
}

/** Whether the host's page is dark. Its own marks come first: a light notebook may run on a dark desktop. */
function hostIsDark(el: HTMLElement, probe: HTMLElement): boolean {
  const body = document.body;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  const style = getComputedStyle(el);
  for (const variable of ["--jp-layout-color0", "--vscode-editor-background", "--theme-background"]) {
    const light = luminance(style.getPropertyValue(variable), probe);
    if (light !== null) return light < 0.5;
  }
  if (body.classList.contains("vscode-dark")) return true;
  if (body.classList.contains("vscode-light")) return false;
  for (let node: Element | null = el; node; node = node.parentElement ?? shadowHost(node)) {
    if (node.matches(".dark, .dark-theme, [data-theme=dark]")) return true;
    if (node.matches(".light, .light-theme, [data-theme=light]")) return false;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function shadowHost(node: Element): Element | null {
  const root = node.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

/** Follows the host's theme until `abort`. `el` is the host's element, outside of what the page itself marks. */
export function watchTheme(el: HTMLElement, abort: AbortSignal): Signal<boolean> {
  const probe = document.createElement("span");
  probe.hidden = true;
  el.append(probe);
  const dark = signal(hostIsDark(el, probe));
  const update = () => {
    dark.value = hostIsDark(el, probe);
  };
  const observer = new MutationObserver(update);
  const attributes = { attributes: true, attributeFilter: ["class", "style", "data-theme", "data-jp-theme-light"] };
  observer.observe(document.documentElement, attributes);
  observer.observe(document.body, attributes);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update, { signal: abort });
  abort.addEventListener("abort", () => {
    observer.disconnect();
    probe.remove();
  });
  return dark;
}

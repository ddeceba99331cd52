// Light or dark, as the page around us is, now and when it changes.

export type Theme = "light" | "dark";

export function pageTheme(): Theme {
  const body = document.body;
  const lab = body.dataset.jpThemeLight;
  if (lab !== undefined) return lab === "true" ? "light" : "dark";
  const code = body.dataset.vscodeThemeKind ?? "";
  if (code) return code.includes("light") ? "light" : "dark";
  return groundTheme(body) ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

/** By the ground that Jupyter's or VS Code's variables name, where nothing else tells. */
function groundTheme(body: HTMLElement): Theme | null {
  const style = getComputedStyle(body);
  const ground =
    style.getPropertyValue("--jp-layout-color1") || style.getPropertyValue("--vscode-editor-background");
  const channels = rgb(ground.trim());
  if (!channels) return null;
  const [red, green, blue] = channels;
  return 0.299 * red + 0.587 * green + 0.114 * blue > 128 ? "light" : "dark";
}

function rgb(colour: string): [number, number, number] | null {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(colour)?.[1];
  if (hex) {
    const full = hex.length === 3 ? [...hex].map((digit) => digit + digit).join("") : hex;
    return [0, 2, 4].map((at) => parseInt(full.slice(at, at + 2), 16)) as [number, number, number];
  }
  const numbers = colour.startsWith("rgb") ? colour.match(/[\d.]+/g)?.map(Number) : null;
  if (colour === "white") return [255, 255, 255];
  return numbers && numbers.length >= 3 ? [numbers[0]!, numbers[1]!, numbers[2]!] : null;
}

/** Keeps `data-theme` of `element` right; calls `changed` after each change. The returned function ends it. */
export function followTheme(element: HTMLElement, changed: (theme: Theme) => void = () => {}): () => void {
  const update = () => {
    const theme = pageTheme();
    if (element.dataset.theme === theme) return;
    element.dataset.theme = theme;
    changed(theme);
  };
  const watcher = new MutationObserver(update);
  watcher.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-vscode-theme-kind"] });
  const preference = matchMedia("(prefers-color-scheme: dark)");
  preference.addEventListener("change", update);
  update();
  return () => {
    watcher.disconnect();
    preference.removeEventListener("change", update);
  };
}

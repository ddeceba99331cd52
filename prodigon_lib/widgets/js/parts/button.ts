import { icon, type IconName } from "../look/icons";
import { h, type Props } from "./dom";
import { visible } from "./hidden";

interface Look extends Props {
  icon?: IconName;
  kind?: "primary" | "bare";
  /** Said to a screen reader and shown as a tip, where the icon stands alone. */
  name?: string;
}

export function button(text: string, look: Look = {}): HTMLButtonElement {
  const { icon: picture, kind = "", name, class: more = "", ...props } = look;
  const label = name ? { "aria-label": name, title: name } : {};
  return h(
    "button",
    { type: "button", class: `button ${kind} ${more}`.trim(), ...label, ...props },
    picture && icon(picture),
    text && h("span", {}, text),
  );
}

/** A button that copies, and says for a moment that it did. */
export function copyButton(text: () => string, name = "Copy"): HTMLButtonElement {
  const made = button("", {
    icon: "copy",
    kind: "bare",
    name,
    onclick: async () => {
      const copied = await copyText(text(), made);
      made.replaceChildren(icon(copied ? "check" : "warn"));
      made.setAttribute("aria-label", copied ? "Copied" : "This page may not copy");
      setTimeout(() => {
        made.replaceChildren(icon("copy"));
        made.setAttribute("aria-label", name);
      }, 1500);
    },
  });
  return made;
}

/** What is seen of a text. The clipboard of a page on plain http is closed; a selected text area can still be copied from. */
export async function copyText(source: string, near: HTMLElement): Promise<boolean> {
  const text = visible(source);
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // try the old way
    }
  }
  const area = h("textarea", { class: "for-readers", "aria-hidden": "true" });
  area.value = text;
  near.after(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  near.focus();
  return copied;
}

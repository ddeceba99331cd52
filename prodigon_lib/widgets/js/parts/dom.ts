// Elements in one expression. Text comes into them as it is seen, since anybody may have written it.

import { visible } from "./hidden";

export type Child = Node | string | number | null | undefined | false;
type Listeners = { [Name in keyof HTMLElementEventMap as `on${Name}`]?: (event: HTMLElementEventMap[Name]) => void };
export type Props = Listeners & Record<string, unknown>;

/** `on…` are listeners, `class` and other names attributes; false and null leave one out, true sets it empty. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value as EventListener);
    else setAttribute(element, name, value);
  }
  append(element, children);
  return element;
}

export function setAttribute(element: Element, name: string, value: unknown): void {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

export function append(element: ParentNode, children: Child[]): void {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(typeof child === "string" ? visible(child) : (child as Node));
  }
}

export function replace(element: ParentNode, ...children: Child[]): void {
  element.replaceChildren();
  append(element, children);
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag: string, attributes: Record<string, string | number>, ...children: Node[]): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

let ids = 0;

/** An id for `aria-labelledby` and `for`, unlike any other of this page. */
export function uniqueId(word: string): string {
  return `prodigon-${word}-${++ids}`;
}

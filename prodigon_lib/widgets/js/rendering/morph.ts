// Makes a tree like another one by changing only what differs: no flicker, and a selection stays.

export function morph(live: Node, wanted: Node): void {
  let at = live.firstChild;
  for (const want of [...wanted.childNodes]) {
    if (!at) {
      live.appendChild(want);
      continue;
    }
    const next: ChildNode | null = at.nextSibling;
    if (!at.isEqualNode(want)) change(live, at, want);
    at = next;
  }
  while (at) {
    const next: ChildNode | null = at.nextSibling;
    at.remove();
    at = next;
  }
}

function change(parent: Node, at: ChildNode, want: ChildNode): void {
  if (at instanceof Text && want instanceof Text) {
    if (want.data.startsWith(at.data)) at.appendData(want.data.slice(at.data.length));
    else at.data = want.data;
  } else if (at instanceof Element && want instanceof Element && at.tagName === want.tagName) {
    for (const { name } of [...at.attributes]) if (!want.hasAttribute(name)) at.removeAttribute(name);
    for (const { name, value } of [...want.attributes]) if (at.getAttribute(name) !== value) at.setAttribute(name, value);
    morph(at, want);
  } else {
    parent.replaceChild(want, at);
  }
}

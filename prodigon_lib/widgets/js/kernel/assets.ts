// Large modules come from the kernel when they are first needed, once for a page.

import type { Bridge } from "./bridge";

declare const DIGESTS: Record<string, string>;

const SHELF = Symbol.for("prodigon.assets");

function shelf(): Map<string, Promise<unknown>> {
  const page = globalThis as unknown as Record<symbol, Map<string, Promise<unknown>>>;
  return (page[SHELF] ??= new Map());
}

export function loadAsset<Module>(bridge: Bridge, name: string): Promise<Module> {
  const key = `${name} ${DIGESTS[name]}`;
  let module = shelf().get(key);
  if (!module) {
    module = fetchModule(bridge, name);
    shelf().set(key, module);
    module.catch(() => shelf().delete(key));
  }
  return module as Promise<Module>;
}

async function fetchModule(bridge: Bridge, name: string): Promise<unknown> {
  const { buffers } = await bridge.askAttached<string>("asset", { name });
  const url = URL.createObjectURL(new Blob([buffers[0] as BlobPart], { type: "text/javascript" }));
  try {
    return await import(/* @vite-ignore */ url);
  } finally {
    URL.revokeObjectURL(url);
  }
}

// Work that goes on only while somebody can see it.

/** Calls `begin` when `element` comes into view of a page that is in front, and what it returned when it leaves. */
export function whileSeen(element: Element, begin: () => () => void): () => void {
  let inView = false;
  let end: (() => void) | null = null;
  const update = () => {
    const seen = inView && !document.hidden;
    if (seen && !end) end = begin();
    else if (!seen && end) {
      end();
      end = null;
    }
  };
  const observer = new IntersectionObserver((entries) => {
    inView = entries.at(-1)!.isIntersecting;
    update();
  });
  observer.observe(element);
  document.addEventListener("visibilitychange", update);
  return () => {
    observer.disconnect();
    document.removeEventListener("visibilitychange", update);
    end?.();
    end = null;
  };
}

import { useCallback, useEffect, useRef, useState } from 'react';

/** How much of what is in view stays in view when reading on. */
const OVERLAP = 0.2;

/** For a text longer than its place: whether there is more below, and going there without a scrolling finger. */
export function useReadOn() {
  const scroller = useRef<HTMLElement>(null);
  const [moreBelow, setMoreBelow] = useState(false);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    // One pixel of tolerance: scrollTop is a fraction on scaled displays, the heights are not.
    const look = () => setMoreBelow(element.scrollTop + element.clientHeight < element.scrollHeight - 1);
    const observer = new ResizeObserver(look);
    observer.observe(element);
    for (const child of element.children) observer.observe(child);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);

  const readOn = useCallback(() => {
    const element = scroller.current;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    element?.scrollBy({ top: element.clientHeight * (1 - OVERLAP), behavior: calm ? 'instant' : 'smooth' });
  }, []);

  return { scroller, moreBelow, readOn };
}

// Which part of a long list is visible. TanStack Virtual does the work, on blocks of rows instead of single rows: a million
// rows are then a hundred thousand items.

import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";

export const BLOCK = 10;
// Browsers draw nothing beyond a height between 17 and 33 million pixels. A longer list is scrolled by a factor.
const HIGHEST = 15_000_000;

export interface Visible { blocks: { index: number; top: number }[]; height: number; first: number; last: number; scrollToRow: (row: number) => void }

export function useVirtual(scroller: RefObject<HTMLElement | null>, rows: number, rowHeight: number): Visible {
  const [, draw] = useReducer((n: number, _: void) => n + 1, 0);
  const whole = rows * rowHeight;
  const height = Math.min(whole, HIGHEST);
  const shown = scroller.current?.clientHeight ?? 0;
  const factor = height > shown ? Math.max(1, (whole - shown) / (height - shown)) : 1;
  // The observer below is made once, before the height of the table is known, so it has to look the factor up. The first
  // one would lead some rows past the right place at the end of a million.
  const latest = useRef(factor);
  latest.current = factor;
  const options = {
    count: Math.ceil(rows / BLOCK),
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight * BLOCK,
    overscan: 1,
    observeElementRect,
    observeElementOffset: (instance: Virtualizer<HTMLElement, HTMLElement>, changed: (offset: number, isScrolling: boolean) => void) =>
      observeElementOffset(instance, (offset, isScrolling) => changed(offset * latest.current, isScrolling)),
    scrollToFn: (offset: number, rest: { adjustments?: number; behavior?: ScrollBehavior }, instance: Virtualizer<HTMLElement, HTMLElement>) =>
      elementScroll(offset / factor, rest, instance),
    onChange: () => draw(),
  };
  const [instance] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(options));
  instance.setOptions(options);
  useLayoutEffect(() => instance._didMount(), []);
  useLayoutEffect(() => instance._willUpdate());
  useLayoutEffect(() => { instance.measure(); }, [rowHeight, rows]);
  const offset = instance.scrollOffset ?? 0;
  const shift = (scroller.current?.scrollTop ?? 0) - offset;
  const blocks = instance.getVirtualItems().map((item) => ({ index: item.index, top: item.start + (factor > 1 ? shift : 0) }));
  const inView = Math.max(1, Math.floor(shown / rowHeight));
  const first = Math.floor(offset / rowHeight);
  const scrollToRow = (row: number) => {
    const element = scroller.current!;
    const top = row * rowHeight, now = element.scrollTop * factor;
    const room = element.clientHeight - rowHeight;
    if (top < now) element.scrollTop = top / factor;
    else if (top > now + room) element.scrollTop = (top - room) / factor;
  };
  return { blocks, height, first, last: Math.min(rows, first + inView), scrollToRow };
}

import type { RefObject } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** This close to the end counts as at the end: rounding, and a reader who nudged the wheel. */
const AT_END_PX = 48;
/** Older history is asked for this far before its end is reached. */
const OLDER_AHEAD_PX = 600;
const DIVIDER_MARGIN_PX = 72;

interface TimelineScroll {
  /** The element that scrolls. */
  readonly log: RefObject<HTMLDivElement | null>;
  /** What it scrolls over. */
  readonly content: RefObject<HTMLDivElement | null>;
  /** Whether the reader is at the newest message. */
  readonly isAtEnd: boolean;
  /** To be called on every scroll of the log. */
  readonly onScroll: () => void;
  readonly scrollToEnd: () => void;
}

/**
 * Keeps a timeline where its reader wants it: at the end as long as the reader is there, and else still, also when older
 * messages are put in above. Starts at the element of class `divider`, if there is one, and else at the end.
 */
export function useTimelineScroll(firstKey: string | undefined, onNearStart: () => void): TimelineScroll {
  const log = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(false);
  const sticks = useRef(true);
  const shownFirstKey = useRef(firstKey);
  const lastTop = useRef(0);

  const onScroll = useCallback(() => {
    const element = log.current;
    if (element === null) return;
    const isNear = element.scrollHeight - element.scrollTop - element.clientHeight < AT_END_PX;
    // Only a move upwards lets go: the end also runs away from a reader who stays, when messages come in faster than frames.
    if (isNear) sticks.current = true;
    else if (element.scrollTop < lastTop.current) sticks.current = false;
    lastTop.current = element.scrollTop;
    setIsAtEnd(sticks.current);
    if (element.scrollTop < OLDER_AHEAD_PX) onNearStart();
  }, [onNearStart]);

  const scrollToEnd = useCallback(() => {
    sticks.current = true;
    if (log.current !== null) log.current.scrollTop = log.current.scrollHeight;
  }, []);

  // Read while rendering, that is before the older messages stand above: afterwards the place is lost.
  const anchor = firstKey === shownFirstKey.current ? undefined : anchorOf(log.current);

  useLayoutEffect(() => {
    shownFirstKey.current = firstKey;
    if (anchor !== undefined && log.current !== null && !sticks.current)
      log.current.scrollTop += anchor.element.getBoundingClientRect().top - anchor.top;
  }, [firstKey]);

  useLayoutEffect(() => {
    const divider = log.current?.querySelector<HTMLElement>('.divider');
    if (log.current !== null && divider) {
      sticks.current = false;
      log.current.scrollTop = divider.offsetTop - DIVIDER_MARGIN_PX;
    } else scrollToEnd();
    onScroll();
  }, []);

  useEffect(() => {
    const observer = new ResizeObserver(() => {
      if (sticks.current) scrollToEnd();
      onScroll();
    });
    for (const { current } of [log, content]) if (current !== null) observer.observe(current);
    return () => observer.disconnect();
  }, [onScroll, scrollToEnd]);

  return { log, content, isAtEnd, onScroll, scrollToEnd };
}

/** The first message in sight, and where it stands. */
function anchorOf(log: HTMLElement | null): { element: Element; top: number } | undefined {
  const logTop = log?.getBoundingClientRect().top ?? 0;
  for (const element of log?.querySelectorAll('[data-key]') ?? []) {
    const { top, bottom } = element.getBoundingClientRect();
    if (bottom > logTop) return { element, top };
  }
  return undefined;
}

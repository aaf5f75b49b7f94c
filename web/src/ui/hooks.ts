import { useEffect, useState } from 'preact/hooks';

/** Whether the page is the one in front in its window. */
export function useIsVisible(): boolean {
  const [isVisible, setIsVisible] = useState(document.visibilityState === 'visible');
  useEffect(() => {
    const update = (): void => setIsVisible(document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', update);
    return () => document.removeEventListener('visibilitychange', update);
  }, []);
  return isVisible;
}

/** Now, renewed at midnight: "Today" becomes "Yesterday" in a page that stays open. */
export function useToday(): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setTimeout(() => setNowMs(Date.now()), new Date(nowMs).setHours(24, 0, 1, 0) - Date.now());
    return () => clearTimeout(timer);
  }, [nowMs]);
  return nowMs;
}

const ROUTE = /^#\/c\/([A-Za-z0-9_-]{1,64})$/;

/** The open conversation stands in the address, so that reload, back and forward do what people expect. */
export function useOpenConversation(): [string | undefined, (conversationId: string | undefined) => void] {
  const [openId, setOpenId] = useState(readRoute);
  useEffect(() => {
    const update = (): void => setOpenId(readRoute());
    addEventListener('hashchange', update);
    return () => removeEventListener('hashchange', update);
  }, []);
  return [openId, (conversationId) => (location.hash = conversationId === undefined ? '#/' : routeOf(conversationId))];
}

export function routeOf(conversationId: string): string {
  return `#/c/${conversationId}`;
}

function readRoute(): string | undefined {
  return ROUTE.exec(location.hash)?.[1];
}

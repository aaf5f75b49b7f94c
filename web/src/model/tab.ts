import { cleanName, userIdOf, type Identity } from './identity.ts';

/** What is remembered lives in the tab (sessionStorage): a reload keeps the user, and two tabs can be two users. */
const NAME_KEY = 'parley.name';
const DRAFT_KEY = 'parley.draft.';
/** Names used in this browser, offered again on the sign-in page. */
const RECENT_KEY = 'parley.recent';
const RECENT_MAX = 4;

/** The user of this tab: `?as=Name` wins, so that a link can open the page as someone. */
export function rememberedIdentity(): Identity | undefined {
  const asked = new URLSearchParams(location.search).get('as');
  const name = cleanName(asked ?? sessionStorage.getItem(NAME_KEY) ?? '');
  return name === '' ? undefined : { userId: userIdOf(name), name };
}

export function rememberIdentity(identity: Identity): void {
  sessionStorage.setItem(NAME_KEY, identity.name);
  const others = recentNames().filter((name) => name !== identity.name);
  localStorage.setItem(RECENT_KEY, JSON.stringify([identity.name, ...others].slice(0, RECENT_MAX)));
}

/** Ends the user's stay in this tab, drafts included. */
export function forgetIdentity(): void {
  sessionStorage.clear();
  history.replaceState(null, '', location.pathname);
}

/** Newest first. */
export function recentNames(): string[] {
  try {
    const names: unknown = JSON.parse(localStorage.getItem(RECENT_KEY) ?? '[]');
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string').slice(0, RECENT_MAX) : [];
  } catch {
    return [];
  }
}

export function readDraft(conversationId: string): string {
  return sessionStorage.getItem(DRAFT_KEY + conversationId) ?? '';
}

export function writeDraft(conversationId: string, text: string): void {
  if (text === '') sessionStorage.removeItem(DRAFT_KEY + conversationId);
  else sessionStorage.setItem(DRAFT_KEY + conversationId, text);
}

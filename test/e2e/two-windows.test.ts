import type { Browser } from 'playwright-core';
import { describeWith } from '../require.ts';
import { openBrowser, shoot, Window } from './browser.ts';
import { startParley, type Parley } from './parley.ts';

jest.setTimeout(120_000);

/** Part of every name: what runs at `PARLEY_URL` may remember an earlier run. */
const RUN = Date.now().toString(36);

describeWith('chromium', 'two windows, two users', (chromium) => {
  let parley: Parley;
  let browser: Browser;
  let ana: Window;
  let ben: Window;

  beforeAll(async () => {
    parley = await startParley();
    browser = await openBrowser(chromium);
    ana = await Window.signIn(browser, parley.url, `Ana ${RUN}`);
    ben = await Window.signIn(browser, parley.url, `Ben ${RUN}`);
  });

  afterAll(async () => {
    await browser.close();
    await parley.stop();
  });

  it('shows to Ben what Ana writes, within a second', async () => {
    await ana.startDirect(`ben-${RUN}`);
    await ana.write('Hello Ben 👋');
    const sentAtMs = Date.now();
    await ben.page.locator('.conversation-item').first().waitFor({ timeout: 5_000 });
    await ben.page.locator('[data-testid^="unread-"]').waitFor({ timeout: 5_000 });
    expect(Date.now() - sentAtMs).toBeLessThan(1_000);
    await ana.waitForTick('Hello Ben', 'delivered');
  });

  it('turns the ticks from one to two to blue', async () => {
    const seen: string[] = [];
    await ana.page.exposeFunction('tickSeen', (status: string) => seen.push(status));
    await ana.page.evaluate(() => {
      const look = (): void => {
        const last = [...document.querySelectorAll('[data-testid="message"]')].at(-1);
        const text = last?.querySelector('[data-testid="message-text"]')?.textContent;
        if (text === 'Do you see this?')
          (window as never as { tickSeen(s: string): void }).tickSeen(last!.getAttribute('data-status')!);
      };
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    });
    await ana.write('Do you see this?');
    await ana.waitForTick('Do you see this?', 'delivered');
    await shoot(ana.page, 'two-grey-ticks');
    await ben.page.locator('.conversation-item').first().click();
    await ana.waitForTick('Do you see this?', 'read');
    await shoot(ana.page, 'blue-ticks');
    await shoot(ben.page, 'ben-reads');
    expect([...new Set(seen)]).toEqual(['queued', 'sent', 'delivered', 'read']);
  });

  it('shows who types', async () => {
    await ben.page.getByTestId('composer').pressSequentially('Hm');
    await ana.page.getByTestId('typing').first().waitFor();
    await shoot(ana.page, 'typing');
    await ben.page.getByTestId('composer').fill('');
  });

  it('brings Ben, back from being offline, exactly the 30 that he missed, in order, with the right unread count', async () => {
    const cleo = await Window.signIn(browser, parley.url, `Cleo ${RUN}`);
    await ben.startDirect(`cleo-${RUN}`);
    await ben.context.setOffline(true);
    await ben.page.getByTestId('offline-banner').waitFor();
    await shoot(ben.page, 'offline');
    const missed = Array.from({ length: 30 }, (_, i) => `missed ${String(i + 1)}`);
    for (const text of missed) await ana.write(text);
    await ana.waitForTick('missed 30', 'sent');
    await ben.context.setOffline(false);
    const unread = ben.page.locator('[data-testid^="unread-"]');
    await expectSoon(() => unread.textContent(), '30');
    await shoot(ben.page, 'unread-30');
    await ben.page.locator('.conversation-item').filter({ hasText: 'Ana' }).click();
    await expectSoon(async () => (await ben.texts()).slice(-30).join(), missed.join());
    await expectSoon(async () => (await ben.texts()).filter((text) => text.startsWith('missed')).length, 30);
    await shoot(ben.page, 'back-online');
    await ben.page.getByTestId('jump-newest').click();
    await expectSoon(() => unread.count(), 0);
    await ana.waitForTick('missed 30', 'read');
    await cleo.close();
  });

  it('loses and doubles nothing when the page is reloaded in mid-send', async () => {
    const texts = Array.from({ length: 30 }, (_, i) => `reloaded ${String(i + 1)}`);
    // Faster than the server answers, so that some are still on their way when the page goes.
    const queued = await ana.page.evaluate(async (all) => {
      const composer = document.querySelector<HTMLTextAreaElement>('[data-testid="composer"]')!;
      const nextTask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
      for (const text of all) {
        composer.value = text;
        composer.dispatchEvent(new Event('input', { bubbles: true }));
        await nextTask();
        document.querySelector<HTMLButtonElement>('[data-testid="send"]')!.click();
        await nextTask();
      }
      return document.querySelectorAll('[data-testid="message"][data-status="queued"]').length;
    }, texts);
    await ana.page.reload();
    expect(queued).toBeGreaterThan(0);
    await ana.page.locator('.conversation-item').filter({ hasText: 'Ben' }).click();
    const reloaded = (all: string[]): string[] => all.filter((text) => text.startsWith('reloaded'));
    await expectSoon(async () => reloaded(await ben.texts()).join(), texts.join());
    await ben.page
      .getByTestId('jump-newest')
      .click({ timeout: 1_000 })
      .catch(() => undefined);
    await ana.waitForTick('reloaded 30', 'read');
    expect(reloaded(await ana.texts())).toEqual(texts);
    expect(reloaded(await ben.texts())).toEqual(texts);
  });

  it('makes no page complain', () => {
    expect([...ana.errors, ...ben.errors]).toEqual([]);
  });
});

/** Waits until what is looked at is as it should be; fails with the difference. */
async function expectSoon<T>(look: () => Promise<T>, wanted: T): Promise<void> {
  const deadlineMs = Date.now() + 15_000;
  let last = await look();
  while (last !== wanted && Date.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    last = await look();
  }
  expect(last).toEqual(wanted);
}

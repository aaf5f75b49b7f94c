import { ParleyClient } from '@parley/client';
import type { Browser } from 'playwright-core';
import { describeWith } from '../require.ts';
import { openBrowser, shoot, Window } from './browser.ts';
import { startParley, type Parley } from './parley.ts';
import { EMOJI_COUNT, NAUGHTY_COUNT, TEXTS } from './texts.ts';

jest.setTimeout(180_000);

/** Part of every name: what runs at `PARLEY_URL` may remember an earlier run. */
const RUN = Date.now().toString(36);

describeWith('chromium', 'real text, from the sender to the page', (chromium) => {
  let parley: Parley;
  let browser: Browser;
  let ana: ParleyClient;

  beforeAll(async () => {
    parley = await startParley();
    browser = await openBrowser(chromium);
    ana = new ParleyClient({ url: parley.socketUrl, token: () => parley.token(`text-ana-${RUN}`) });
    await ana.connect();
  });

  afterAll(async () => {
    await ana.close();
    await browser.close();
    await parley.stop();
  });

  it('arrives byte for byte: naughty strings, every emoji', async () => {
    expect(NAUGHTY_COUNT).toBeGreaterThan(450);
    expect(EMOJI_COUNT).toBeGreaterThan(1_800);
    const ben = await Window.signIn(browser, parley.url, `Text Ben ${RUN}`);
    const { conversationId } = await ana.createDirect(`text-ben-${RUN}`);
    await ben.page.locator('.conversation-item').first().click();
    const sent = new Map<string, string>();
    for (const text of TEXTS) sent.set((await ana.send(conversationId, { text })).key, text);
    await ben.page
      .getByTestId('message')
      .nth(sent.size - 1)
      .waitFor({ state: 'attached', timeout: 120_000 });

    const shown = await ben.texts();
    expect(shown).toHaveLength(sent.size);
    const wrong = TEXTS.filter((text, i) => text !== shown[i]);
    expect(wrong).toEqual([]);
    expect(ana.messages(conversationId).map(({ text }) => text)).toEqual(TEXTS);
    expect(ben.errors).toEqual([]);
    await shoot(ben.page, 'real-text');
  });
});

import type { Browser, Page } from 'playwright-core';
import { describeWith } from '../require.ts';
import { expectAccessible } from './axe.ts';
import { openBrowser, Window } from './browser.ts';
import { startParley, type Parley } from './parley.ts';

jest.setTimeout(120_000);

/** Part of every name: what runs at `PARLEY_URL` may remember an earlier run. */
const RUN = Date.now().toString(36);

const THEMES = ['light', 'dark'] as const;
const PHONE = { width: 390, height: 844 };

describeWith('chromium', 'the web client is for everybody', (chromium) => {
  let parley: Parley;
  let browser: Browser;

  beforeAll(async () => {
    parley = await startParley();
    browser = await openBrowser(chromium);
  });

  afterAll(async () => {
    await browser.close();
    await parley.stop();
  });

  it.each(THEMES)('has nothing that axe finds serious, in any state (%s)', async (colorScheme) => {
    const signedOut = await browser.newContext({ colorScheme });
    const page = await signedOut.newPage();
    await page.goto(parley.url);
    await page.getByTestId('name-input').waitFor();
    await expectAccessible(page, `sign-in-${colorScheme}`);
    await signedOut.close();

    const dora = await Window.signIn(browser, parley.url, `Dora ${colorScheme} ${RUN}`, { colorScheme });
    const emil = await Window.signIn(browser, parley.url, `Emil ${colorScheme} ${RUN}`, { colorScheme });
    await expectAccessible(dora.page, `empty-${colorScheme}`);
    await dora.page.getByTestId('new-chat').first().click();
    await dora.page.getByTestId(`person-emil-${colorScheme}-${RUN}`).waitFor();
    await expectAccessible(dora.page, `people-${colorScheme}`);
    await dora.page.keyboard.press('Escape');
    await dora.startDirect(`emil-${colorScheme}-${RUN}`);
    await dora.write('Shall we meet at the station?\nhttps://example.org/map');
    await emil.page.locator('.conversation-item').first().click();
    await emil.write('Yes! 🚆');
    await dora.page.getByText('Yes! 🚆').first().waitFor();
    await expectAccessible(dora.page, `conversation-${colorScheme}`);
    await dora.context.setOffline(true);
    await dora.page.getByTestId('offline-banner').waitFor();
    await dora.write('Written in a tunnel');
    await dora.waitForTick('Written in a tunnel', 'queued');
    await expectAccessible(dora.page, `offline-${colorScheme}`);
    await dora.close();
    await emil.close();
  });

  it('makes a group and fits on a phone', async () => {
    const guests = await Promise.all(
      ['Gil', 'Hana'].map((name) => Window.signIn(browser, parley.url, `${name} ${RUN}`)),
    );
    const fay = await Window.signIn(browser, parley.url, `Fay ${RUN}`, { viewport: PHONE, hasTouch: true });
    await fay.page.getByTestId('new-chat').first().click();
    await fay.page.getByTestId(`person-gil-${RUN}`).click();
    await fay.page.getByTestId(`person-hana-${RUN}`).click();
    await fay.page.getByTestId('group-title').fill('Trip');
    await fay.page.getByTestId('create-group').click();
    await fay.write('Who brings the map?');
    for (const guest of guests) {
      await guest.page.locator('.conversation-item').filter({ hasText: 'Trip' }).click();
      await guest.page.getByTestId('message-text').getByText('Who brings the map?').waitFor();
    }
    await fay.waitForTick('Who brings the map?', 'read');
    const overflow = await fay.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    await expectAccessible(fay.page, 'phone');
    await Promise.all([fay, ...guests].map((window) => window.close()));
  });

  it('can be used with the keyboard alone', async () => {
    const ida = await Window.signIn(browser, parley.url, `Ida ${RUN}`);
    const joe = await Window.signIn(browser, parley.url, `Joe ${RUN}`);
    await ida.page.keyboard.press('ControlOrMeta+K');
    await ida.page.getByTestId(`person-joe-${RUN}`).waitFor();
    await focusByTab(ida.page, `person-joe-${RUN}`);
    await ida.page.keyboard.press('Space');
    await focusByTab(ida.page, 'start-direct');
    await ida.page.keyboard.press('Enter');
    await ida.page.getByTestId('composer').waitFor();
    await focusByTab(ida.page, 'composer');
    await ida.page.keyboard.type('No mouse needed');
    await ida.page.keyboard.press('Enter');
    await joe.page.locator('.conversation-item').filter({ hasText: 'No mouse needed' }).waitFor();
    await ida.close();
    await joe.close();
  });
});

/** Presses Tab until the hook has the focus; fails when it cannot be reached. */
async function focusByTab(page: Page, testId: string): Promise<void> {
  const hasFocus = (): Promise<boolean> =>
    page
      .getByTestId(testId)
      .evaluate((node) => node === document.activeElement || node.contains(document.activeElement));
  for (let presses = 0; presses < 40; presses++) {
    if (await hasFocus()) return;
    await page.keyboard.press('Tab');
  }
  expect(await hasFocus()).toBe(true);
}

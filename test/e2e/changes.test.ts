import type { Browser, Locator } from 'playwright-core';
import { describeWith } from '../require.ts';
import { expectAccessible } from './axe.ts';
import { openBrowser, shoot, Window } from './browser.ts';
import { startParley, type Parley } from './parley.ts';

jest.setTimeout(120_000);

/** Part of every name: what runs at `PARLEY_URL` may remember an earlier run. */
const RUN = Date.now().toString(36);

describeWith('chromium', 'what was said, and who hears it, can be changed', (chromium) => {
  let parley: Parley;
  let browser: Browser;
  let ana: Window;
  let ben: Window;

  beforeAll(async () => {
    parley = await startParley();
    browser = await openBrowser(chromium);
    ana = await Window.signIn(browser, parley.url, `Ana ${RUN}`);
    ben = await Window.signIn(browser, parley.url, `Ben ${RUN}`);
    const cleo = await Window.signIn(browser, parley.url, `Cleo ${RUN}`);
    await ana.page.getByTestId('new-chat').first().click();
    for (const name of ['ben', 'cleo']) await ana.page.getByTestId(`person-${name}-${RUN}`).click();
    await ana.page.getByTestId('group-title').fill('Crew');
    await ana.page.getByTestId('create-group').click();
    await ana.page.getByTestId('create-group').waitFor({ state: 'hidden' });
    await ben.page.locator('.conversation-item').filter({ hasText: 'Crew' }).click();
    await cleo.close();
  });

  afterAll(async () => {
    await browser.close();
    await parley.stop();
  });

  const messageOf = (window: Window, text: string): Locator =>
    window.page.getByTestId('message').filter({ hasText: text });
  const openMenu = async (window: Window, text: string): Promise<void> => {
    const message = messageOf(window, text);
    await message.hover();
    await message.locator('summary').click();
  };

  it('by the keyboard alone: another text for a message, in both windows', async () => {
    await ana.write('Meet at noon');
    await ana.waitForTick('Meet at noon', 'sent');
    await messageOf(ana, 'Meet at noon').locator('summary').focus();
    await ana.page.keyboard.press('Enter');
    await ana.page.getByTestId('edit-message').focus();
    await expectAccessible(ana.page, 'message-menu');
    await ana.page.keyboard.press('Enter');
    await ana.page.getByTestId('message-editor').fill('Meet at one');
    await expectAccessible(ana.page, 'message-editor');
    await ana.page.keyboard.press('Enter');
    for (const window of [ana, ben]) {
      await messageOf(window, 'Meet at one').getByText('edited').waitFor();
      expect(await window.texts()).toEqual(['Meet at one']);
    }
    expect(await ben.page.getByTestId('message-menu').count()).toBe(0);
  });

  it('a message is taken back, and nothing of it is left on either page', async () => {
    await ben.write('A secret');
    await openMenu(ana, 'A secret');
    // The owner may delete it, and not edit it.
    expect(await ana.page.getByTestId('edit-message').count()).toBe(0);
    await ana.page.getByTestId('delete-message').click();
    for (const window of [ana, ben]) {
      await window.page.getByText('This message was deleted.').waitFor();
      expect(await window.page.content()).not.toContain('A secret');
    }
    await shoot(ana.page, 'deleted');
    await expectAccessible(ana.page, 'deleted');
  });

  it('members go and come, and the group goes from the list of whoever is out', async () => {
    await ana.page.getByTestId('open-members').click();
    await ana.page.getByTestId(`member-cleo-${RUN}`).waitFor();
    await expectAccessible(ana.page, 'members');
    await shoot(ana.page, 'members');
    await ana.page.getByTestId(`remove-ben-${RUN}`).click();
    await ben.page.locator('.conversation-item').filter({ hasText: 'Crew' }).waitFor({ state: 'detached' });
    await ana.page.getByTestId(`member-ben-${RUN}`).waitFor({ state: 'detached' });
    await ana.page.getByTestId('add-people').click();
    await ana.page.getByTestId(`person-ben-${RUN}`).click();
    await ana.page.getByTestId('add-picked').click();
    await ana.page.getByTestId(`member-ben-${RUN}`).waitFor();
    await ana.page.keyboard.press('Escape');
    await ana.write('Welcome back');
    await ben.page.locator('.conversation-item').filter({ hasText: 'Crew' }).click();
    await messageOf(ben, 'Welcome back').waitFor();
    // What was said before is not for whoever came later.
    expect(await ben.texts()).toEqual(['Welcome back']);
  });

  it('one may leave', async () => {
    await ben.page.getByTestId('open-members').click();
    expect(await ben.page.getByTestId('add-people').count()).toBe(0);
    await ben.page.getByTestId('leave-group').click();
    await ben.page.locator('.conversation-item').filter({ hasText: 'Crew' }).waitFor({ state: 'detached' });
    expect([...ana.errors, ...ben.errors]).toEqual([]);
  });
});

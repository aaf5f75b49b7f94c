import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: FLAGS });
}

/** Screenshots for whoever wants to look; not committed. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = join(process.cwd(), 'artefacts', 'screenshots', process.env['PARLEY_ARTEFACTS'] ?? '');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** One window of one user, driven by the hooks that web/README.md lists. */
export class Window {
  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    /** What the page complained about. */
    readonly errors: string[],
  ) {}

  static async signIn(
    browser: Browser,
    url: string,
    name: string,
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<Window> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(url);
    await page.getByTestId('name-input').fill(name);
    await page.getByTestId('sign-in').click();
    await page.getByTestId('new-chat').first().waitFor();
    return new Window(context, page, errors);
  }

  async startDirect(userId: string): Promise<void> {
    await this.page.getByTestId('new-chat').first().click();
    await this.page.getByTestId(`person-${userId}`).click();
    await this.page.getByTestId('start-direct').click();
    // The dialog closes when the conversation is there; until then the composer may be another one's.
    await this.page.getByTestId('start-direct').waitFor({ state: 'hidden' });
    await this.page.getByTestId('composer').waitFor();
  }

  async write(text: string): Promise<void> {
    await this.page.getByTestId('composer').fill(text);
    await this.page.getByTestId('send').click();
  }

  /** The texts of the open conversation as they are shown, oldest first. */
  texts(): Promise<string[]> {
    return this.page.getByTestId('message-text').evaluateAll((nodes) => nodes.map((node) => node.textContent));
  }

  /** Waits until the newest message's own tick says so. */
  async waitForTick(text: string, status: 'queued' | 'sent' | 'delivered' | 'read'): Promise<void> {
    await this.page
      .getByTestId('message')
      .filter({ hasText: text })
      .and(this.page.locator(`[data-status="${status}"]`))
      .waitFor();
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

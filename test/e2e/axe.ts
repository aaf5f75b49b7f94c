import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { shoot } from './browser.ts';

/** Nothing that axe calls serious stands on the page. Keeps a screenshot by that name. */
export async function expectAccessible(page: Page, name: string): Promise<void> {
  await shoot(page, name);
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => (window as never as { axe: typeof axe }).axe.run());
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const seen = grave.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
  expect(seen).toEqual([]);
  expect(passes.length).toBeGreaterThan(5);
}

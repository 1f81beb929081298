import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { RawClient } from '../helpers/raw-client.ts';
import { startWorld, type World } from './world.ts';

const PAGES = ['overview', 'tables', 'dlq', 'playground', 'configuration', 'logs'];
/** Names that would run, break out of a tag, or look like another name, if anything let them. */
const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '"><script>alert(2)</script>',
  'a/../b?c#d%2e',
  '\u202egpj.exe',
  "'; drop table--",
];

let world: World;

beforeAll(async () => {
  world = await startWorld();
  const client = await RawClient.connect(world.rdi.port);
  for (const name of HOSTILE) {
    const event = JSON.stringify({
      before: null,
      after: { id: 1, name },
      op: 'c',
      source: { db: 'd', schema: name, table: name },
    });
    await client.ask('XADD', `shop.${name}`, '*', 'key', '{"id":1}', 'value', event);
    await client.ask('XADD', `shop.${name}`, '*', 'key', '<b>', 'value', '<script>alert(3)</script>');
  }
  client.socket.destroy();
  await world.rdi.settled(({ totals }) => totals.received === 2 * HOSTILE.length, 20_000);
});

afterAll(() => world.close());

afterEach(() => {
  expect(world.complaints()).toEqual([]);
});

test('names from outside are text everywhere, and lead to their own table', async () => {
  const page = await world.open('#/tables');
  await page.getByRole('table').waitFor();
  expect(await page.locator('tbody tr').count()).toBe(HOSTILE.length);
  expect(await page.locator('main img, main script').count()).toBe(0);
  expect(await page.locator('main').textContent()).toContain('\\u202egpj.exe');
  expect(await page.locator('main').textContent()).not.toContain('\u202e');
  for (let index = 0; index < HOSTILE.length; index++) {
    await page.goto(`${world.rdi.http}/#/tables`);
    const link = page.locator('tbody tr').nth(index).getByRole('link').first();
    const name = await link.textContent();
    await link.click();
    await page.getByRole('heading', { level: 1, name: name!, exact: true }).waitFor();
  }
  await page.goto(`${world.rdi.http}/#/dlq`);
  await page.locator('tbody tr').first().getByRole('link').click();
  await page.locator('tbody tr').first().getByRole('link').click();
  await page.getByTestId('reason').waitFor();
  expect(await page.locator('main img, main script').count()).toBe(0);
});

test('everything is reached with the keyboard, and the focus can be seen', async () => {
  const page = await world.open('');
  await page.getByTestId('account').waitFor();
  await page.keyboard.press('Tab');
  expect(await focused(page)).toBe('Skip to the content');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
  for (const name of ['Tables', 'DLQ', 'Playground', 'Configuration', 'Logs']) {
    await page.reload();
    await page.getByRole('navigation').getByRole('link', { name }).waitFor();
    for (let steps = 0; steps < 20 && !(await focused(page)).startsWith(name); steps++)
      await page.keyboard.press('Tab');
    expect(await focused(page)).toMatch(new RegExp(`^${name}`));
    expect(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).toBe('solid');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForFunction((title) => document.title.startsWith(title), name === 'DLQ' ? 'DLQ' : name);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
  }
});

test('a walk with Tab comes to every control of a page and out again', async () => {
  const page = await world.open('#/configuration');
  await page.getByRole('button', { name: 'config.yaml' }).waitFor();
  const seen = new Set<string>();
  for (let steps = 0; steps < 40; steps++) {
    await page.keyboard.press('Tab');
    seen.add(await focused(page));
  }
  for (const name of ['Stop', 'Reset', 'config.yaml', 'New file', 'Kind']) expect([...seen].join('|')).toContain(name);
  // The editor does not keep Tab for itself.
  expect([...seen].some((name) => name.includes('Overview'))).toBe(true);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`all text has a contrast of 4.5 to 1 at least, ${colorScheme}`, async () => {
    const page = await world.open('', { colorScheme });
    for (const place of PAGES) {
      await goTo(page, place);
      expect([place, await faintTexts(page)]).toEqual([place, []]);
    }
  });
}

test('the theme can be chosen against the system, and is kept', async () => {
  const page = await world.open('', { colorScheme: 'light' });
  const ground = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByLabel('Theme').selectOption('dark');
  expect(await ground()).not.toBe(light);
  await page.reload();
  expect(await ground()).not.toBe(light);
});

test('no page is wider than a window of 360 to 1920 pixels', async () => {
  for (const width of [360, 768, 1920]) {
    const page = await world.open('', { viewport: { width, height: 800 } });
    for (const place of PAGES) {
      await goTo(page, place);
      const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect([place, width, Math.max(0, excess)]).toEqual([place, width, 0]);
    }
  }
});

test('every table has a caption and every field a label', async () => {
  const page = await world.open('');
  for (const place of PAGES) {
    await goTo(page, place);
    const nameless = await page.evaluate(
      () =>
        [...document.querySelectorAll<HTMLInputElement>('input, select, textarea')].filter(
          ({ labels }) => labels?.length === 0,
        ).length + [...document.querySelectorAll('table')].filter((table) => !table.caption?.textContent).length,
    );
    expect([place, nameless]).toEqual([place, 0]);
  }
});

/** Goes to a page and gives what it asks for time to arrive. */
async function goTo(page: Page, place: string): Promise<void> {
  await page.goto(`${world.rdi.http}/#/${place}`);
  const title = place === 'dlq' ? 'DLQ' : place[0]!.toUpperCase() + place.slice(1);
  await page.waitForFunction((start) => document.title.startsWith(start), title);
  await page.waitForTimeout(300);
}

/** Name of what has the focus. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    const labels = element && 'labels' in element ? [...((element as HTMLInputElement).labels ?? [])] : [];
    return labels[0]?.textContent ?? element?.getAttribute('aria-label') ?? element?.textContent ?? '';
  });
}

/** Visible texts whose colour is too near to that of what is behind them, with the ratio. */
function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const parts = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
    const light = (color: string): number => {
      const [r, g, b] = parts(color).map((part) =>
        part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    const ground = (element: Element | null): string => {
      for (let at = element; at; at = at.parentElement) {
        const color = getComputedStyle(at).backgroundColor;
        if (parts(color)[3] !== 0) return color;
      }
      return 'rgb(255, 255, 255)';
    };
    const faint: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement!;
      if (!node.textContent?.trim() || !element.checkVisibility()) continue;
      const [front, back] = [light(getComputedStyle(element).color), light(ground(element))];
      const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
      if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${node.textContent.trim().slice(0, 40)}`);
    }
    return faint;
  });
}

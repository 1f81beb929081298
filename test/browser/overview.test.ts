import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { replayFile } from '../../src/replay/index.ts';
import { startWorld, type World } from './world.ts';

const TRAFFIC = join(import.meta.dirname, '../../fixtures/pg-3.6-extended/sink.client.resp.gz');
const PLACES = [
  'received',
  'written',
  'filtered',
  'superseded',
  'deduplicated',
  'rejected',
  'skipped',
  'pending',
] as const;

let world: World;

beforeAll(async () => {
  world = await startWorld();
  await replayFile({ file: TRAFFIC, to: { host: '127.0.0.1', port: world.rdi.port } });
  await world.rdi.settled(({ totals }) => totals.received > 1000, 30_000);
});

afterAll(() => world.close());

afterEach(() => {
  expect(world.complaints()).toEqual([]);
});

function problems(page: Page): Promise<string | null> {
  return page.getByTestId('problems').textContent();
}

test('the accounting line says what the API says, and that it adds up', async () => {
  const page = await world.open('');
  const account = page.getByTestId('account');
  await account.getByText('adds up').waitFor();
  const { totals } = await world.rdi.status();
  for (const place of PLACES) {
    const shown = await account.locator(`[data-count="${place}"]`).textContent();
    expect([place, Number(shown?.replaceAll(',', ''))]).toEqual([place, totals[place]]);
  }
});

test('every table is listed with the counts of the API, and can be sorted and filtered', async () => {
  const page = await world.open('#/tables');
  await page.getByRole('table').waitFor();
  const { streams } = await world.rdi.status();
  expect(await page.locator('tbody tr').count()).toBe(streams.length);
  await page.getByRole('button', { name: 'Received' }).click();
  await page.getByRole('button', { name: 'Received' }).click();
  const most = [...streams].sort((a, b) => b.received - a.received)[0]!;
  await page.locator('tbody tr').first().getByText(most.table!).waitFor();
  expect(await page.locator('tbody tr').first().textContent()).toContain(most.received.toLocaleString('en'));
  expect(await page.locator('th[aria-sort=descending]').count()).toBe(1);
  await page.getByLabel('Filter by name').fill('customers');
  expect(await page.locator('tbody tr').count()).toBe(1);
});

test('a problem comes first when the target is gone, and goes when it is back', async () => {
  const page = await world.open('');
  await page.getByTestId('account').waitFor();
  await world.redis.kill();
  await page.getByTestId('problems').getByText('cannot take writes').waitFor();
  expect(await problems(page)).toMatch(/^Error/);
  expect(await page.getByTestId('state').textContent()).toContain('data does not flow');
  await page.getByRole('status').filter({ hasText: 'New problem' }).first().waitFor({ state: 'attached' });
  await world.redis.restart();
  await page.getByTestId('problems').getByText('cannot take writes').waitFor({ state: 'detached', timeout: 40_000 });
});

test('the page stays while rdi restarts, says so, and goes on by itself', async () => {
  const page = await world.open('');
  await page.getByTestId('account').waitFor();
  await world.rdi.end('SIGTERM');
  await page.getByText('No answer for').waitFor();
  expect(await page.getByTestId('account').textContent()).toContain('adds up');
  await world.rdi.start();
  await page.getByText('No answer for').waitFor({ state: 'detached' });
  // What the browser says of requests that nobody answered is no fault of the page.
  expect(
    world
      .complaints()
      .filter((text) => !/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|503/.test(text)),
  ).toEqual([]);
});

test('the log is shown as it was written, from the level and with the word that are asked for', async () => {
  const page = await world.open('#/logs');
  await page.getByText('rdi serves feeders').waitFor();
  await page.getByLabel('Search').fill('no such word');
  await page.getByText('No line fits.').waitFor();
  await page.getByLabel('Search').fill('');
  await page.getByLabel('Level from').selectOption('error');
  await page.getByText('rdi serves feeders').waitFor({ state: 'detached' });
});

test('the whole page weighs less than 150 kB, and runs no script that is not its own file', async () => {
  const answer = await fetch(`${world.rdi.http}/`);
  const html = await answer.text();
  const files = [...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map((match) => match[1]!);
  expect(files.some((file) => file.endsWith('.js'))).toBe(true);
  expect(html).not.toMatch(/<script(?![^>]*src=)/);
  let bytes = html.length;
  for (const file of files) {
    const { headers, status } = await fetch(`${world.rdi.http}/${file}`, { method: 'HEAD' });
    expect([file, status, headers.get('content-encoding')]).toEqual([file, 200, 'gzip']);
    bytes += Number(headers.get('content-length'));
  }
  expect(bytes).toBeLessThan(150_000);
  expect(bytes).toBeGreaterThan(20_000);
});

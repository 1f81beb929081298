import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { replayFile } from '../../src/replay/index.ts';
import { startWorld, type World } from './world.ts';

const TRAFFIC = join(import.meta.dirname, '../../fixtures/pg-3.6-extended/sink.client.resp.gz');
const STREAM = 'shop.shop.customers';
const JOB = `source:
  table: customers
transform:
  - uses: add_field
    with:
      field: full_name
      language: jmespath
      expression: concat([first_name, ' ', last_name])
output:
  - uses: redis.write
    with:
      data_type: hash
      key:
        language: jmespath
        expression: concat(['customer:', id])
`;

let world: World;

beforeAll(async () => {
  world = await startWorld({ 'jobs/customers.yaml': JOB });
  await replayFile({ file: TRAFFIC, to: { host: '127.0.0.1', port: world.rdi.port } });
  await world.rdi.settled(({ totals }) => totals.received > 1000, 30_000);
});

afterAll(() => world.close());

afterEach(() => {
  expect(world.complaints()).toEqual([]);
});

/** Opens the playground with a deployed job and the newest update of its table. */
async function openPlayground(): Promise<Page> {
  const response = await fetch(`${world.rdi.http}/api/v2/pipelines/default/events?limit=500&stream=${STREAM}`);
  const { events } = (await response.json()) as { events: { entry_id: string; op: string }[] };
  const update = events.find(({ op }) => op === 'u')!;
  return world.open(`#/playground?stream=${STREAM}&entry=${update.entry_id}&job=customers`);
}

test('a deployed job on a recent event shows what each block changed, and the commands', async () => {
  const page = await openPlayground();
  await page.getByTestId('outcome').getByText('written').waitFor();
  expect(await page.getByTestId('steps').locator('.added').textContent()).toMatch(/^\+ full_name: "\S.* \S/);
  expect(await page.getByTestId('commands').textContent()).toMatch(/^HSET customer:\d+ id \d+/);
});

test('a mistake in the job is named with its place while it is typed, and goes with it', async () => {
  const page = await openPlayground();
  await page.getByTestId('outcome').waitFor();
  const editor = page.getByLabel('Job (YAML)');
  await editor.fill(JOB.replace('field: full_name', 'feld: full_name'));
  await page.locator('.marks button').first().waitFor();
  expect(await page.locator('.marks li').first().textContent()).toMatch(/^\d+:\d+ .*field/);
  await editor.fill(JOB.replace("'customer:'", "'person:'"));
  await page.getByTestId('commands').getByText('HSET person:').waitFor();
  expect(await page.locator('.marks button').count()).toBe(0);
});

test('trying writes nothing: what is in the target and in the account stays', async () => {
  const before = await world.rdi.status();
  const page = await openPlayground();
  await page.getByLabel('Job (YAML)').fill(JOB.replace("'customer:'", "'never:'"));
  await page.getByTestId('commands').getByText('HSET never:').waitFor();
  expect((await world.rdi.status()).totals).toEqual(before.totals);
});

test('an event can be pasted, and what is no event is said to be none', async () => {
  const page = await world.open('#/playground?job=customers');
  await page.getByText('Paste one').click();
  const event = {
    before: null,
    after: { id: 7, first_name: 'Ada', last_name: 'L' },
    op: 'c',
    source: { name: 'shop', db: 'shopdb', schema: 'shop', table: 'customers' },
  };
  await page.getByLabel('Key as the feeder sent it (JSON)').fill('{"id":7}');
  await page.getByLabel('Value as the feeder sent it (JSON)').fill(JSON.stringify(event));
  await page.getByTestId('commands').getByText('HSET customer:7 id 7').waitFor();
  await page.getByLabel('Value as the feeder sent it (JSON)').fill('{"x":');
  await page.getByTestId('outcome').getByText('rejected').waitFor();
});

test('the trial becomes a job test and a job of the configuration', async () => {
  const page = await openPlayground();
  await page.getByTestId('outcome').waitFor();
  await page.getByText('Save as a job test').click();
  expect(await page.getByLabel('Job test', { exact: true }).textContent()).toContain('given:');
  await page.getByRole('button', { name: 'Add to the configuration' }).click();
  await page.getByLabel('jobs/tests/customers.yaml', { exact: true }).waitFor();
  expect(await page.getByLabel('jobs/tests/customers.yaml', { exact: true }).inputValue()).toContain('expect:');
  await page.getByText('No mistakes.').waitFor();
  await page.goto(page.url().replace(/#.*/, '#/playground?job=customers'));
  await page.getByLabel('Job (YAML)').fill(JOB.replace('full_name', 'whole_name'));
  await page.getByRole('button', { name: 'Use this job' }).click();
  await page.getByLabel('jobs/customers.yaml', { exact: true }).waitFor();
  expect(await page.getByLabel('jobs/customers.yaml', { exact: true }).inputValue()).toContain('whole_name');
});

import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { RawClient } from '../helpers/raw-client.ts';
import { startWorld, type World } from './world.ts';

const STREAM = 'shop.shop.orders';
const JOB = `source:
  table: orders
transform:
  - uses: add_field
    with:
      field: gross
      language: jmespath
      expression: abs(net)
output:
  - uses: redis.write
    with:
      data_type: hash
      key:
        language: jmespath
        expression: concat(['order:', id])
`;

let world: World;
let feeder: RawClient;

beforeAll(async () => {
  world = await startWorld({ 'jobs/orders.yaml': JOB });
  feeder = await RawClient.connect(world.rdi.port);
  for (let id = 1; id <= 60; id++) await insert(id, 'not a number');
  await world.rdi.settled(({ totals }) => totals.rejected === 60, 20_000);
});

afterAll(async () => {
  feeder.socket.destroy();
  await world.close();
});

afterEach(() => {
  expect(world.complaints()).toEqual([]);
});

async function insert(id: number, net: unknown): Promise<void> {
  const source = {
    name: 'shop',
    db: 'shopdb',
    schema: 'shop',
    table: 'orders',
    connector: 'postgresql',
    lsn: 1000 + id,
  };
  const event = { before: null, after: { id, net }, op: 'c', ts_ms: 1, source };
  await feeder.ask('XADD', STREAM, '*', 'key', JSON.stringify({ id }), 'value', JSON.stringify(event));
}

async function readTarget(key: string): Promise<Record<string, string>> {
  const redis = new Redis(world.redis.port, '127.0.0.1');
  try {
    return await redis.hgetall(key);
  } finally {
    redis.disconnect();
  }
}

test('queues lead to their records, page by page', async () => {
  const page = await world.open('#/dlq');
  await page.getByRole('link', { name: STREAM }).click();
  await page.getByText('60 records, newest first').waitFor();
  expect(await page.locator('tbody tr').count()).toBe(50);
  await page.getByRole('link', { name: 'Older' }).click();
  await page.getByText('51 to 60 of 60').waitFor();
  expect(await page.locator('tbody tr').count()).toBe(10);
});

test('a record tells its reason, job and step, and what its job makes of it now', async () => {
  const page = await world.open(`#/dlq/${STREAM}`);
  await page.locator('tbody tr').first().getByRole('link').click();
  const reason = await page.getByTestId('reason').textContent();
  expect(reason).toContain('TRANSFORM_FAILED');
  expect(await page.locator('.facts').textContent()).toContain('orders, transform[0] add_field');
  expect(await page.getByLabel('Row after').textContent()).toContain('not a number');
  await page.getByTestId('outcome').getByText('rejected').waitFor();
});

test('a record that is edited and retried is written, and has left the queue', async () => {
  const page = await world.open(`#/dlq/${STREAM}`);
  await page.locator('tbody tr').first().getByRole('link').click();
  const value = page.getByLabel('Value (JSON)');
  const text = await value.inputValue();
  await value.fill(text.replace('"not a number"', '-12.50'.slice(1)));
  const save = page.getByRole('button', { name: 'Save the change' });
  await value.fill('{"before":');
  expect(await save.isDisabled()).toBe(true);
  await value.fill(text.replace('"not a number"', '-12.5'));
  await save.click();
  await page.getByText('Saved. Retry it now.').waitFor();
  await page.getByRole('button', { name: 'Retry', exact: true }).click();
  await page.getByTestId('retry-report').getByText('1 written').waitFor();
  expect(await readTarget('order:60')).toMatchObject({ id: '60', gross: '12.5' });
  const { dlqs } = await world.rdi.status();
  expect(dlqs.find(({ stream }) => stream === STREAM)?.count).toBe(59);
});

test('a filter selects what is shown and what is dropped', async () => {
  const page = await world.open(`#/dlq/${STREAM}`);
  await page.getByLabel('Reason contains').fill('no such reason');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByText('No record fits.').waitFor();
  await page.getByRole('button', { name: 'Drop all' }).click();
  await page.getByRole('dialog').getByText('0 records that fit the filter').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('link', { name: 'Show all' }).click();
  await page.getByLabel('Job', { exact: true }).fill('orders');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByText('Records that fit').waitFor();
  expect(await page.locator('tbody tr').count()).toBe(59);
});

test('a record is only dropped when that is confirmed', async () => {
  const page = await world.open(`#/dlq/${STREAM}`);
  await page.locator('tbody tr').last().getByRole('link').click();
  await page.getByRole('button', { name: 'Drop', exact: true }).click();
  await page.keyboard.press('Escape');
  await page.getByTestId('reason').waitFor();
  await page.getByRole('button', { name: 'Drop', exact: true }).click();
  await page.getByRole('button', { name: 'Drop it for good' }).click();
  await page.getByText('58 records, newest first').waitFor();
});

test('with a job that is put right, all are retried at once', async () => {
  const page = await world.open('#/configuration');
  await page.getByRole('button', { name: 'jobs/orders.yaml' }).click();
  await page.getByLabel('jobs/orders.yaml', { exact: true }).fill(JOB.replace('abs(net)', 'upper(net)'));
  await page.getByText('No mistakes.').waitFor();
  await page.getByRole('button', { name: 'Review and deploy' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Deploy' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.goto(`${world.rdi.http}/#/dlq/${STREAM}`);
  await page.getByRole('button', { name: 'Retry all' }).click();
  await page.getByRole('dialog').getByText('58 records of this table').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Retry', exact: true }).click();
  await page.getByTestId('retry-report').getByText('58 written').waitFor();
  await page.getByText('No record is kept.').waitFor();
  expect(await readTarget('order:7')).toMatchObject({ id: '7', gross: 'NOT A NUMBER' });
});

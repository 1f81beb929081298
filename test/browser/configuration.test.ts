import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from './world.ts';

const JOB = `source:
  table: customers
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
});

afterAll(() => world.close());

afterEach(() => {
  expect(world.complaints()).toEqual([]);
});

async function openJob(): Promise<Page> {
  const page = await world.open('#/configuration');
  await page.getByRole('button', { name: 'jobs/customers.yaml' }).click();
  return page;
}

test('a mistake is marked at its line, and nothing can be deployed while it is there', async () => {
  const page = await openJob();
  const editor = page.getByLabel('jobs/customers.yaml', { exact: true });
  await editor.fill(JOB.replace('data_type: hash', 'data_type: hush'));
  await page.getByText(/^6:\d+$/).waitFor();
  expect(await page.locator('.line-numbers .wrong').textContent()).toBe('6');
  expect(await editor.getAttribute('aria-invalid')).toBe('true');
  expect(await page.getByTestId('verdict').textContent()).toContain('1 mistake');
  expect(await page.getByRole('button', { name: 'Review and deploy' }).isDisabled()).toBe(true);
  await page.getByText(/^6:\d+$/).click();
  const selected = await editor.evaluate((area: HTMLTextAreaElement) =>
    area.value.slice(area.selectionStart, area.selectionEnd),
  );
  expect(selected).toContain('hush');
  await page.getByRole('button', { name: 'Discard changes' }).click();
  await page.getByText('Nothing differs from what is deployed.').waitFor();
});

test('a deployment shows its difference first, takes effect, and can be rolled back', async () => {
  const page = await openJob();
  await page.getByLabel('jobs/customers.yaml', { exact: true }).fill(JOB.replace("'customer:'", "'person:'"));
  await page.getByText('No mistakes.').waitFor();
  const before = await deployedJob();
  await page.getByRole('button', { name: 'Review and deploy' }).click();
  const dialog = page.getByRole('dialog');
  expect(await dialog.locator('.removed').textContent()).toContain("'customer:'");
  expect(await dialog.locator('.added').textContent()).toContain("'person:'");
  // Looking changes nothing.
  expect(await deployedJob()).toBe(before);
  await dialog.getByLabel('Note').fill('people, not customers');
  await dialog.getByRole('button', { name: 'Deploy' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('cell', { name: 'people, not customers' }).waitFor();
  expect(await deployedJob()).toContain('person:');

  await page.getByRole('button', { name: 'Roll back to 1' }).click();
  await page.getByRole('dialog').locator('.added').getByText("'customer:'").waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await deployedJob()).toContain("'customer:'");
});

test('files can be added and removed, and are kept while the reader looks elsewhere', async () => {
  const page = await openJob();
  await page.getByLabel('New file').fill('other.yaml');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByLabel('jobs/other.yaml', { exact: true }).fill(JOB.replace('customers', 'other'));
  await page.getByRole('link', { name: 'Logs' }).click();
  await page.getByRole('heading', { name: 'Logs' }).waitFor();
  await page.getByRole('link', { name: 'Configuration' }).click();
  expect(await page.getByLabel('jobs/other.yaml', { exact: true }).inputValue()).toContain('table: other');
  await page.getByText('No mistakes.').waitFor();
  await page.getByRole('button', { name: 'Remove this file' }).click();
  await page.getByText('Nothing differs from what is deployed.').waitFor();
});

test('stop and start ask or act, and the state follows', async () => {
  const page = await world.open('#/configuration');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.keyboard.press('Escape');
  expect(await page.getByTestId('pipeline-state').textContent()).toContain('started');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByRole('button', { name: 'Stop it' }).click();
  await page.getByTestId('pipeline-state').getByText('stopped').waitFor();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByTestId('pipeline-state').getByText('started').waitFor();
});

async function deployedJob(): Promise<string> {
  const response = await fetch(`${world.rdi.http}/api/v2/pipelines/default/jobs/customers`);
  return ((await response.json()) as { text: string }).text;
}

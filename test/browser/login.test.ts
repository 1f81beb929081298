import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from './world.ts';

const PASSWORD = 'a long and winding password';
const TOKEN = 'a-token-for-programs';

let world: World;

beforeAll(async () => {
  const login = ['--http-user', 'operator', '--http-password', PASSWORD, '--http-token', TOKEN];
  world = await startWorld(undefined, login, TOKEN);
});

afterAll(() => world.close());

/** What browsers say of an answer with 401 is what the page asked for. */
function complaints(): string[] {
  return world.complaints().filter((text) => !text.includes('401'));
}

test('nothing is shown before the login, a wrong one is refused in words, a right one opens the page', async () => {
  const page = await world.open('#/tables');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await page.getByRole('navigation').count()).toBe(0);
  await page.getByLabel('User').fill('operator');
  await page.getByLabel('Password').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('User or password is wrong.').waitFor();
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Tables' }).waitFor();
  await page.getByTestId('state').waitFor();
  expect(complaints()).toEqual([]);
});

test('the login lasts for the tab and its reloads, and is kept nowhere else', async () => {
  const page = await world.open('');
  await page.getByText('With a token instead').click();
  await page.getByLabel('Token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByTestId('account').waitFor();
  await page.reload();
  await page.getByTestId('account').waitFor();
  const kept = await page.evaluate(() => [localStorage.length, document.cookie, location.href]);
  expect(kept).toEqual([0, '', `${world.rdi.http}/`]);
  const other = await page.context().newPage();
  await other.goto(`${world.rdi.http}/`);
  await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(complaints()).toEqual([]);
});

test('a restart, which makes tokens void, leads back to the login', async () => {
  const page = await world.open('');
  await page.getByLabel('User').fill('operator');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByTestId('account').waitFor();
  await world.rdi.end('SIGTERM');
  await world.rdi.start();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByLabel('User').fill('operator');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByTestId('account').waitFor();
});

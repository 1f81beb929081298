/** A browser that looks at a running rdi: everything real, on 127.0.0.1, and nothing left behind. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { type Rdi, startRdi } from '../helpers/rdi-process.ts';
import { type RedisServer, startRedis } from '../helpers/redis-server.ts';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Files of a pipeline folder by name. */
export type PipelineFiles = Readonly<Record<string, string>>;

export interface World {
  readonly redis: RedisServer;
  readonly rdi: Rdi;
  readonly folder: string;
  /** Opens a place of the page, for example `#/tables`, in a window of its own. */
  open(hash: string, options?: BrowserContextOptions): Promise<Page>;
  /** What the pages complained about or asked elsewhere, so far; emptied by reading. */
  complaints(): string[];
  close(): Promise<void>;
}

/** Starts a Redis, rdi with the given pipeline (a plain target without one), and a browser. */
export async function startWorld(files?: PipelineFiles, args: readonly string[] = [], token?: string): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'rdi-browser-'));
  const redis = await startRedis();
  const target = `redis://127.0.0.1:${redis.port}`;
  const start = { folder, ...(token === undefined ? {} : { token }) };
  const rdi = files
    ? await startRdi({ ...start, args: ['--dir', await writePipeline(folder, redis.port, files), ...args] })
    : await startRdi({ ...start, target, args });
  const browser = await startBrowser();
  const complaints: string[] = [];
  return {
    redis,
    rdi,
    folder,
    open: async (hash, options = {}) => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      listen(page, complaints);
      await page.goto(`${rdi.http}/${hash}`);
      return page;
    },
    complaints: () => complaints.splice(0),
    close: async () => {
      await browser.close();
      await rdi.end('SIGTERM');
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function writePipeline(folder: string, port: number, files: PipelineFiles): Promise<string> {
  const dir = join(folder, 'pipeline');
  await mkdir(join(dir, 'jobs'), { recursive: true });
  const config = `targets:\n  target:\n    connection:\n      type: redis\n      host: 127.0.0.1\n      port: ${port}\n`;
  await writeFile(join(dir, 'config.yaml'), config);
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  return dir;
}

function startBrowser(): Promise<Browser> {
  const executablePath = process.env['RDI_TEST_CHROMIUM'] ?? PLACES.find((place) => existsSync(place));
  if (!executablePath) throw new Error('There is no Chromium. Install it (Debian: apt-get install chromium).');
  // Its own sandbox does not start for root in a container; these pages are ours.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-background-networking'] });
}

function listen(page: Page, complaints: string[]): void {
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    complaints.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (hostname !== '127.0.0.1' && protocol !== 'blob:') complaints.push(`request: ${request.url()}`);
  });
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
}

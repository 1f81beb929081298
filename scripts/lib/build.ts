/**
 * Builds the single executable: one bundled script inside a Node.js binary (pkg, SEA mode).
 *
 * Usage: node scripts/lib/build.ts <pkg target, for example linux-x64> <runtime binary> <output file>
 *
 * Everything that is needed comes from npm packages. pkg looks for its base binary in the cache of its user's home, so
 * it gets a home of its own under `.cache/build` in which the pinned runtime, stripped, stands as if it had been
 * downloaded and verified.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import files from 'node:fs/promises';
import { join, resolve } from 'node:path';
import sea from '@yao-pkg/pkg/lib-es5/sea.js';
import { build, type Plugin } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '../..');
const WORK = join(ROOT, '.cache/build');
const RUNTIME_VERSION = process.versions.node;

const [target = '', runtime = '', output = ''] = process.argv.slice(2);
const [platform, arch = ''] = target.split('-');
if (platform !== 'linux' || !output) throw new Error('Usage: build.ts linux-x64|linux-arm64 <runtime> <output>');

/**
 * Flags of the JavaScript engine, baked in: a smaller young generation than the default takes less resident memory at the
 * same CPU per event (npm run bench). Compiled code is rejected at the start unless it was made with the same flags.
 */
const ENGINE_FLAGS = ['--max-semi-space-size=16'];
process.env['NODE_OPTIONS'] = ENGINE_FLAGS.join(' ');

const bundle = await bundleProgram();
provideBase();
bakeIn(ENGINE_FLAGS);
mkdirSync(join(output, '..'), { recursive: true });
process.env['HOME'] = join(WORK, 'home');
// pkg's command line cannot switch the code cache on, its module can.
await sea.default(bundle, {
  targets: [{ nodeRange: `node${RUNTIME_VERSION}`, platform: 'linux', arch, output: resolve(output) }],
  // Compiled code is only valid on the machine type that compiled it.
  seaConfig: {
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: target === `${process.platform}-${process.arch}`,
  },
});
chmodSync(output, 0o755);
console.error(`${output}: ${Math.round(statSync(output).size / 1e6)} MB`);

/** One CommonJS file, because a SEA's main script is CommonJS; everything is inside, nothing is required from disk. */
async function bundleProgram(): Promise<string> {
  const outfile = join(WORK, 'rdi.cjs');
  await build({
    entryPoints: [join(ROOT, 'src/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node26',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [await pageInside()],
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
  });
  return outfile;
}

/** Puts the files of the web page into the bundle, in place of the module that reads them from `dist/ui`. */
async function pageInside(): Promise<Plugin> {
  const { readPageFiles } = await import('../../src/http/page-files.ts');
  const page = await readPageFiles();
  if (!page.some(({ name }) => name === 'index.html'))
    throw new Error('dist/ui is empty. Run scripts/build, which builds the page.');
  const texts = page.map(({ name, gzipped }) => [name, gzipped.toString('base64')]);
  const contents = `const files = ${JSON.stringify(texts)};
    export const readPageFiles = async () => files.map(([name, text]) => ({ name, gzipped: Buffer.from(text, 'base64') }));`;
  return {
    name: 'page',
    setup: ({ onLoad }) =>
      onLoad({ filter: /[/\\]src[/\\]http[/\\]page-files\.ts$/ }, () => ({ contents, loader: 'js' })),
  };
}

/** Node.js takes the flags from its SEA configuration; pkg writes that file without them and has no option for more. */
function bakeIn(flags: readonly string[]): void {
  const write = files.writeFile;
  files.writeFile = ((file: string, content: string, ...rest: []) => {
    const isConfiguration = String(file).endsWith('sea-config.json');
    const text = isConfiguration ? JSON.stringify({ ...JSON.parse(content), execArgv: flags }) : content;
    return write(file, text, ...rest);
  }) as typeof write;
}

function provideBase(): void {
  const name = `node-v${RUNTIME_VERSION}-${platform}-${arch}`;
  const cache = join(WORK, 'home/.pkg-cache/sea');
  const binary = join(cache, name, 'bin/node');
  rmSync(join(cache, name), { recursive: true, force: true });
  mkdirSync(join(cache, name, 'bin'), { recursive: true });
  copyFileSync(runtime, binary);
  chmodSync(binary, 0o755);
  strip(binary);
  for (const marker of [`${binary}.ok`, join(cache, `${name}.tar.gz`), join(cache, `${name}.tar.gz.ok`)]) {
    writeFileSync(marker, '');
  }
}

/** Symbols are a fifth of the binary. Without a tool that knows the machine type they stay in. */
function strip(binary: string): void {
  const own = target === `${process.platform}-${process.arch}`;
  for (const tool of [
    ...(own ? ['strip'] : []),
    `${arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu-strip`,
    'llvm-strip',
  ]) {
    if (!isOnPath(tool)) continue;
    execFileSync(tool, ['--strip-all', binary]);
    return;
  }
  console.error('No strip program on PATH (Debian: binutils): the executable keeps its symbols, 30 MB.');
}

function isOnPath(tool: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, tool)));
}

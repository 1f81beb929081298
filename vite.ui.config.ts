import { defineConfig } from 'vite';

/** Builds the web page (`src/ui`) into `dist/ui`, from where it is served or taken into the executable. */
export default defineConfig({
  root: 'src/ui',
  base: './',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../dist/ui',
    emptyOutDir: true,
    target: 'es2023',
    // One script and one style sheet; a preload helper would only add a script of its own.
    modulePreload: { polyfill: false },
    // An image in a style sheet as a data: URL would need a looser Content-Security-Policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 400,
  },
});

import { defaultClientConditions, defineConfig } from 'vite';

/** Builds the page into `web/dist`: hashed assets with relative addresses, so that it can be served from any path. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // The workspaces are bundled from their sources: no build step of theirs is needed first.
  resolve: { conditions: ['parley-source', ...defaultClientConditions] },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // The first versions with light-dark(), which the design tokens are written with.
    cssTarget: ['chrome123', 'safari17.5', 'firefox120'],
    // A strict Content-Security-Policy allows neither data: URLs nor inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});

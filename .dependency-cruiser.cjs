/** The import arrows: core ← pipeline ← stores ← {providers, sessions, budget, customers, log, oracle} ← {http, sdk, cli} ← worker.ts. */
const MIDDLE = ['providers', 'sessions', 'budget', 'customers', 'log', 'oracle'];
const OUTER = ['http', 'sdk', 'cli'];
const SETTINGS = '^src/(env[^/]*|settings-error)\\.ts$';
const rooms = (names) => `^src/(${names.join('|')})/`;
const others = (names, name) => rooms(names.filter((other) => other !== name));

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'core-imports-no-room', severity: 'error', from: { path: '^src/core/' }, to: { path: '^src/', pathNot: '^src/core/' } },
    {
      name: 'core-is-pure', severity: 'error', from: { path: '^src/core/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev'], pathNot: 'node_modules/(zod|@cfworker/json-schema|@pydantic/genai-prices)/' },
    },
    { name: 'pipeline-imports-core', severity: 'error', from: { path: '^src/pipeline/' }, to: { path: '^src/', pathNot: '^src/(core|pipeline)/' } },
    { name: 'settings-import-inward', severity: 'error', from: { path: SETTINGS }, to: { path: '^src/', pathNot: ['^src/(core|pipeline)/', SETTINGS] } },
    { name: 'stores-import-inward', severity: 'error', from: { path: '^src/stores/' }, to: { path: '^src/', pathNot: '^src/(core|pipeline|stores)/' } },
    ...MIDDLE.map((name) => ({
      name: `${name}-imports-inward`, severity: 'error', from: { path: `^src/${name}/` },
      to: { path: [rooms([...OUTER, 'local', 'dashboard']), others(MIDDLE, name), '^src/worker\\.ts$'] },
    })),
    ...OUTER.map((name) => ({
      name: `${name}-imports-inward`, severity: 'error', from: { path: `^src/${name}/` },
      to: { path: [others(OUTER, name), rooms(['local', 'dashboard']), '^src/worker\\.ts$'] },
    })),
    {
      name: 'nobody-imports-local', severity: 'error', from: { path: '^src/', pathNot: '^src/(local|dashboard)/' },
      to: { path: '^(src/(local|dashboard)|bench|test)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};

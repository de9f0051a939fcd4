/** The import table of ARCHITECTURE.md as rules. Type-only imports count. */
const room = (name) => `^src/${name}/`
const only = (from, allowed) => ({
  name: `${from}-imports`,
  severity: 'error',
  comment: `${from} may import only: itself${allowed.length ? `, ${allowed.join(', ')}` : ''}`,
  from: { path: room(from) },
  to: { path: '^src/', pathNot: [room(from), ...allowed.map(room)] },
})
const capabilities = ['delegate', 'review', 'own']

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    only('domain', []),
    only('contract', []),
    only('ports', ['domain']),
    only('process', ['domain']),
    only('engine', ['domain', 'ports']),
    ...capabilities.map((name) => only(name, ['domain', 'ports', 'codegraph'])),
    only('reports', ['domain', 'ports']),
    only('codegraph', ['domain', 'ports']),
    only('workflows', ['domain', 'ports', 'codegraph', 'gates', ...capabilities]),
    only('http', ['workflows', 'contract', 'domain', 'ports']),
    only('cli', ['contract', 'domain']),
    {
      name: 'adapters-and-gates',
      severity: 'error',
      comment: 'an adapter or a gate imports domain, ports, codegraph, process and reports, and never a sibling',
      from: { path: '^src/(adapters|gates)/([^/]+)/' },
      to: { path: '^src/', pathNot: ['^src/$1/$2/', room('domain'), room('ports'), room('codegraph'), room('process'), room('reports'), '^src/gates/[^/]+[.]ts$'] },
    },
    {
      name: 'only-main-wires',
      severity: 'error',
      comment: 'adapters and the engine are chosen in main.ts and nowhere else',
      from: { path: '^src/', pathNot: ['^src/main[.]ts$', '^src/wiring/', '^src/adapters/', '^src/engine/', '[.]test[.]ts$'] },
      to: { path: ['^src/adapters/', '^src/engine/'] },
    },
    { name: 'tests-stay-outside', severity: 'error', from: { path: '^src/', pathNot: '[.]test[.]ts$' }, to: { path: '^test/' } },
    { name: 'resolves', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^mdast$' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.json'], exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
}

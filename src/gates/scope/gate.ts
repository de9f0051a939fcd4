import { digestOfBrief } from '../../domain/brief.ts'
import { digestOfJson } from '../../domain/json.ts'
import { notApplicable, verdictOf, type Finding } from '../../domain/verdict.ts'
import type { Gate, Judged } from '../../ports/gate.ts'
import { bounded } from '../../reports/findings.ts'
import { quote } from '../../reports/plain-text.ts'
import { parseOptions } from '../options.ts'
import { dependencyBreaches } from './dependencies.ts'
import { pathBreaches, type Breach } from './paths.ts'

/** A change stays within what its brief allows: paths, dependencies, and nothing that cannot be part of a tree. */
export const scope: Gate = {
  name: 'scope',
  version: 1,
  /** With a rule about dependencies, any package.json of the tree may declare what a changed file imports. */
  reads: ({ changes, brief, problems, baseTree, tree }) => [
    `changes ${digestOfJson(changes)}`,
    `brief ${brief === null ? 'none' : digestOfBrief(brief)}`,
    `problems ${digestOfJson(problems)}`,
    brief?.never.some(({ kind }) => kind === 'dependency') === true
      ? `${baseTree} → ${tree}`
      : 'no rule on dependencies',
  ],
  async run(judged) {
    parseOptions(judged, {})
    const { brief, problems, changes, name } = judged
    const found = [...problemBreaches(judged), ...(await symlinkBreaches(judged))]
    if (brief === null && found.length === 0 && problems.length === 0)
      return notApplicable('there is no brief to hold the change against')
    const rules = brief?.never.filter((line) => line.kind === 'dependency') ?? []
    const breaches =
      brief === null ? [] : [...pathBreaches(changes, brief), ...(await dependencyBreaches(judged, rules))]
    const findings = [...found, ...breaches].map((breach) => findingOf(breach, judged, name))
    return verdictOf(bounded(findings), { changedFiles: changes.length })
  },
}

const problemBreaches = ({ problems }: Judged): readonly Breach[] =>
  problems.map(({ kind, path, detail }) => ({
    rule: kind,
    path,
    message: `${quote(path, 300)}: ${quote(detail, 500)}`,
    mend: `remove ${quote(path, 300)}`,
  }))

/** A merged tree has no workspace whose problems were found, so that links are looked at here as well. */
async function symlinkBreaches({ changes, problems, repository, tree }: Judged): Promise<readonly Breach[]> {
  const links = changes.filter(
    ({ path, after }) => after?.mode === '120000' && !problems.some((one) => one.path === path),
  )
  if (links.length === 0) return []
  const targets = await repository.readMany(
    tree,
    links.map(({ path }) => path),
  )
  return links.flatMap(({ path }) => {
    const bytes = targets.get(path)
    const target = bytes === undefined ? undefined : new TextDecoder().decode(bytes)
    if (target !== undefined && staysInside(path, target)) return []
    const message = `${path} is a symlink ${target === undefined ? 'that cannot be read' : 'that leaves the repository'}`
    return [{ rule: 'symlink-leaves', path, message, mend: `remove ${path}` }]
  })
}

function staysInside(path: string, target: string): boolean {
  if (target.startsWith('/') || target.includes('\0')) return false
  let depth = path.split('/').length - 1
  for (const segment of target.split('/')) {
    if (segment === '..') depth--
    else if (segment !== '' && segment !== '.') depth++
    if (depth < 0) return false
  }
  return true
}

function findingOf({ rule, path, message, mend }: Breach, { changes }: Judged, gate: string): Finding {
  const isThere = changes.some((change) => change.path === path && change.after !== null)
  return { gate, rule, level: 'error', message, place: path !== null && isThere ? { path, line: null } : null, mend }
}

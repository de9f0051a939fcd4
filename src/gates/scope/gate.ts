import { digestOfBrief } from '../../domain/brief.ts'
import { digestOfJson } from '../../domain/json.ts'
import { notApplicable, verdictOf, type Finding } from '../../domain/verdict.ts'
import type { Gate, Judged } from '../../ports/gate.ts'
import { bounded } from '../../reports/findings.ts'
import { quote } from '../../reports/plain-text.ts'
import { parseOptions } from '../options.ts'
import { changelogBreaches } from './changelog.ts'
import { dependencyBreaches } from './dependencies.ts'
import { linkBreaches } from './links.ts'
import { isManifest } from './packages.ts'
import { pathBreaches, type Breach } from './paths.ts'
import { gateLines, scriptBreaches } from './scripts.ts'

/** A change stays within what its brief allows: paths, dependencies, and nothing that cannot be part of a tree. */
export const scope: Gate = {
  name: 'scope',
  version: 2,
  /** With a rule about dependencies, any package.json of the tree may declare what a changed file imports. */
  reads: ({ changes, brief, problems, baseTree, tree, level, settings }) => [
    `level ${level}`,
    `commands ${digestOfJson(gateLines(settings))}`,
    `changes ${digestOfJson(changes)}`,
    `brief ${brief === null ? 'none' : digestOfBrief(brief)}`,
    `problems ${digestOfJson(problems)}`,
    brief?.never.some(({ kind }) => kind === 'dependency') === true
      ? `${baseTree} → ${tree}`
      : 'no rule on dependencies',
    changes.some(({ path }) => isManifest(path)) ? `scripts of ${baseTree}` : 'no script changed',
  ],
  async run(judged) {
    parseOptions(judged, {})
    const { brief, problems, changes, name, level } = judged
    const found = [...problemBreaches(judged), ...(await linkBreaches(judged))]
    if (brief === null && found.length === 0 && problems.length === 0)
      return notApplicable('there is no brief to hold the change against')
    const rules = brief?.never.filter((line) => line.kind === 'dependency') ?? []
    const breaches =
      brief === null
        ? []
        : [
            ...pathBreaches(changes, brief, level),
            ...(await changelogBreaches(judged, brief)),
            ...(await dependencyBreaches(judged, rules)),
            ...(await scriptBreaches(judged)),
          ]
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

function findingOf({ rule, path, message, mend }: Breach, { changes }: Judged, gate: string): Finding {
  const isThere = changes.some((change) => change.path === path && change.after !== null)
  return { gate, rule, level: 'error', message, place: path !== null && isThere ? { path, line: null } : null, mend }
}

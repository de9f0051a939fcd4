import { notApplicable, verdictOf, type Finding } from '../../domain/verdict.ts'
import type { Gate } from '../../ports/gate.ts'
import type { FileChange } from '../../ports/repository.ts'
import { bounded } from '../../reports/findings.ts'
import { parseOptions } from '../options.ts'
import { compareTests, type Weakening } from './compare-tests.ts'
import { contractMatcher, sayContractChange, standsAbove } from './contract-files.ts'
import { compareLines } from './other-languages.ts'
import { readSide, readTexts } from './read-sides.ts'
import { isTestPath } from './test-paths.ts'

/** Contracts are as people left them, and no other test is weaker than it was. */
export const contracts: Gate = {
  name: 'contracts',
  version: 2,
  /** Helpers that changed tests import may stand anywhere, so both trees are read when a test changed at all. */
  reads({ changes, settings, tree, baseTree }) {
    const isContract = contractMatcher(settings.contracts)
    const touched = changes.some(({ path, after }) => isContract(path) || isTestPath(path) || isNoFile(after))
    return [JSON.stringify(settings.contracts), touched ? `${baseTree} → ${tree}` : 'no test and no contract changed']
  },
  async run(judged) {
    parseOptions(judged, {})
    const { name, settings, changes, repository, baseTree, tree } = judged
    const isContract = contractMatcher(settings.contracts)
    const owned =
      settings.contracts.length === 0
        ? []
        : (await repository.list(baseTree)).map(({ path }) => path).filter(isContract)
    const changed = changes.filter((change) => isContract(change.path) || standsAbove(change, owned))
    const tests = changes.filter(({ path }) => isTestPath(path) && !isContract(path))
    if (settings.contracts.length === 0 && tests.length === 0)
      return notApplicable('no contract is declared in .gaffer/gaffer.yaml, and no test was changed')

    const [before, after, texts] = await Promise.all([
      readSide(repository, baseTree, pathsOf(tests, 'before')),
      readSide(repository, tree, pathsOf(tests, 'after')),
      readTexts(repository, { base: baseTree, tree }, tests),
    ])
    const findings = [
      ...changed.map((change) => contractChanged(change, name)),
      ...[...compareTests(before, after), ...compareLines(texts)].map((weakening) => weakened(weakening, name)),
    ]
    return verdictOf(bounded(findings), {
      contracts: owned.length,
      changedTestFiles: tests.length,
      testCases: after.files.reduce((sum, { cases }) => sum + cases.length, 0),
    })
  },
}

/** Only regular files can be tests: a symlink in the place of one means that the test is gone. */
const pathsOf = (changes: readonly FileChange[], side: 'before' | 'after'): readonly string[] =>
  changes.filter((change) => change[side] !== null && !isNoFile(change[side])).map(({ path }) => path)

const isNoFile = (side: FileChange['after']): boolean => side !== null && !side.mode.startsWith('100')

const contractChanged = (change: FileChange, gate: string): Finding => ({
  gate,
  rule: 'contract-changed',
  level: 'error',
  message: `the contract ${change.path} ${sayContractChange(change)}`,
  place: change.after === null ? null : { path: change.path, line: null },
  mend: 'put it back as it is on the base, and change the code instead; contracts are changed by people',
})

const weakened = ({ rule, path, line, message, mend }: Weakening, gate: string): Finding => ({
  gate,
  rule,
  level: 'error',
  message: line === null ? `${path}: ${message}` : message,
  place: line === null ? null : { path, line },
  mend,
})

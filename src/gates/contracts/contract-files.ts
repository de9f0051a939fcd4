import { pathMatcher } from '../../domain/path-globs.ts'
import type { FileChange, FileMode } from '../../ports/repository.ts'

/** Whether a path is a contract. Hidden files count; the case of letters does not, as on some people's disks. */
export const contractMatcher = (globs: readonly string[]): ((path: string) => boolean) =>
  pathMatcher(globs, { nocase: true })

/** What happened to a contract, in words; contracts are byte-identical to the base or it is a finding. */
export function sayContractChange({ kind, before, after }: FileChange): string {
  if (kind === 'added') return `was added: only people add contracts`
  if (kind === 'deleted' || before === null || after === null) return 'was deleted'
  if (before.mode === after.mode) return 'was changed'
  if (isFile(before.mode) && isFile(after.mode)) return `changed its mode from ${before.mode} to ${after.mode}`
  return `was replaced by ${after.mode === '120000' ? 'a symlink' : after.mode === '160000' ? 'a submodule' : 'a file'}`
}

const isFile = (mode: FileMode): boolean => mode.startsWith('100')

/**
 * Folders that were put in the way of contracts: a symlink or submodule at `test/contract` makes what stands below it
 * something else.
 */
export const standsAbove = (change: FileChange, contracts: readonly string[]): boolean =>
  change.after !== null && !isFile(change.after.mode) && contracts.some((path) => path.startsWith(`${change.path}/`))

import { Fault } from '../domain/fault.ts'
import type { CommitSha, Digest } from '../domain/ids.ts'
import { digestOf } from '../domain/json.ts'
import { readSettings } from '../domain/read-settings.ts'
import { requiredGates, type RequiredGate } from '../domain/required-gates.ts'
import { paths, type Settings } from '../domain/settings.ts'
import type { History } from '../ports/repository.ts'
import { readEvidenceKeys, strictUtf8, type EnvelopeSigner, type EvidenceKeys } from './dsse.ts'

/** Whom to believe about a change, and what is asked of it: as the commit before it says, never the change itself. */
export interface ProtectedBase {
  readonly allowedSigners: string
  readonly keys: EvidenceKeys
  readonly settings: Settings
  /** Digest of `.gaffer/gaffer.yaml`. */
  readonly policy: Digest
  readonly required: readonly RequiredGate[]
}

export type ReadBase =
  | { readonly kind: 'base'; readonly base: ProtectedBase }
  /** `adopted`: whether the commit knows of Gaffer at all. */
  | { readonly kind: 'unusable'; readonly adopted: boolean; readonly why: string }

/** Key files given by whoever verifies, in the place of those in the repository. */
export interface Trust {
  readonly allowedSigners: string
  readonly evidenceKeys: string
}

/** Reads bases of one history; the same three files are parsed once. Repeating is safe. */
export function protectedBases(history: History, trust?: Trust): (commit: CommitSha) => Promise<ReadBase> {
  const known = new Map<string, ReadBase>()
  return async (commit) => {
    const files = await history.readMany(commit, [paths.settings, paths.allowedSigners, paths.evidenceKeys])
    const [settings, signers, keys] = [paths.settings, paths.allowedSigners, paths.evidenceKeys].map((path) => {
      const bytes = files.get(path)
      return bytes === undefined ? undefined : strictUtf8(bytes)
    })
    const name = digestOf(JSON.stringify([settings ?? null, signers ?? null, keys ?? null]))
    const base = known.get(name) ?? parseBase({ settings, signers, keys, trust })
    known.set(name, base)
    return base
  }
}

interface BaseFiles {
  readonly settings: string | undefined
  readonly signers: string | undefined
  readonly keys: string | undefined
  readonly trust: Trust | undefined
}

function parseBase({ settings: text, signers, keys: pem, trust }: BaseFiles): ReadBase {
  if (signers === undefined && trust === undefined)
    return { kind: 'unusable', adopted: false, why: `the commit before it has no ${paths.allowedSigners}` }
  const keys = readEvidenceKeys(trust?.evidenceKeys ?? pem ?? '')
  if (keys.kind === 'malformed') return unusable(`${paths.evidenceKeys} of the commit before it ${keys.why}`)
  try {
    const settings = readSettings(text)
    const policy = digestOf(text ?? '')
    const required = requiredGates(settings, 'final')
    const allowedSigners = trust?.allowedSigners ?? signers ?? ''
    return { kind: 'base', base: { allowedSigners, keys: keys.keys, settings, policy, required } }
  } catch (error) {
    if (error instanceof Fault) return unusable(`the settings of the commit before it cannot be used: ${error.message}`)
    throw error
  }
}

const unusable = (why: string): ReadBase => ({ kind: 'unusable', adopted: true, why })

/**
 * A change sealed with a key that the base does not name would land and could never be verified.
 * @throws Fault bad-settings
 */
export function requireTrusted({ keys }: ProtectedBase, { keyId }: Pick<EnvelopeSigner, 'keyId'>): void {
  if (keys.has(keyId)) return
  throw new Fault('bad-settings', `${paths.evidenceKeys} does not hold the evidence key of this Gaffer`, {
    hint: 'run `gaffer init` with this data folder on the protected branch, and have its owner commit the key it adds',
  })
}

/** @throws Fault bad-settings when the base cannot vouch for anything */
export async function requireBase(history: History, commit: CommitSha): Promise<ProtectedBase> {
  const read = await protectedBases(history)(commit)
  if (read.kind === 'base') return read.base
  throw new Fault('bad-settings', `nothing can land on ${commit.slice(0, 12)}: ${read.why}`, {
    hint: 'run `gaffer init` on the protected branch, commit what it writes, and try again',
  })
}

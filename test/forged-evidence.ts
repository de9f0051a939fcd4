import type { LandingPredicate, SignOffPredicate, VerdictPredicate } from '../src/domain/evidence.ts'
import type { TreeSha } from '../src/domain/ids.ts'
import { digestOf } from '../src/domain/json.ts'
import { refs } from '../src/domain/settings.ts'
import { sealEnvelope, type EnvelopeSigner } from '../src/own/dsse.ts'
import { dossierOf, landingPath } from '../src/own/evidence-layout.ts'
import { signWithKey } from '../src/own/sign-off.ts'
import {
  evidenceStatement,
  landingStatement,
  readEvidence,
  readLanding,
  readSignOff,
  signOffStatement,
} from '../src/own/statements.ts'
import { at, type Landed, type PersonName, type Team } from './landed-chain.ts'

/**
 * What somebody could do who holds everything but the owner's key: makes the whole dossier of a landing again with one
 * thing changed, so that every digest and signature fits and only that one thing is wrong.
 */
export interface Forgery {
  readonly verdict?: (verdict: VerdictPredicate) => VerdictPredicate
  readonly about?: TreeSha
  /** Gates whose evidence is left out. */
  readonly without?: readonly string[]
  readonly signOff?: (signOff: SignOffPredicate) => SignOffPredicate
  readonly signer?: PersonName
  readonly landing?: (landing: LandingPredicate) => LandingPredicate
  /** Seals verdicts, the landing statement, or both, instead of the instance. */
  readonly verdictKey?: EnvelopeSigner
  readonly landingKey?: EnvelopeSigner
}

export async function forge(team: Team, landed: Landed, forgery: Forgery): Promise<void> {
  const { task, composed, prepared } = landed
  const dossier = dossierOf(task.id, composed.candidate.commit)
  const statementPath = landingPath(prepared.attempt.base, prepared.attempt.commit)

  const evidence = composed.envelopes
    .filter(({ gate }) => forgery.without?.includes(gate) !== true)
    .map(({ gate, content }) => {
      const read = must(readEvidence(payloadOf(content)))
      const predicate = forgery.verdict?.(read.predicate) ?? read.predicate
      const sealed = sealEnvelope(
        evidenceStatement(forgery.about ?? read.tree, predicate),
        forgery.verdictKey ?? team.key,
      )
      return { gate, digest: digestOf(sealed), sealed }
    })
  const list = evidence.map(({ gate, digest }) => ({ gate, digest }))
  const honest = { ...must(readSignOff(composed.candidate.statement)), evidence: list }
  const signOff = signOffStatement(forgery.signOff?.(honest) ?? honest)
  const armoured = await signWithKey({
    keyFile: team.keyFile(forgery.signer ?? 'alice'),
    statement: signOff,
    interactive: false,
    env: {},
  })
  const before = must(readLanding(payloadOf(prepared.files[statementPath] ?? '')))
  const claimed: LandingPredicate = {
    ...before,
    signOff: digestOf(signOff),
    signature: digestOf(armoured),
    evidence: before.merge === null ? list : before.evidence,
  }
  const landing = landingStatement(forgery.landing?.(claimed) ?? claimed)
  await editEvidence(team, {
    [dossier.signOff]: signOff,
    [dossier.signature]: armoured,
    ...Object.fromEntries(evidence.map(({ gate, digest, sealed }) => [dossier.evidence(gate, digest), sealed])),
    [statementPath]: sealEnvelope(landing, forgery.landingKey ?? team.key),
  })
}

/** Writes or removes files of the evidence on the hub, past every rule. */
export async function editEvidence(
  { repository }: Team,
  files: Readonly<Record<string, string | null>>,
): Promise<void> {
  await repository.fetch()
  const head = must(await repository.head(refs.evidence))
  const person = { name: 'Somebody', email: 'somebody@example.com' }
  const tree = await repository.edit(await repository.treeOf(head), files)
  const commit = await repository.commit({ tree, parents: [head], message: 'x', author: person, committer: person, at })
  const pushed = await repository.push([{ ref: refs.evidence, from: head, to: commit }])
  if (pushed.kind !== 'pushed') throw new Error(`the evidence was not edited: ${pushed.kind}`)
}

const payloadOf = (envelope: string): string => {
  const { payload } = JSON.parse(envelope) as { payload: string }
  return Buffer.from(payload, 'base64').toString('utf8')
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is nothing to forge')
  return value
}

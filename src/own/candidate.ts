import { refuse, Fault, type Refusal } from '../domain/fault.ts'
import type { VerdictPredicate } from '../domain/evidence.ts'
import type { CommitSha, Digest, TreeSha } from '../domain/ids.ts'
import { digestOf } from '../domain/json.ts'
import { digestOfGateSettings } from '../domain/required-gates.ts'
import { paths } from '../domain/settings.ts'
import { tipOf, type Candidate, type Task } from '../domain/task/task.ts'
import { judge, type GateResult } from '../domain/verdict.ts'
import type { Merge, Repository } from '../ports/repository.ts'
import { addChangelogEntry } from './changelog.ts'
import { agentPerson, gafferPerson, landingMessage } from './commit-message.ts'
import { sealEnvelope, strictUtf8, type EnvelopeSigner } from './dsse.ts'
import { requireBase, requireTrusted, type ProtectedBase } from './protected-base.ts'
import { evidenceStatement, signOffStatement } from './statements.ts'

export type ComposedTree =
  | { readonly kind: 'tree'; readonly tree: TreeSha; readonly base: CommitSha }
  | { readonly kind: 'conflict'; readonly base: CommitSha; readonly paths: readonly string[] }

/**
 * The tree that would land now: what the units built, merged onto the head of the protected branch, without the plan
 * and with the changelog entry. Repeating is safe, and gives the same while the branch stays.
 * @throws Fault bad-input (no such branch, a changelog that is no text)
 */
export async function composeTree(repository: Repository, task: Task): Promise<ComposedTree> {
  await repository.fetch()
  const base = await repository.head(`refs/heads/${task.branch}`)
  if (base === undefined) throw noBranch(repository, task)
  const work = await workOnto(repository, task, base)
  if (work.kind === 'conflict') return { ...work, base }
  return { kind: 'tree', tree: await withChangelog(repository, work.tree, task), base }
}

/** The built change on a base, before the changelog. The plan stays behind, and a plan of the branch's own stays. */
export async function workOnto(repository: Repository, task: Task, base: CommitSha): Promise<Merge> {
  const tip = tipOf(task)
  const built = await repository.treeOf(tip)
  const plan = (await repository.read(task.base, paths.plan)) ?? null
  const tree = await repository.edit(built, { [paths.plan]: plan })
  if (base === task.base) return { kind: 'clean', tree }
  if (tree === built) return repository.merge(base, tip)
  const { at } = (await repository.commitInfo(tip)).committer
  const message = `Gaffer: ${task.id} without its plan`
  return repository.merge(
    base,
    await repository.commit({ tree, parents: [tip], message, author: gafferPerson, committer: gafferPerson, at }),
  )
}

export async function withChangelog(repository: Repository, tree: TreeSha, { id, brief }: Task): Promise<TreeSha> {
  const bytes = (await repository.readMany(tree, [paths.changelog])).get(paths.changelog)
  const before = bytes === undefined ? undefined : strictUtf8(bytes)
  const text = addChangelogEntry(before, { task: id, type: brief.type, title: brief.title })
  const edited = await repository.edit(tree, { [paths.changelog]: text })
  const [change] = before === undefined ? await repository.changes(tree, edited) : []
  if (change === undefined || change.kind === 'added') return edited
  throw new Fault('bad-input', `${paths.changelog} is not a text file in UTF-8`, {
    hint: 'convert it, or make it a regular file, on the protected branch',
  })
}

/** A signed verdict, as it is kept. */
export interface Envelope {
  readonly gate: string
  readonly digest: Digest
  /** The bytes of the DSSE envelope. */
  readonly content: string
}

export interface CandidateInput {
  readonly task: Task
  readonly tree: TreeSha
  readonly base: CommitSha
  /** What the final gates said about `tree`. */
  readonly results: readonly GateResult[]
  /** A recorded time, ISO 8601: composing again with it gives the same commit. */
  readonly at: string
  readonly key: EnvelopeSigner
}
export interface Composed {
  readonly kind: 'composed'
  readonly candidate: Candidate
  /** To be kept until the landing; the candidate names their digests. */
  readonly envelopes: readonly Envelope[]
}

/**
 * The commit the owner is asked to sign, the evidence about its tree, and the text to sign. Writes git objects and
 * moves nothing. Repeating is safe and gives the same, to the byte.
 * @returns a refusal when evidence is missing or says anything but passed
 * @throws Fault bad-settings when the base cannot be used
 */
export async function composeCandidate(repository: Repository, input: CandidateInput): Promise<Composed | Refusal> {
  const { task, tree, base, at } = input
  const protectedBase = await requireBase(repository, base)
  const sealed = sealVerdicts(protectedBase, input)
  if (sealed.kind === 'refused') return sealed

  const commit = await repository.commit({
    tree,
    parents: [base],
    message: landingMessage(task),
    author: agentPerson(task.agent),
    committer: gafferPerson,
    at,
  })
  const evidence = sealed.envelopes.map(({ gate, digest }) => ({ gate, digest }))
  const { title, owner } = task.brief
  const statement = signOffStatement({
    task: task.id,
    title,
    owner,
    base,
    candidate: commit,
    tree,
    brief: task.briefDigest,
    policy: protectedBase.policy,
    evidence,
  })
  const verdicts = new Map(input.results.map(({ gate, verdict }) => [gate, verdict.kind]))
  const seen = evidence.map((item) => {
    const verdict = verdicts.get(item.gate)
    return verdict === 'passed' || verdict === 'not-applicable' ? { ...item, verdict } : item
  })
  return {
    kind: 'composed',
    candidate: { commit, tree, base, evidence: seen, statement },
    envelopes: sealed.envelopes,
  }
}

/** Evidence about a tree, in order of gate; refused unless every required gate is there and all let it through. */
export function sealVerdicts(
  protectedBase: ProtectedBase,
  { task, tree, base, results, at, key }: CandidateInput,
): { readonly kind: 'sealed'; readonly envelopes: readonly Envelope[] } | Refusal {
  requireTrusted(protectedBase, key)
  const { required } = protectedBase
  const by = new Map(results.map((result) => [result.gate, result]))
  const missing = required.filter(({ name }) => !by.has(name)).map(({ name }) => name)
  const todo = 'run the final gates again, and mend what they find'
  if (by.size !== results.length) return refuse('candidate', 'a gate speaks twice about one tree', todo)
  if (missing.length > 0) return refuse('candidate', `there is no evidence of ${missing.join(', ')}`, todo)
  if (judge(results).kind !== 'passed') return refuse('candidate', 'not every gate let it through', todo)

  const settings = new Map(required.map((gate) => [gate.name, digestOfGateSettings(gate)]))
  const envelopes = results
    .filter(({ gate }) => settings.has(gate)) // what nobody asked for says nothing that could be checked later
    .toSorted((a, b) => (a.gate < b.gate ? -1 : 1))
    .map((result): Envelope => {
      const predicate: VerdictPredicate = {
        task: task.id,
        gate: result.gate,
        settings: settings.get(result.gate) as Digest,
        base,
        result,
        at,
      }
      const content = sealEnvelope(evidenceStatement(tree, predicate), key)
      return { gate: result.gate, digest: digestOf(content), content }
    })
  return { kind: 'sealed', envelopes }
}

const noBranch = (repository: Repository, task: Task): Fault =>
  new Fault('bad-input', `${repository.hub} has no branch ${task.branch}`, {
    hint: `push the branch ${task.branch} again; ${task.id} was opened for it`,
  })

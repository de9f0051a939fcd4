import type { Verification, VerifiedCommit } from '../domain/evidence.ts'
import type { CommitSha } from '../domain/ids.ts'
import { refs } from '../domain/settings.ts'
import type { CommitInfo, History } from '../ports/repository.ts'
import { claimsTask, trailer, trailerNames } from './commit-message.ts'
import { concurrently } from './concurrently.ts'
import { openEnvelope } from './dsse.ts'
import { landingPath, landingsOn } from './evidence-layout.ts'
import { checkMerge } from './verify-merge.ts'
import { protectedBases, type ProtectedBase, type ReadBase, type Trust } from './protected-base.ts'
import { openSignatureVerifier, type SignatureVerifier } from './signature-verifier.ts'
import { readLanding } from './statements.ts'
import { checkDossier, pathsOf, type Claim } from './verify-dossier.ts'
import { commitsToVerify } from './verify-range.ts'

/**
 * Whether every commit of a range came through the chain; with git and ssh-keygen alone, and no word of the change
 * itself: signers, keys, settings and so the required gates are those of the commit before. A commit is
 *
 * - `attested`: it landed with an owner's signature and complete evidence about exactly its tree;
 * - `bypass`: it stands outside the chain;
 * - `tampered`: it claims a task, stands in another's place, or something kept about it does not fit.
 *
 * Cost grows with the range, not with the history. Repeating is safe; nothing is written to the repository.
 * @param range see commitsToVerify
 * @throws Fault as commitsToVerify; command-missing without ssh-keygen
 */
export async function verify(history: History, range?: string, trust?: Trust): Promise<Verification> {
  const commits = await commitsToVerify(history, range)
  const evidence = await history.head(refs.evidence)
  return verifyCommits({ history, commits, evidence, ...(trust === undefined ? {} : { trust }) })
}

export interface VerifyRequest {
  readonly history: History
  readonly commits: readonly CommitInfo[]
  /** The evidence to go by; undefined when there is none. */
  readonly evidence: CommitSha | undefined
  readonly trust?: Trust
}

/** Read together, which saves round trips; bounded, which saves memory. */
const batchSize = 128
/** ssh-keygen and git, side by side. */
const lanes = 4

export async function verifyCommits({ history, commits, evidence, trust }: VerifyRequest): Promise<Verification> {
  await using signatures = openSignatureVerifier()
  const look: Look = { history, evidence, baseOf: protectedBases(history, trust), signatures }
  const verified: VerifiedCommit[] = []
  for (let at = 0; at < commits.length; at += batchSize)
    verified.push(...(await verifyBatch(look, commits.slice(at, at + batchSize))))
  return { ok: verified.every(({ status }) => status === 'attested'), commits: verified }
}

interface Look {
  readonly history: History
  readonly evidence: CommitSha | undefined
  readonly baseOf: (commit: CommitSha) => Promise<ReadBase>
  readonly signatures: SignatureVerifier
}

async function verifyBatch(look: Look, commits: readonly CommitInfo[]): Promise<readonly VerifiedCommit[]> {
  const bases = await concurrently(commits, lanes, async ({ parents }) =>
    parents[0] === undefined ? undefined : look.baseOf(parents[0]),
  )
  const statements = await files(look, commits.map(statementPath))
  const opened = commits.map((commit, index) =>
    openLanding(commit, bases[index], statements.get(statementPath(commit))),
  )
  const dossiers = await files(
    look,
    opened.flatMap((landing) => (landing.kind === 'claim' ? pathsOf(landing.claim) : [])),
  )
  return concurrently(
    commits.map((commit, index) => [commit, opened[index] as OpenedLanding] as const),
    lanes,
    async ([commit, landing]) => {
      if (landing.kind === 'outside') return outside(look, commit, landing.why)
      if (landing.kind === 'broken') return tampered(commit, landing.why)
      const why = await contradiction(look, landing.claim, dossiers)
      const { task, owner } = landing.claim.landing
      return why === undefined ? { sha: commit.sha, status: 'attested', task, owner } : tampered(commit, why)
    },
  )
}

const files = async ({ history, evidence }: Look, paths: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> =>
  evidence === undefined || paths.length === 0 ? new Map() : history.readMany(evidence, paths)

const statementPath = ({ sha, parents }: CommitInfo): string => landingPath(parents[0] ?? sha, sha)

type OpenedLanding =
  | { readonly kind: 'outside'; readonly why: string }
  | { readonly kind: 'broken'; readonly why: string }
  | { readonly kind: 'claim'; readonly claim: Claim }

function openLanding(commit: CommitInfo, base: ReadBase | undefined, bytes: Uint8Array | undefined): OpenedLanding {
  if (base === undefined) return { kind: 'outside', why: 'it has no parent' }
  if (commit.parents.length > 1) return { kind: 'outside', why: 'it is a merge commit; a landing has one parent' }
  if (base.kind === 'unusable' && !base.adopted) return { kind: 'outside', why: base.why }
  if (bytes === undefined) return { kind: 'outside', why: 'the evidence has no landing statement about it' }
  if (base.kind === 'unusable') return { kind: 'broken', why: base.why }
  return openClaim(commit, base.base, bytes)
}

function openClaim(commit: CommitInfo, base: ProtectedBase, bytes: Uint8Array): OpenedLanding {
  const envelope = openEnvelope(bytes, base.keys)
  if (envelope.kind === 'rejected') return { kind: 'broken', why: `its landing statement ${envelope.why}` }
  const landing = readLanding(envelope.payload)
  if (landing === undefined) return { kind: 'broken', why: 'its landing statement cannot be read' }
  if (landing.commit !== commit.sha)
    return { kind: 'broken', why: `its landing statement is about another commit, ${landing.commit.slice(0, 12)}` }
  return { kind: 'claim', claim: { commit, base, landing } }
}

/** What does not fit, cheapest first; undefined when everything does. */
async function contradiction(
  look: Look,
  claim: Claim,
  dossiers: ReadonlyMap<string, Uint8Array>,
): Promise<string | undefined> {
  const { commit, landing, base } = claim
  const dossier = checkDossier(claim, dossiers)
  if (dossier.kind === 'contradiction') return dossier.why
  const signature = await look.signatures.verify({
    statement: dossier.statement,
    armoured: dossier.armoured,
    owner: landing.owner,
    allowedSigners: base.allowedSigners,
    at: commit.committer.at,
  })
  if (signature.kind === 'invalid') return signature.why
  if (landing.merge === null) return undefined
  return checkMerge({ ...look, evidenceFiles: (paths) => files(look, paths) }, claim, landing.merge, dossier)
}

/** Outside the chain; tampered rather than a bypass when it says otherwise, or took the place of one that landed. */
async function outside({ history, evidence }: Look, commit: CommitInfo, why: string): Promise<VerifiedCommit> {
  if (claimsTask(commit.message)) return tampered(commit, `it names a task, and ${missing(evidence, why)}`)
  const [base] = commit.parents
  const landed = evidence === undefined || base === undefined ? [] : await history.list(evidence, landingsOn(base))
  const [replaced] = landed.map(({ path }) => path.split('/').at(-1)?.split('.')[0] ?? '')
  if (replaced !== undefined)
    return tampered(commit, `it stands where ${replaced.slice(0, 12)} landed: that commit was rewritten or replaced`)
  return { sha: commit.sha, status: 'bypass', why: missing(evidence, why) }
}

const missing = (evidence: CommitSha | undefined, why: string): string =>
  evidence === undefined
    ? `${why}: ${refs.evidence} is not here (fetch it: git fetch origin ${refs.evidence}:${refs.evidence})`
    : why

function tampered(commit: CommitInfo, why: string): VerifiedCommit {
  const [task] = trailer(commit.message, trailerNames.task)
  const [owner] = trailer(commit.message, trailerNames.owner)
  return {
    sha: commit.sha,
    status: 'tampered',
    ...(task === undefined ? {} : { task }),
    ...(owner === undefined ? {} : { owner }),
    why,
  }
}

import type { CommitSha, Digest, TaskId } from '../domain/ids.ts'

/**
 * Where things are in the tree of `refs/gaffer/evidence`. A file is added once and never changed or removed. Tasks are
 * sharded by the last two characters of their id, which are drawn at random; landings by the commit they stand on, so
 * that a commit that took another's place is found without a search.
 *
 *     tasks/<last two>/<task>/<candidate>/brief.json
 *                                         pull-request.md
 *                                         sign-off.json  sign-off.json.sig
 *                                         evidence/<gate>.<16 digits of its digest>.dsse.json
 *     landings/<first two>/<base>/<commit>.dsse.json
 */
export interface Dossier {
  readonly brief: string
  readonly text: string
  readonly signOff: string
  readonly signature: string
  readonly evidence: (gate: string, digest: Digest) => string
}

export function dossierOf(task: TaskId, candidate: CommitSha): Dossier {
  const folder = `tasks/${task.slice(-2)}/${task}/${candidate}`
  return {
    brief: `${folder}/brief.json`,
    text: `${folder}/pull-request.md`,
    signOff: `${folder}/sign-off.json`,
    signature: `${folder}/sign-off.json.sig`,
    evidence: (gate, digest) => `${folder}/evidence/${gate}.${digest.slice(7, 23)}.dsse.json`,
  }
}

export const landingsOn = (base: CommitSha): string => `landings/${base.slice(0, 2)}/${base}`
export const landingPath = (base: CommitSha, commit: CommitSha): string => `${landingsOn(base)}/${commit}.dsse.json`

export const evidenceReadme = `# Evidence

Why each commit of the protected branch was allowed to land, kept by Gaffer.

- \`tasks/<last two>/<task>/<candidate>/\`: the brief, the pull-request text, what each gate said about the tree (in-toto
  statements in DSSE envelopes), and what the owner signed, with the signature.
- \`landings/<first two>/<base>/<commit>.dsse.json\`: the statement that this commit landed on that one.

Files are added and never changed. \`gaffer verify\` checks all of it with git, ssh-keygen and the two public key files
\`.gaffer/allowed_signers\` and \`.gaffer/evidence_keys.pem\`; \`git cat-file\`, \`ssh-keygen -Y verify -n gaffer-sign-off\`
and any DSSE verifier will do as well.
`

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Answer } from '../answer.ts'
import type { Context } from '../context.ts'
import { columns, plural, short } from '../render/layout.ts'
import { oneLine } from '../render/printable.ts'
import { usage } from '../stop.ts'
import type { Trust } from '../wiring.ts'

export interface VerifyOptions {
  readonly allowedSigners?: string
  readonly evidenceKeys?: string
}

/** `gaffer verify [RANGE]`: exit 0 only when every commit is attested. */
export async function verify(context: Context, range: string | undefined, options: VerifyOptions): Promise<Answer> {
  const { allowedSigners, evidenceKeys } = options
  if ((allowedSigners === undefined) !== (evidenceKeys === undefined))
    throw usage(
      'nothing was verified',
      'one of the two key files is missing',
      'give both `--allowed-signers FILE` and `--evidence-keys FILE`, or neither',
    )
  const trust: Trust =
    allowedSigners === undefined || evidenceKeys === undefined
      ? { kind: 'repository' }
      : {
          kind: 'files',
          allowedSigners: await keyFile(context, allowedSigners),
          evidenceKeys: await keyFile(context, evidenceKeys),
        }
  const verification = await (await context.wiring()).verify({ folder: context.cwd, range: range ?? null, trust })
  const { ok, commits } = verification
  const { paint } = context
  const colour = { attested: paint.good, bypass: paint.needed, tampered: paint.bad }
  const bad = commits.filter(({ status }) => status !== 'attested').length
  return {
    data: verification,
    text: [
      ...columns(
        commits.map((commit) => [
          colour[commit.status](commit.status),
          short(commit.sha),
          oneLine(commit.task ?? ''),
          oneLine(commit.owner ?? ''),
          oneLine(commit.why ?? ''),
        ]),
      ),
      ...(commits.length > 0 ? [''] : []),
      verdict(ok, commits.length, bad),
    ],
    exit: ok ? 0 : 1,
  }
}

const keyFile = ({ cwd }: Context, path: string): Promise<string> =>
  readFile(resolve(cwd, path), 'utf8').catch((error: unknown) => {
    throw usage(
      'nothing was verified',
      error instanceof Error ? error.message : `${path} cannot be read`,
      'name a file with public keys',
    )
  })

function verdict(ok: boolean, total: number, bad: number): string {
  if (total === 0) return ok ? 'there is nothing to verify in that range' : 'nothing could be verified'
  return ok
    ? `${plural(total, 'commit')} verified`
    : `${bad} of ${plural(total, 'commit')} did not come through the chain`
}

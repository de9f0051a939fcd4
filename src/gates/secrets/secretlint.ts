import { tmpdir } from 'node:os'
import { createEngine } from '@secretlint/node'
import { z } from 'zod'
import type { Match } from './patterns.ts'

const resultSchema = z.array(
  z.looseObject({
    messages: z.array(
      z.looseObject({ ruleId: z.string(), messageId: z.string(), range: z.tuple([z.number(), z.number()]) }),
    ),
  }),
)

let engine: ReturnType<typeof createEngine> | undefined

/**
 * What secretlint's recommended rules find in a text. Its own configuration files are not looked at, and neither are
 * the comments by which a text may switch it off.
 */
export async function lintSecrets(path: string, text: string): Promise<readonly Match[]> {
  engine ??= createEngine({
    cwd: tmpdir(),
    formatter: 'json',
    color: false,
    maskSecrets: true,
    configFileJSON: { rules: [{ id: '@secretlint/secretlint-rule-preset-recommend' }] },
  })
  // One letter for another, so that places stay where they are.
  const content = text.replaceAll(/secretlint(?=-(?:disable|enable))/gi, 'secretlinT')
  const { output } = await (await engine).executeOnContent({ content, filePath: `/${path}` })
  return resultSchema.parse(JSON.parse(output)).flatMap(({ messages }) =>
    messages.map(({ ruleId, messageId, range: [start, end] }) => ({
      rule: ruleId.replace('@secretlint/secretlint-rule-', ''),
      what: messageId
        .replaceAll(/_/g, ' ')
        .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
        .toLowerCase(),
      start,
      secret: text.slice(start, end),
    })),
  )
}

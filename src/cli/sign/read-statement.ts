import { z } from 'zod'
import { predicateTypes, signOffPredicateSchema, statementType, type SignOffPredicate } from '../../domain/evidence.ts'
import { refusal } from '../stop.ts'

const statementSchema = z.looseObject({
  _type: z.literal(statementType),
  subject: z.array(z.looseObject({ digest: z.record(z.string(), z.string()) })).min(1),
  predicateType: z.literal(predicateTypes.signOff),
  predicate: signOffPredicateSchema,
})

/**
 * What exactly the bytes say that are about to be signed. People are shown this, never what the server says beside it.
 * @throws Stop when it is not a sign-off of this task's candidate
 */
export function readStatement(
  bytes: Uint8Array,
  expected: { readonly task: string; readonly candidate: string; readonly tree: string },
): SignOffPredicate {
  const no = (why: string): Error =>
    refusal('nothing was signed', why, `look again: \`gaffer status ${expected.task}\``)
  const parsed = statementSchema.safeParse(jsonOf(bytes))
  if (!parsed.success) throw no('what there is to sign is no sign-off statement')
  const { predicate, subject } = parsed.data
  if (predicate.task !== expected.task) throw no(`the statement is about ${predicate.task}`)
  if (predicate.candidate !== expected.candidate || predicate.tree !== expected.tree)
    throw no('the statement is about another candidate than the one that stands')
  const named = subject.flatMap(({ digest }) => Object.values(digest))
  if (!named.includes(predicate.candidate) || !named.includes(predicate.tree))
    throw no('the statement contradicts itself about its subject')
  return predicate
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

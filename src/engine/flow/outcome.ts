import { Fault, type FaultRecord } from '../../domain/fault.ts'
import { faultSchema } from '../../domain/verdict.ts'

/**
 * What a step or a child came to, as plain data: DBOS would remember a thrown Fault as an error without its code and
 * hint, and a replayed workflow must see what the first one saw.
 */
export type Outcome<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'fault'; readonly fault: FaultRecord }

export async function outcomeOf<T>(run: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { kind: 'value', value: await run() }
  } catch (error) {
    if (error instanceof Fault) return { kind: 'fault', fault: error.toJSON() }
    throw error
  }
}

export function valueOf<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'value') return outcome.value
  const { code, message, hint, retryable } = faultSchema.parse(outcome.fault)
  throw new Fault(code, message, { hint, retryable })
}

import { Fault, type FaultRecord } from '../domain/fault.ts'

export type Caught<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'fault'; readonly fault: FaultRecord }

/** Makes a Fault a value that a durable step can remember. Anything else thrown is a bug and passes through. */
export async function caught<T>(run: () => Promise<T>): Promise<Caught<T>> {
  try {
    return { kind: 'ok', value: await run() }
  } catch (error) {
    if (error instanceof Fault) return { kind: 'fault', fault: error.toJSON() }
    throw error
  }
}

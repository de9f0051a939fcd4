import type { Protection, Sandbox } from '../../ports/sandbox.ts'

/** The sandbox to work with on this machine, and what it protects: `confined` when it holds, else `otherwise`. */
export async function chooseSandbox(
  confined: Sandbox,
  otherwise: Sandbox,
): Promise<{ readonly sandbox: Sandbox; readonly protection: Protection }> {
  const protection = await confined.protects()
  // The reason worth telling is why the better one does not hold here.
  return { sandbox: protection.kind === 'confined' ? confined : otherwise, protection }
}

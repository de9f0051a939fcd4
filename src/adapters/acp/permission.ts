import type { PermissionOption, RequestPermissionResponse } from '@agentclientprotocol/sdk'

/**
 * The answer to a permission request, chosen by what an option is, never by where it stands. Where an agent offers no
 * single "yes", there is none: `allow_always` would allow more than was decided.
 */
export function answerPermission(
  options: readonly PermissionOption[],
  decision: 'allow' | 'deny',
): { readonly decision: 'allow' | 'deny'; readonly response: RequestPermissionResponse } {
  const of = (kind: PermissionOption['kind']): PermissionOption | undefined =>
    options.find((option) => option.kind === kind)
  const yes = decision === 'allow' ? of('allow_once') : undefined
  if (yes !== undefined)
    return { decision: 'allow', response: { outcome: { outcome: 'selected', optionId: yes.optionId } } }
  const no = of('reject_once') ?? of('reject_always')
  if (no === undefined) return { decision: 'deny', response: { outcome: { outcome: 'cancelled' } } }
  return { decision: 'deny', response: { outcome: { outcome: 'selected', optionId: no.optionId } } }
}

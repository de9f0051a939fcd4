import { expect, test } from 'vitest'
import type { SessionEntry } from '../../ports/agent.ts'
import { SessionUpdates } from './session-updates.ts'

function taken(updates: readonly object[]): { entries: readonly SessionEntry[]; said: string } {
  const entries: SessionEntry[] = []
  const session = new SessionUpdates((entry) => entries.push(entry))
  for (const update of updates) session.take({ sessionId: 's', update }, 's')
  return { said: session.endTurn(), entries }
}
const chunk = (sessionUpdate: string, text: string): object => ({ sessionUpdate, content: { type: 'text', text } })

test('pieces of speech are recorded as one, in order with what happens between them', () => {
  const { entries, said } = taken([
    chunk('agent_thought_chunk', 'let '),
    chunk('agent_thought_chunk', 'me see'),
    chunk('agent_message_chunk', 'I '),
    chunk('agent_message_chunk', 'edit.'),
    { sessionUpdate: 'plan', entries: [{ content: 'one', status: 'completed' }, { content: 'two' }] },
    chunk('agent_message_chunk', 'Done.'),
  ])
  expect(entries).toEqual([
    { kind: 'thought', text: 'let me see' },
    { kind: 'said', text: 'I edit.' },
    { kind: 'plan', text: '[x] one\n[ ] two' },
    { kind: 'said', text: 'Done.' },
  ])
  expect(said).toBe('I edit.Done.')
})

test('long speech is not kept back', () => {
  const { entries, said } = taken(Array(9).fill(chunk('agent_message_chunk', 'x'.repeat(1_000))))
  expect(entries.map((entry) => entry.kind === 'said' && entry.text.length)).toEqual([4_000, 4_000, 1_000])
  expect(said).toHaveLength(9_000)
})

test('a tool call is put together from its parts, whichever comes first', () => {
  const tool = (more: object): object => ({ sessionUpdate: 'tool_call_update', toolCallId: 't', ...more })
  const content = [
    { type: 'diff', path: '/w/a.ts', newText: '' },
    { type: 'content', content: { type: 'text', text: 'ok' } },
  ]
  const { entries } = taken([
    tool({ status: 'in_progress', content, locations: [{ path: '/w/a.ts', line: 3 }] }),
    { sessionUpdate: 'tool_call', toolCallId: 't', title: 'Edit a.ts', kind: 'edit' },
    tool({ status: 'completed', kind: null, title: null }),
  ])
  const detail = 'changes /w/a.ts\nok'
  expect(entries).toEqual([
    { kind: 'tool', id: 't', title: 'a tool', status: 'in_progress', detail },
    { kind: 'tool', id: 't', title: 'Edit a.ts', status: 'in_progress', detail },
    { kind: 'tool', id: 't', title: 'Edit a.ts', status: 'completed', detail },
  ])
})

test('what belongs to another session, or cannot be read, is left out', () => {
  const entries: SessionEntry[] = []
  const session = new SessionUpdates((entry) => entries.push(entry))
  session.take({ sessionId: 'other', update: chunk('agent_message_chunk', 'x') }, 's')
  session.take({ sessionId: 's', update: { sessionUpdate: 'agent_message_chunk', content: { type: 'image' } } }, 's')
  session.take(null, 's')
  expect({ said: session.endTurn(), entries }).toEqual({ said: '', entries: [] })
})

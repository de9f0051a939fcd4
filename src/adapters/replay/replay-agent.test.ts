import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { runReplayAgent } from './replay-agent.ts'

/** What the agent answers to these lines, and nothing more. */
async function converse(lines: readonly string[]): Promise<readonly unknown[]> {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const exit = (): never => {
    throw new Error('exit')
  }
  const answers: unknown[] = []
  const reading = (async () => {
    for await (const line of createInterface({ input: output })) answers.push(JSON.parse(line))
  })()
  input.end(lines.join('\n'))
  await runReplayAgent({ model: 'm', turns: [] }, { input, output, env: {}, exit })
  output.end()
  await reading
  return answers
}

test('it answers what it does not understand with the errors of JSON-RPC', async () => {
  const answers = await converse([
    'garbage',
    '{"jsonrpc":"2.0","id":1,"method":"session/fork"}',
    '{"jsonrpc":"2.0","id":2,"method":"session/new","params":{"cwd":"relative"}}',
    '{"jsonrpc":"2.0","id":3,"method":"session/prompt","params":{"sessionId":"none","prompt":[]}}',
    '{"jsonrpc":"2.0","id":99,"result":{}}',
    '{"jsonrpc":"2.0","method":"session/cancel","params":{"sessionId":"none"}}',
  ])
  const errors = [
    { id: null, error: { code: -32700 } },
    { id: 1, error: { code: -32601, message: 'there is no method session/fork' } },
    { id: 2, error: { code: -32602 } },
    { id: 3, error: { code: -32603, message: 'there is no session none' } },
  ]
  expect(answers).toHaveLength(errors.length)
  for (const error of errors)
    expect(answers).toContainEqual(expect.objectContaining({ ...error, error: expect.objectContaining(error.error) }))
})

test('it introduces itself as an ACP agent of version 1, by the name in its file', async () => {
  const [hello] = await converse(['{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":1}}'])
  expect(hello).toMatchObject({
    id: 0,
    result: { protocolVersion: 1, agentInfo: { name: 'gaffer-replay', title: 'm' } },
  })
})

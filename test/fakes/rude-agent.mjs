/**
 * An agent that misbehaves in one way, named by its first argument. It answers the handshake where the misbehaviour
 * comes later. Plain JSON-RPC, so that it can say what no SDK would let it say.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const [manner = '', argument = ''] = process.argv.slice(2)
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const update = (update) => send({ method: 'session/update', params: { sessionId: 's', update } })
const say = (text) => update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } })
const endTurn = (id, more = {}) => send({ id, result: { stopReason: 'end_turn', ...more } })

const atStart = {
  'exits-at-once': () => process.exit(7),
  'exits-with-words': () => {
    console.error('no configuration found, api_key=sk-abcdefghijklmnopqrstuvwx')
    process.exit(1)
  },
  'prints-usage': () => {
    console.log('Usage: agent [options]\n  --help  this')
    process.exit(0)
  },
  'chats-on-stdout': () => setInterval(() => console.log('thinking about it…'), 1),
  'greets-and-hangs': () => console.log('Welcome! Type your question:'),
  'greets-and-works': () => console.log('Welcome!'),
  'floods-stdout': () => flood(process.stdout),
  'floods-stderr': () => flood(process.stderr),
}
const flood = (stream) => {
  while (stream.write('x'.repeat(65_536)));
  stream.once('drain', () => flood(stream))
}

const atInitialize = {
  hangs: () => undefined,
  'chats-on-stdout': () => undefined,
  'greets-and-hangs': () => undefined,
  'floods-stdout': () => undefined,
  'floods-stderr': () => undefined,
  'other-version': (id) => send({ id, result: { protocolVersion: 99 } }),
  'nonsense-answer': (id) => send({ id, result: 'hello' }),
  'no-such-method': (id) => send({ id, error: { code: -32601, message: 'Method not found' } }),
}

const opened = { sessionId: 's' }
const model = { type: 'select', id: 'm', name: 'Model', category: 'model', currentValue: 'small' }
const options = [
  {
    group: 'g',
    name: 'G',
    options: [
      { value: 'small', name: 'S' },
      { value: 'large', name: 'L' },
    ],
  },
]
const atNewSession = {
  'wants-login': (id) => send({ id, error: { code: -32000, message: 'Authentication required' } }),
  'breaks-session': (id) => send({ id, error: { code: -32603, message: 'out of cheese' } }),
  'session-without-id': (id) => send({ id, result: {} }),
  'offers-models': (id) => send({ id, result: { ...opened, configOptions: [{ odd: true }, { ...model, options }] } }),
}

const answers = new Map()
const ask = (params) =>
  new Promise((resolve) => {
    answers.set('q', resolve)
    send({ id: 'q', method: 'session/request_permission', params: { sessionId: 's', ...params } })
  })
const option = (kind) => ({ optionId: `id-of-${kind}`, name: 'Do', kind })

const atPrompt = {
  'forks-and-ends': (id) => {
    const escape = `trap '' TERM; exec sleep ${argument}`
    spawn('setsid', ['sh', '-c', escape], { stdio: 'ignore', detached: true }).unref()
    spawn('sh', ['-c', `(setsid sh -c "${escape}" &) ; sleep ${argument}`], { stdio: 'ignore' })
    setTimeout(() => endTurn(id), 200)
  },
  'forks-and-dies': () => {
    spawn('setsid', ['sleep', argument], { stdio: 'inherit', detached: true }).unref()
    setTimeout(() => process.exit(5), 200)
  },
  'closes-stdout': () => {
    process.stdout.end()
    process.stdout.destroy()
    setInterval(() => undefined, 1_000)
  },
  'is-killed': () => process.kill(process.pid, 'SIGKILL'),
  'answers-and-exits': (id) => {
    say('bye')
    endTurn(id)
    process.exit(0)
  },
  'answers-with-error': (id) => send({ id, error: { code: -32603, message: 'the model is overloaded' } }),
  'answers-with-nonsense': (id) => send({ id, result: { stopReason: 'tired' } }),
  'noisy-stderr': (id) => {
    process.stderr.write(Buffer.from([0x66, 0xff, 0xfe, 0x6f, 10]))
    say('fine')
    setTimeout(() => endTurn(id), 50)
  },
  'sends-lines': (id) => {
    for (const line of JSON.parse(argument)) process.stdout.write(Buffer.from(line, 'base64'))
    say('still here')
    endTurn(id)
  },
  'reports-usage': (id) => endTurn(id, JSON.parse(argument)),
  'asks-first': async (id) => {
    const toolCall = {
      toolCallId: 't',
      title: 'Write x',
      kind: 'edit',
      content: [{ type: 'diff', path: '/x', newText: '' }],
    }
    const answer = await ask({ toolCall, options: JSON.parse(argument).map(option) })
    update({ sessionUpdate: 'tool_call_update', toolCallId: 't', status: 'completed' })
    update({ sessionUpdate: 'tool_call', toolCallId: 't', title: 'Write x', status: 'completed' })
    say(JSON.stringify(answer))
    endTurn(id)
  },
  'reads-files-by-us': async (id) => {
    answers.set('q', (answer) => {
      say(JSON.stringify(answer))
      endTurn(id)
    })
    send({ id: 'q', method: 'fs/read_text_file', params: { sessionId: 's', path: '/etc/passwd' } })
  },
  'ignores-cancel': () => setInterval(() => undefined, 1_000),
}

atStart[manner]?.()
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params, result, error } = JSON.parse(line)
  if (method === undefined) return answers.get(id)?.(result ?? error)
  if (method === 'initialize')
    return (
      atInitialize[manner] ??
      (() => send({ id, result: { protocolVersion: 1, agentInfo: { name: 'rude', version: '1' } } }))
    )(id)
  if (method === 'session/new') return (atNewSession[manner] ?? (() => send({ id, result: opened })))(id)
  if (method === 'session/set_config_option') {
    model.currentValue = params.value
    return send({ id, result: { configOptions: [] } })
  }
  if (method === 'session/prompt')
    return (atPrompt[manner] ?? (() => (say(`${manner} ${model.currentValue} ${process.cwd()}`), endTurn(id))))(id)
})

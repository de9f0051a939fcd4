import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fault } from '../../domain/fault.ts'
import { readFrames } from '../client/frames.ts'
import { refusal, stopOf } from '../stop.ts'
import { columns, wrapped } from './layout.ts'
import { paint, wantsColour } from './paint.ts'
import { oneLine, printable } from './printable.ts'

describe('what is printed', () => {
  it('shows everything invisible, and leaves what can be read', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // oxlint-disable-next-line no-control-regex
        expect(printable(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
        expect(oneLine(text)).not.toContain('\n')
      }),
    )
    expect(printable('Größe\t→ 日本\r\nok')).toBe('Größe\t→ 日本\nok')
    expect(printable('\u001b[2J')).toBe('␛[2J')
  })

  it('is coloured only on a terminal, and not where NO_COLOR says so', () => {
    expect(wantsColour(true, {})).toBe(true)
    expect(wantsColour(false, {})).toBe(false)
    expect(wantsColour(true, { NO_COLOR: '1' })).toBe(false)
    expect(wantsColour(true, { NO_COLOR: '' })).toBe(true)
    expect(wantsColour(true, { TERM: 'dumb' })).toBe(false)
    expect(paint(false).bad('x')).toBe('x')
  })

  it('stands in columns, whatever is coloured', () => {
    const { good } = paint(true)
    expect(
      columns([
        [good('ok'), 'a'],
        ['failed', 'b'],
      ]),
    ).toEqual([`${good('ok')}      a`, 'failed  b'])
  })

  it('loses no word when it is wrapped', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/)), (words) => {
        const lines = wrapped(words.join(' '), 20)
        expect(lines.join(' ').trim()).toBe(words.join(' '))
        expect(lines.every((line) => line.length <= 20)).toBe(true)
      }),
    )
  })
})

describe('how a command ends', () => {
  it('tells a refusal from wrong use and from what went wrong', () => {
    const fault = (code: Fault['code']) => stopOf(new Fault(code, 'x', { hint: 'do this' })).exit
    expect(stopOf(refusal('x', 'y', 'z')).exit).toBe(1)
    expect(fault('not-a-repository')).toBe(1)
    expect(fault('bad-settings')).toBe(1)
    expect(fault('bad-input')).toBe(2)
    expect(fault('port-taken')).toBe(3)
    expect(stopOf(new Error('a bug'))).toMatchObject({ exit: 3, type: 'bug' })
  })
})

describe('a stream of events', () => {
  it('is read the same however it is cut into pieces', async () => {
    const text = ': hello\nretry: 1\n\nid: 1\nevent: task\ndata: {"a":"ü"}\n\nevent: task\ndata: 2\n\ndata: left'
    const bytes = new TextEncoder().encode(text)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
        const pieces = at.slice(1).map((end, index) => bytes.slice(at[index], end))
        const body = new ReadableStream({
          start(controller) {
            for (const piece of pieces) controller.enqueue(piece)
            controller.close()
          },
        })
        const frames = []
        for await (const frame of readFrames(new Response(body))) frames.push(frame)
        expect(frames).toEqual([
          { event: 'task', data: '{"a":"ü"}' },
          { event: 'task', data: '2' },
        ])
      }),
    )
  })
})

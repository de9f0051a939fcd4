export interface Frame {
  readonly event: string
  readonly data: string
}

/** Frames of a server-sent event stream, as they come. Comments are left out. */
export async function* readFrames(answer: Response): AsyncGenerator<Frame> {
  let left = ''
  const decoder = new TextDecoder()
  for await (const chunk of answer.body ?? []) {
    left += decoder.decode(chunk, { stream: true })
    const whole = left.split('\n\n')
    left = whole.pop() ?? ''
    for (const text of whole) {
      const frame = parseFrame(text)
      if (frame !== undefined) yield frame
    }
  }
}

export function parseFrame(text: string): Frame | undefined {
  let event = 'message'
  const data: string[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('event: ')) event = line.slice('event: '.length)
    else if (line.startsWith('data: ')) data.push(line.slice('data: '.length))
  }
  return data.length === 0 ? undefined : { event, data: data.join('\n') }
}

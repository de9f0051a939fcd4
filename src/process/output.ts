/**
 * Keeps at most `limitBytes` of a stream: its beginning and its end, half and half, with a line in between that says
 * how much is missing. Memory is bounded however much is written.
 */
export class KeptOutput {
  readonly #headBytes: number
  readonly #tailBytes: number
  readonly #head: Buffer[] = []
  readonly #tail: Buffer[] = []
  #headSize = 0
  #tailSize = 0
  #seen = 0

  constructor(limitBytes: number) {
    this.#tailBytes = Math.floor(limitBytes / 2)
    this.#headBytes = limitBytes - this.#tailBytes
  }

  add(chunk: Buffer): void {
    this.#seen += chunk.length
    const free = this.#headBytes - this.#headSize
    if (free > 0) {
      const part = chunk.subarray(0, free)
      this.#head.push(part)
      this.#headSize += part.length
    }
    const rest = free > 0 ? chunk.subarray(free) : chunk
    if (rest.length === 0) return
    this.#tail.push(rest)
    this.#tailSize += rest.length
    this.#forget()
  }

  get truncated(): boolean {
    return this.#seen > this.#headBytes + this.#tailBytes
  }

  bytes(): Buffer {
    if (!this.truncated) return Buffer.concat([...this.#head, ...this.#tail])
    const tail = Buffer.concat(this.#tail)
    const kept = tail.subarray(tail.length - this.#tailBytes)
    const missing = this.#seen - this.#headSize - kept.length
    return Buffer.concat([...this.#head, Buffer.from(`\n[… ${missing} bytes left out …]\n`), kept])
  }

  #forget(): void {
    for (let oldest = this.#tail[0]; oldest !== undefined; oldest = this.#tail[0]) {
      if (this.#tailSize - oldest.length < this.#tailBytes) return
      this.#tail.shift()
      this.#tailSize -= oldest.length
    }
  }
}

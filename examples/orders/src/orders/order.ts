/** What is sent to callers, member for member. Prices are those of the moment the order was placed. */
export interface Order {
  /** `ord_` and 24 lower-case hexadecimal digits. */
  readonly id: string
  readonly customer: string
  /** ISO 8601 with milliseconds, UTC. */
  readonly placedAt: string
  readonly lines: readonly OrderLine[]
  readonly totalCents: number
}

export interface OrderLine {
  readonly sku: string
  readonly quantity: number
  readonly unitPriceCents: number
}

/** What a customer asks for. */
export interface OrderRequest {
  readonly customer: string
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
}

import type { Database } from '../database/database.ts'
import { json, refuse, type Answer } from '../http/answer.ts'
import { invalidField, onlyFields, type Checked } from '../http/fields.ts'
import type { Route } from '../http/route.ts'
import { isSku, skuForm } from '../products/sku.ts'
import type { OrderRequest } from './order.ts'
import { placeOrder } from './order-store.ts'

export const orderRoutes = (database: Database): readonly Route[] => [
  {
    method: 'POST',
    path: '/orders',
    answer: async ({ body }) => {
      const sent = await body()
      if (sent.kind === 'refused') return sent.answer
      const request = checkOrder(sent.value)
      if (request.kind === 'refused') return request.answer

      const placed = await placeOrder(database, request.value)
      if (placed.kind === 'unknown-product') return unknownProduct(placed.sku)
      return json(201, placed.order, { location: `/orders/${placed.order.id}` })
    },
  },
]

const mostLines = 100
const mostOfOne = 1_000

function checkOrder(value: unknown): Checked<OrderRequest> {
  const fields = onlyFields(value, ['customer', 'lines'])
  if (fields.kind === 'refused') return fields

  const { customer, lines } = fields.value
  if (typeof customer !== 'string' || customer.length > 254 || !/^[^\s@]+@[^\s@]+$/.test(customer))
    return { kind: 'refused', answer: invalidField('customer is an e-mail address.') }
  if (!Array.isArray(lines) || lines.length === 0 || lines.length > mostLines)
    return { kind: 'refused', answer: invalidField(`lines is a list of 1 to ${mostLines}.`) }

  const checked: OrderRequest['lines'][number][] = []
  for (const [index, line] of lines.entries()) {
    const found = checkLine(line, `lines[${index}]`)
    if (found.kind === 'refused') return found
    checked.push(found.value)
  }
  return { kind: 'valid', value: { customer, lines: checked } }
}

function checkLine(value: unknown, where: string): Checked<OrderRequest['lines'][number]> {
  const fields = onlyFields(value, ['sku', 'quantity'], where)
  if (fields.kind === 'refused') return fields

  const { sku, quantity } = fields.value
  if (!isSku(sku)) return { kind: 'refused', answer: invalidField(`${where}.sku ${skuForm}`) }
  if (typeof quantity !== 'number' || !Number.isInteger(quantity) || quantity < 1 || quantity > mostOfOne)
    return {
      kind: 'refused',
      answer: invalidField(`${where}.quantity is a whole number from 1 to ${mostOfOne}.`),
    }
  return { kind: 'valid', value: { sku, quantity } }
}

const unknownProduct = (sku: string): Answer =>
  refuse({
    status: 422,
    name: 'unknown-product',
    title: 'A product does not exist',
    detail: `No product has the SKU ${sku}.`,
  })

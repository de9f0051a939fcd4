import type { Database } from '../database/database.ts'
import { json, refuse } from '../http/answer.ts'
import { invalidField, onlyFields, type Checked } from '../http/fields.ts'
import type { Route } from '../http/route.ts'
import { addProduct, findProduct, listProducts, type Product } from './product-store.ts'
import { isSku, skuForm } from './sku.ts'

export const productRoutes = (database: Database): readonly Route[] => [
  {
    method: 'GET',
    path: '/products',
    answer: async () => json(200, { products: await listProducts(database) }),
  },
  {
    method: 'GET',
    path: '/products/:sku',
    answer: async ({ params }) => {
      const sku = params['sku'] ?? ''
      if (!isSku(sku)) return invalidField(`sku ${skuForm}`)

      const product = await findProduct(database, sku)
      return product === undefined ? productNotFound : json(200, product)
    },
  },
  {
    method: 'POST',
    path: '/products',
    answer: async ({ body }) => {
      const sent = await body()
      if (sent.kind === 'refused') return sent.answer
      const product = checkProduct(sent.value)
      if (product.kind === 'refused') return product.answer

      if ((await addProduct(database, product.value)) === 'taken') return skuTaken
      return json(201, product.value, { location: `/products/${product.value.sku}` })
    },
  },
]

function checkProduct(value: unknown): Checked<Product> {
  const fields = onlyFields(value, ['sku', 'name', 'priceCents'])
  if (fields.kind === 'refused') return fields

  const { sku, name, priceCents } = fields.value
  if (!isSku(sku)) return { kind: 'refused', answer: invalidField(`sku ${skuForm}`) }
  if (typeof name !== 'string' || name.trim() === '' || name.length > 200)
    return { kind: 'refused', answer: invalidField('name has 1 to 200 characters.') }
  if (typeof priceCents !== 'number' || !Number.isInteger(priceCents) || priceCents < 0 || priceCents > 10_000_000)
    return { kind: 'refused', answer: invalidField('priceCents is a whole number from 0 to 10000000.') }
  return { kind: 'valid', value: { sku, name, priceCents } }
}

const productNotFound = refuse({
  status: 404,
  name: 'product-not-found',
  title: 'There is no such product',
  detail: 'No product has this SKU.',
})

const skuTaken = refuse({
  status: 409,
  name: 'sku-taken',
  title: 'The SKU is taken',
  detail: 'Another product has this SKU.',
})

export const isSku = (value: unknown): value is string => typeof value === 'string' && /^[A-Z0-9-]{1,32}$/.test(value)

export const skuForm = 'has 1 to 32 capital letters, digits and hyphens.'

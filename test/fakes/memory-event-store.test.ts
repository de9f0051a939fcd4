import { eventStoreContract } from '../contracts/event-store.ts'
import { memoryEventStore } from './memory-event-store.ts'

eventStoreContract('the store in memory', () => Promise.resolve(memoryEventStore()))

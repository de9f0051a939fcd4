import { z } from 'zod'
import { isUsableGlob, unusableGlob } from './path-globs.ts'

const seconds = z.number().positive().max(86_400)

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
const name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/)

/** Descriptions are what docs/gaffer-yaml.md is made of (`script/docs`). */
const gateSchema = z
  .looseObject({
    gate: z
      .string()
      .min(1)
      .optional()
      .describe(
        'A folder of `src/gates/`; by default the name it is declared under. Everything else belongs to that gate.',
      ),
    at: z
      .enum(['unit', 'final', 'both'])
      .default('both')
      .describe('`unit`: at each checkpoint; `final`: before the signature and on a merged tree.'),
  })
  .describe('A gate, by the name that its findings and evidence carry. `contracts`, `scope` and `secrets` always run.')

const agentSchema = z
  .strictObject({
    command: z
      .array(z.string().min(1))
      .min(1)
      .describe('Program and arguments of an ACP agent on stdio. `gaffer` as the program is this Gaffer.'),
    env: z
      .record(variable, z.string())
      .default({})
      .describe('Its environment, as it stands here: no place for a secret.'),
    passEnv: z
      .array(variable)
      .default([])
      .describe(
        'Variables it is given as they stand in the environment of the Gaffer that runs it: the place for a key.',
      ),
    model: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('Recorded with what it does; chosen where the agent offers models.'),
    network: z
      .enum(['none', 'host'])
      .default('none')
      .describe("`host`: it may use this machine's network, which it needs to reach a hosted model."),
  })
  .describe('A coding agent, by the name that briefs and `--agent` use.')

/** `.gaffer/gaffer.yaml` of the repository that Gaffer looks after; always read from the protected base. */
export const settingsSchema = z.strictObject({
  version: z.literal(1).describe('Of this format.'),
  branch: z.string().min(1).default('main').describe('The protected branch, the one that a landing moves.'),
  dependencies: z
    .strictObject({
      installer: z
        .enum(['npm', 'none'])
        .default('none')
        .describe(
          'How the dependencies of a clean room are installed: `npm ci` from the lockfile, scripts off; or nothing.',
        ),
    })
    .prefault({}),
  gates: z.record(name, gateSchema).refine((gates) => Object.keys(gates).length > 0, 'declares no gate'),
  contracts: z
    .array(z.string().refine(isUsableGlob, unusableGlob))
    .default([])
    .describe('Globs of the tests and files that people own: agents read them and never change them.'),
  agents: z.record(name, agentSchema).default({}),
  agent: z.string().min(1).nullable().default(null).describe('The agent that builds when a brief names none.'),
  review: z
    .strictObject({
      plan: z
        .enum(['required', 'optional'])
        .default('optional')
        .describe('Whether a person approves the plan before anything is built.'),
      units: z
        .enum(['required', 'optional'])
        .default('required')
        .describe('Whether a person accepts each unit before the owner signs.'),
      rounds: z
        .number()
        .int()
        .min(1)
        .max(10)
        .default(3)
        .describe('Rounds an agent has for a unit before a person is asked.'),
      resign: z
        .boolean()
        .default(false)
        .describe('Whether the owner signs again when the branch moved under a signed change.'),
    })
    .prefault({}),
  limits: z
    .strictObject({
      turnSeconds: seconds.default(1_800).describe('For one turn of an agent.'),
      gateSeconds: seconds.default(600).describe('For one gate.'),
      outputMb: z.number().positive().max(1_024).default(16).describe('What a turn or a gate may print.'),
    })
    .prefault({}),
  sandbox: z
    .strictObject({
      required: z
        .boolean()
        .default(false)
        .describe('On a machine where nothing can confine them, agents and gates then do not run at all.'),
    })
    .prefault({}),
})

export type Settings = z.infer<typeof settingsSchema>
export type GateSettings = Settings['gates'][string]
export type AgentSettings = Settings['agents'][string]

/** Everything that governs agents lives under this folder; no agent may change it. */
export const governedFolder = '.gaffer/'
export const paths = {
  settings: '.gaffer/gaffer.yaml',
  allowedSigners: '.gaffer/allowed_signers',
  evidenceKeys: '.gaffer/evidence_keys.pem',
  plan: 'PLAN.md',
  changelog: 'CHANGELOG.md',
} as const
export const refs = {
  evidence: 'refs/gaffer/evidence',
  task: (id: string): string => `refs/heads/gaffer/${id}`,
} as const

import { BadInput } from '../sentence.ts';

/** Reads the outputs of a stack by their names; undefined when there is no such stack. */
export type ReadOutputs = (stack: string) => Promise<Readonly<Record<string, string>> | undefined>;

/** The outputs of a stage's stacks that commands use, by the setting or the place that each becomes. */
const OUTPUTS = {
  api: { ApiAddress: 'apiUrl', ApiId: 'apiId', RequestsPerSecond: 'requestsPerSecond' },
  queues: { QueueUrlBase: 'queueUrlBase', Shards: 'shards', EventQueues: 'eventQueues' },
  workers: {
    ClusterName: 'cluster',
    ServiceName: 'service',
    WorkersLeast: 'workersLeast',
    WorkersMost: 'workersMost',
  },
} as const;

type NameIn<Part> = Part[keyof Part] & string;
type OutputName = { [Part in keyof typeof OUTPUTS]: NameIn<(typeof OUTPUTS)[Part]> }[keyof typeof OUTPUTS];
export type StageOutputs = Readonly<Record<OutputName, string>>;

/** Reads where a stage is and how large. Throws BadInput with one sentence when it is not deployed there. */
export async function readStage(stage: string, read: ReadOutputs): Promise<StageOutputs> {
  const found: Record<string, string> = {};
  for (const [part, names] of Object.entries(OUTPUTS)) {
    const stack = `${stage}-${part}`;
    const outputs = await read(stack);
    if (outputs === undefined) {
      throw new BadInput(`There is no stack ${stack}: name the region of the stage with --region, or deploy it first.`);
    }
    for (const [output, name] of Object.entries(names)) {
      const value = outputs[output];
      if (value === undefined)
        throw new BadInput(`The stack ${stack} has no output ${output}: deploy this version first.`);
      found[name] = value;
    }
  }
  return found as StageOutputs;
}

/** The settings by which commands find the stage (shared/platform/config.ts). */
export function settingsOfStage(stage: string, outputs: StageOutputs): Readonly<Record<string, string>> {
  return {
    HOLDFAST_STAGE: stage,
    HOLDFAST_API_URL: outputs.apiUrl,
    HOLDFAST_QUEUE_URL_BASE: outputs.queueUrlBase,
    HOLDFAST_SHARD_COUNT: outputs.shards,
    HOLDFAST_EVENT_QUEUES: outputs.eventQueues,
  };
}

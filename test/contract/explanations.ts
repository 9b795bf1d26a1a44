/** Why a permission that the integration run does not use is right all the same. */
export interface Explanation {
  /** `never`: this run cannot use it. `seldom`: whether it does depends on timing. */
  readonly here: 'never' | 'seldom';
  readonly why: string;
}

const eventSource: Explanation = {
  here: 'never',
  why: "Lambda's event source reads how many messages wait, to know how many batches to run; that of the embedded stack always runs two.",
};
const keyFile: Explanation = {
  here: 'never',
  why: 'The embedded stack wraps data keys with a key file instead of KMS, behind the same interface.',
};

const unreadable: Explanation = {
  here: 'never',
  why: 'Only what nobody can read, or what the store refuses for good, is put there; nothing in this run is of that kind.',
};

const waits: Explanation = {
  here: 'seldom',
  why: 'The oldest message is looked up only where one waits at the moment at which somebody looks.',
};

const growth: Explanation = {
  here: 'never',
  why: 'A connection moves to another queue for facts only after their number has grown.',
};

const laneGrowth: Explanation = {
  here: 'never',
  why: "A tenant's log gets more lanes only under hundreds of events a second.",
};

const afterDeath: Explanation = {
  here: 'seldom',
  why: 'Ingest reads a page of the log only where an earlier run of the same batch has died.',
};

const together: Explanation = {
  here: 'seldom',
  why: 'An update goes as a statement only where others are written with it, and here messages come one by one.',
};

/** The explanations by the name of the permission. A test fails for one that is not needed. */
export const explanations: Readonly<Record<string, Explanation>> = {
  'ingest dynamodb:UpdateItem core TENANT#*': laneGrowth,
  'ingest dynamodb:PartiQLInsert core CON#*': together,
  'ingest dynamodb:PartiQLUpdate core CON#*': together,
  'ingest dynamodb:GetItem core EVENTS#*': afterDeath,
  'ingest sqs:GetQueueAttributes events': eventSource,
  'deliver sqs:GetQueueAttributes deliveries': eventSource,
  'admin dynamodb:Query core PARKED#*': waits,
  'worker sqs:SendMessage commandsDead': unreadable,
  'worker dynamodb:ConditionCheckItem fleet SHARD#*': growth,
  'worker kms:Decrypt data key': keyFile,
  'worker kms:GenerateDataKey data key': keyFile,
  'restore kms:Decrypt data key': keyFile,
  'restore kms:GenerateDataKey data key': keyFile,
};

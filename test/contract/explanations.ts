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

const unsealed: Explanation = {
  here: 'never',
  why: 'S3 calls KMS itself, in the name of whoever calls S3; the files of the embedded stack are not sealed.',
};
const alone: Explanation = {
  here: 'seldom',
  why: 'The row of a file is written with that of its message, and alone only where that call did not write it.',
};
const lateFile: Explanation = {
  here: 'seldom',
  why: 'A job is hidden until its next try only where a host does not give the file, or a store does not answer.',
};
const givenUp: Explanation = {
  here: 'never',
  why: 'A delivery is given up after its last attempt, which is more than a day later.',
};
const listing: Explanation = {
  here: 'never',
  why: 'Nothing is listed: without this right S3 says of an object that is not there that it must not be read.',
};
const reading: Explanation = {
  here: 'seldom',
  why: 'An upload in parts needs it of the key of the bucket, and a look at whether one was completed whose answer was lost.',
};
const brokenOff: Explanation = {
  here: 'seldom',
  why: 'An upload in parts is taken back only where a large file breaks off in the middle.',
};

const unreadable: Explanation = {
  here: 'never',
  why: 'Only what nobody can read, or what the store refuses for good, is put there; nothing in this run is of that kind.',
};

const waits: Explanation = {
  here: 'seldom',
  why: 'The oldest message is looked up only where one waits at the moment at which somebody looks.',
};

const copied: Explanation = {
  here: 'never',
  why: 'A file is copied into an export by one call, which S3 takes as a read of the one and a write of the other; it is recorded as the write.',
};
const receipts: Explanation = {
  here: 'seldom',
  why: 'Receipts are exported with what went to a group, or was a status.',
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

const mergedChats: Explanation = {
  here: 'never',
  why: 'Two chats become one where WhatsApp tells that they are one person; nobody here is known by a number alone.',
};
const pastOnly: Explanation = {
  here: 'seldom',
  why: 'A history makes people and chats that are new and fills in known ones, and looks for those of its messages that are no older than their connection.',
};
const together: Explanation = {
  here: 'seldom',
  why: 'An update goes as a statement only where others are written with it, and here messages come one by one.',
};

const longAsked: Explanation = {
  here: 'never',
  why: 'A file that its phone was asked for gets a new message in the queue when the first was given out a dozen times.',
};

const takenBack: Explanation = {
  here: 'never',
  why: 'A received message is taken back by an administrator of a group alone; nobody here is one.',
};

const endedAtOnce: Explanation = {
  here: 'seldom',
  why: 'The request that deletes a tenant has its connections end, and reconcile looks after those that it did not come to.',
};
const goneBefore: Explanation = {
  here: 'never',
  why: 'The place of a connection without an account goes with the connection; one is left only where a request took it that came to nothing.',
};
const tenMinutesLater: Explanation = {
  here: 'never',
  why: 'The messages of a deleted connection go ten minutes after it, when all that was under way has ended.',
};
const sharedSheet: Explanation = {
  here: 'seldom',
  why: 'A row of a history is written anew only where others wrote what stands in it, too, and read anew only where somebody else writes it.',
};

const erasedMeanwhile: Explanation = {
  here: 'seldom',
  why: 'The API lets a file go itself only where it is deleted at the moment at which its upload is found whole.',
};

const smallTenant: Explanation = {
  here: 'seldom',
  why: 'The request of the operator itself switches the connections of a small tenant; reconcile does what it left.',
};

/** The explanations by the name of the permission. A test fails for one that is not needed. */
export const explanations: Readonly<Record<string, Explanation>> = {
  'ingest dynamodb:UpdateItem core TENANT#*': laneGrowth,
  'ingest dynamodb:PartiQLInsert core CON#*': together,
  'ingest dynamodb:PartiQLUpdate core CON#*': together,
  'ingest dynamodb:PartiQLInsert core ENDPOINT#*': together,
  'media dynamodb:PartiQLInsert core MEDIA#*': together,
  'media dynamodb:BatchGetItem core CON#*': pastOnly,
  'media dynamodb:PutItem core CHATS#*': pastOnly,
  'media dynamodb:UpdateItem core CHATS#*': pastOnly,
  'media dynamodb:PutItem core CONTACTS#*': pastOnly,
  'ingest dynamodb:PartiQLInsert core CHATS#*': together,
  'ingest dynamodb:PartiQLUpdate core CHATS#*': together,
  'ingest dynamodb:DeleteItem core CHATS#*': mergedChats,
  'ingest dynamodb:GetItem core EVENTS#*': afterDeath,
  'ingest sqs:GetQueueAttributes events': eventSource,
  'deliver sqs:GetQueueAttributes deliveries': eventSource,
  'deliver sqs:GetQueueAttributes slowDeliveries': eventSource,
  'media sqs:GetQueueAttributes media': eventSource,
  'media sqs:ChangeMessageVisibility media': lateFile,
  'media sqs:SendMessage media': longAsked,
  'deliver sqs:SendMessage deliveriesDead': givenUp,
  'media s3:ListBucket media': listing,
  'media s3:AbortMultipartUpload media': brokenOff,
  'media s3:GetObject media': reading,
  'media kms:GenerateDataKey key of the bucket': unsealed,
  'media kms:Decrypt key of the bucket': unsealed,
  'api kms:Decrypt key of the bucket': unsealed,
  'api kms:GenerateDataKey key of the bucket': unsealed,
  'api s3:ListBucket media': listing,
  'archive s3:ListBucket media': listing,
  'archive s3:AbortMultipartUpload media': brokenOff,
  'archive s3:GetObject media': copied,
  'archive kms:Decrypt key of the bucket': unsealed,
  'archive kms:GenerateDataKey key of the bucket': unsealed,
  'archive dynamodb:BatchGetItem core CON#*': receipts,
  'ingest dynamodb:PartiQLInsert core MEDIA#*': together,
  'ingest dynamodb:PutItem core MEDIA#*': alone,
  'ingest dynamodb:UpdateItem core MEDIA#*': takenBack,
  'ingest dynamodb:PartiQLUpdate core MEDIA#*': takenBack,
  'ingest dynamodb:PartiQLInsert core ERASURES': together,
  'ingest dynamodb:PutItem core ERASURES': alone,
  'dispatch dynamodb:DeleteItem core BULK#*': tenMinutesLater,
  'reconcile dynamodb:PutItem core ARCHIVE#*': endedAtOnce,
  'archive dynamodb:DeleteItem core UNPAIRED#*': goneBefore,
  'archive dynamodb:GetItem core HISTORY#*': sharedSheet,
  'archive dynamodb:PutItem core HISTORY#*': sharedSheet,
  'api dynamodb:DeleteItem core OBJECT#*': erasedMeanwhile,
  'api dynamodb:Query core OBJECT#*': erasedMeanwhile,
  'reconcile dynamodb:ConditionCheckItem core TENANT#*': smallTenant,
  'reconcile dynamodb:UpdateItem core TENANT#*': smallTenant,
  'admin dynamodb:Query core PARKED#*': waits,
  'worker sqs:SendMessage commandsDead': unreadable,
  'worker dynamodb:ConditionCheckItem fleet SHARD#*': growth,
  'worker kms:Decrypt data key': keyFile,
  'worker kms:GenerateDataKey data key': keyFile,
  'restore kms:Decrypt data key': keyFile,
  'restore kms:GenerateDataKey data key': keyFile,
};

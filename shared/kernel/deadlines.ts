/**
 * Every deadline that is not a setting, in one place: nothing outside is waited for without a deadline. Settings
 * (`HOLDFAST_STORE_TIMEOUT_MS` 5 s, `HOLDFAST_WEBHOOK_TIMEOUT_MS` 10 s, the query and ack timeouts of WhatsApp) are in
 * `platform/config.ts`.
 */
interface Deadline {
  readonly ms: number;
  /** The source of the number. */
  readonly source: string;
}

export const deadlines = {
  hostLookUp: { ms: 5_000, source: 'half of a webhook attempt, so that a slow resolver leaves time to connect' },
  peopleNotes: {
    ms: 2_000,
    source: 'a read and two writes are done in 30 ms; what ingest has in hand must not come again for a note',
  },
  chatNotes: {
    ms: 2_000,
    source: 'two reads and a write are done in 30 ms; what ingest has in hand must not come again for a note',
  },
  quotaSlice: {
    ms: 500,
    source: 'one write is done in 10 ms; a request that would wait longer passes, and is paid for later',
  },
  quotaTerms: { ms: 1_000, source: 'one read is done in 5 ms; until it answers the quotas that are usual hold' },
  auditEnd: {
    ms: 2_000,
    source: 'a write is done in 10 ms; what was done is answered also while its end cannot be written down',
  },
  webhookRest: { ms: 250, source: 'bodies of receivers that are well come with the headers; nobody needs them' },
  streamRead: {
    ms: 20_000,
    source: 'longer than a beat of a stream; a client that has taken nothing for so long is stuck',
  },
  webhookTest: { ms: 10_000, source: 'as long as a delivery is given; the API function has 29 s' },
  socketClose: {
    ms: 2_000,
    source: 'a close that is not answered by then is not worth a wait: the TCP connection is cut',
  },
  socketSettle: {
    ms: 10_000,
    source: 'facts and credentials on their way have deadlines of their own; what is left is left',
  },
  socketLogout: { ms: 5_000, source: 'one query online is answered within 1 s; a phone that is off must not block' },
  stanza: {
    ms: 45_000,
    source: 'longer than a store outage that a worker survives (40 s), shorter than a keep-alive gap',
  },
  offlineQueue: {
    ms: 300_000,
    source: 'a month of waiting stanzas; a socket that closes first ends the wait for good',
  },
  send: { ms: 30_000, source: 'two queries of 15 s: devices of the recipient, and their pre-keys' },
  groupMembers: { ms: 3_000, source: 'one query online is answered within 1 s; every stanza behind it waits' },
  stanzaWrite: { ms: 5_000, source: 'a frame that the kernel does not take for 5 s will not leave at all' },
  mediaDownload: { ms: 30_000, source: 'for all of one file; Baileys sets none' },
  mediaHeaders: { ms: 10_000, source: 'a host that has not begun to answer by then will not' },
  objectTry: {
    ms: 20_000,
    source: 'a part of 5 MiB at 2 Mbit/s; a store that takes longer is tried on a new connection',
  },
  objectCall: { ms: 62_000, source: 'three tries, and the waits between them' },
  objectIdle: { ms: 20_000, source: 'bytes of an object that do not come for as long as a try may take will not come' },
  mediaSilence: { ms: 20_000, source: 'a host that sends nothing for so long has broken off' },
  linkFetch: {
    ms: 120_000,
    source: '100 MB, the largest document of the Cloud API, at 7 Mbit/s; a message waits for it',
  },
  mediaFetch: { ms: 285_000, source: 'what the function has (`mediaTimes`), and time to write down how it ended' },
  historyRun: {
    ms: 200_000,
    source:
      'the time of a run of the function (`mediaTimes`) without that of the longest chat and of the fetch; then another run goes on',
  },
  phoneHistory: {
    ms: 12_000,
    source: 'a phone that is online answers within seconds; the action has 20 s for all of it',
  },
  mediaTaken: { ms: 30_000, source: 'a host that has a whole file and says nothing for so long has broken off' },
  mediaSend: { ms: 285_000, source: 'what the function has (`mediaTimes`), and time to write down how it ended' },
  publish: { ms: 15_000, source: 'three tries of a store call; shorter than a stanza' },
  fencedClose: { ms: 5_000, source: 'a fenced worker ends: 10 s stay between fence and death' },
  taskProtection: { ms: 5_000, source: "ECS's agent answers within the 4 s that it gives to ECS" },
  statusRequest: { ms: 5_000, source: 'an ECS health check waits 5 s' },
} as const satisfies Record<string, Deadline>;

export type DeadlineName = keyof typeof deadlines;

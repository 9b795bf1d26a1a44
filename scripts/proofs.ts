/** A command and its arguments; `node` is this node. */
type Command = readonly [program: 'vitest' | 'node', ...args: string[]];

/** What takes too long for every change and is proven now and then: `npm run prove`. */
export interface Proof {
  readonly name: string;
  /** What is proven, as a sentence. */
  readonly what: string;
  /** What `npm test` plays of the same. */
  readonly daily: string;
  /** `alone`: what it measures, or how much it does at once, needs the machine for itself. `beside`: two of these run side by side. */
  readonly place: 'alone' | 'beside';
  readonly whole: Command;
  /** What `npm run prove -- --sample` runs: the same if it says so; `none` leaves the proof out. */
  readonly sample: 'same' | 'none' | Command;
  /** Where the output says how many cases there were. */
  readonly cases: RegExp;
}

const TESTS = /Tests\D+(?:\d+ failed \| )?(\d+) passed/;
const file = (path: string): Command => ['vitest', 'run', '--config', 'vitest.prove.config.ts', path];

export const proofs: readonly Proof[] = [
  {
    name: 'simulation',
    what: 'Fleets keep their promises in 30 worlds of faults and over a day without WhatsApp; every protocol that is broken on purpose is found out.',
    daily:
      '4 worlds, one of each script but the day offline, 5 of 10 broken protocols: `test/simulation/simulation.test.ts`',
    place: 'beside',
    whole: file('test/simulation/simulation.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'rolling-deploy',
    what: 'A deploy from the numbers of the template moves each socket of every shape once, and loses nothing where no task can be protected.',
    daily: 'what would move sockets twice is found, and the times fit: `test/simulation/rollingDeploy.test.ts`',
    place: 'beside',
    whole: file('test/simulation/rollingDeploy.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'event-log',
    what: 'Every reader gets every event once and in order, in 5,000 worlds of writers, deaths and growth.',
    daily: '150 worlds: `test/shared/event/eventLog.properties.test.ts`',
    place: 'beside',
    whole: file('test/shared/event/eventLog.prove.ts'),
    sample: 'none',
    cases: TESTS,
  },
  {
    name: 'ingest',
    what: 'Each event is told once and in order, its rows are right and its deliveries leave, in 5,000 worlds of deaths, sleepers and repeats.',
    daily: '150 worlds: `test/functions/ingest/ingest.properties.test.ts`',
    place: 'beside',
    whole: file('test/functions/ingest/ingest.prove.ts'),
    sample: 'none',
    cases: TESTS,
  },
  {
    name: 'large-tenant',
    what: 'A tenant has 5,000 events a second within the limits of a partition, and its log grows under load; none is lost.',
    daily: 'the same for a second: `test/shared/event/largeTenant.test.ts`',
    place: 'beside',
    whole: file('test/shared/event/largeTenant.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'media-corpus',
    what: 'Each of eighty files as strangers make them is sent, converted or refused with its code, in bounded memory, and nothing of it stays behind.',
    daily: 'a file of each treatment and each fault: `test/functions/media/prepare`',
    place: 'beside',
    whole: file('test/functions/media/prepare/corpus.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'large-file',
    what: 'The simulator sends and opens a file of 2 GB, and never holds it in memory.',
    daily: 'files of 200 KB, sealed and opened in chunks: `test/whatsapp/media/phoneFiles.test.ts`',
    place: 'beside',
    whole: file('test/whatsapp/media/largeFile.prove.ts'),
    sample: 'none',
    cases: TESTS,
  },
  {
    name: 'large-media',
    what: 'Ten files of 64 MB at once come, and go, through the product, and one of 2 GB comes, and they take less than 100 MB of any process.',
    daily:
      'files of 21 MB in parts, and two parts of each in memory: `test/e2e/media.test.ts`, `test/shared/media/objectStore.test.ts`',
    place: 'alone',
    whole: file('test/bench/largeMedia.prove.ts'),
    sample: 'none',
    cases: TESTS,
  },
  {
    name: 'file-kills',
    what: 'A process of the media function is killed before and after each call for a file that comes or goes: the next one brings it to its end, once, and leaves nothing.',
    daily: 'a death at each call of a send, in memory: `test/functions/media/send/sendFile.test.ts`',
    place: 'alone',
    whole: file('test/crash/fileKills.prove.ts'),
    sample: 'none',
    cases: TESTS,
  },
  {
    name: 'emergency',
    what: 'A worker that is released in the middle of everything leaves no timer, listener, socket or call behind.',
    daily: 'the owner of each timer and server in the sources: `test/architecture/ownedResources.test.ts`',
    place: 'beside',
    whole: file('test/soak/emergency.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'permissions',
    what: 'The product calls nothing that its roles are not allowed, and is allowed nothing that it does not call without a reason.',
    daily: 'the judge and the templates: `test/contract`',
    place: 'beside',
    whole: file('test/contract/contract.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'frozen-worker',
    what: 'The watchdog of the embedded stack has a frozen worker declared dead and replaced, and others take its shards.',
    daily: 'the same with two workers and no stack around them: `test/worker/frozenWorker.test.ts`',
    place: 'beside',
    whole: file('test/infra/local/watchdog.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'dead-functions',
    what: 'What functions had in their hands when their process was killed goes on within 45 s, and nothing of it is lost.',
    daily: 'the times of queues and functions fit: `test/infra/stacks/stacks.test.ts`',
    place: 'beside',
    whole: file('test/infra/local/deadFunctions.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'streams',
    what: 'Two hundred streams whose clients are cut off every few seconds, while processes are drained, tell each event once; a client that takes nothing is ended, and the others are told all.',
    daily:
      'goes on behind each event, changes of process, 25 worlds of lanes, cuts and feeds: `test/functions/stream/streamReader.test.ts`',
    place: 'alone',
    whole: file('test/functions/stream/streams.prove.ts'),
    sample: 'none',
    cases: TESTS,
  },
  {
    name: 'bulk-send',
    what: 'Of 10,000 messages in one request each is shown once and in the order of its chat, while workers and functions are killed.',
    daily:
      '150 of them, with one kill of the worker: `test/e2e/bulkSend.test.ts`; two runs at once: `test/functions/dispatch/bulkSends.test.ts`',
    place: 'beside',
    whole: file('test/e2e/bulkSend.prove.ts'),
    sample: 'none',
    cases: TESTS,
  },
  {
    name: 'bulk-send-deaths',
    what: 'A process dies before and after each call of accepting, sending and cancelling a bulk send: each line is sent once, and its end is told once.',
    daily: 'two runs at once, and late ones: `test/functions/dispatch/bulkSends.test.ts`',
    place: 'beside',
    whole: file('test/functions/dispatch/bulkSendDeaths.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'scheduled',
    what: 'Messages with times leave at them, and not earlier nor twice, while workers and functions are killed.',
    daily: 'the same on emulators, with a death at each call: `test/shared/message/scheduledDeaths.test.ts`',
    place: 'beside',
    whole: file('test/e2e/scheduled.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'ops',
    what: 'Every command of `npm run ops` does what it says to the embedded stack.',
    daily: 'how each line is read and refused: `test/ops`',
    place: 'beside',
    whole: file('test/ops/embedded.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'layers',
    what: 'The deadline of a socket, the supervisor and the watchdog can each recover a frozen connection with the two others switched off.',
    daily:
      'a frozen worker, and all of them together: `test/worker/frozenWorker.test.ts`, `test/worker/supervision.test.ts`',
    place: 'beside',
    whole: file('test/worker/layers.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'watchdog-rungs',
    what: 'A connection that nothing helps is restarted twice, handed off three times, and then its task is stopped.',
    daily:
      'the rungs on emulators: `test/worker/watchdogLadder.test.ts`; a frozen worker: `test/worker/frozenWorker.test.ts`',
    place: 'beside',
    whole: file('test/worker/watchdogRungs.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'actions',
    what: 'An action that may be repeated is done by the next worker when one is killed in the middle, and those that wait for a connection keep their time through a deploy.',
    daily:
      'what must be done once is never asked again by the next worker: `test/worker/actions/actionsProcess.test.ts`',
    place: 'beside',
    whole: file('test/worker/actions/actionsProcess.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'queue-outage',
    what: 'A worker whose queues are gone opens its connection again, and says that we could not store.',
    daily: 'the same cause in the table of rules: `test/worker/runner/closeRules.test.ts`',
    place: 'beside',
    whole: file('test/worker/queueOutage.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'plaintexts',
    what: 'What a hostile contact puts into a message gives one event each, and nobody else loses one.',
    daily: '2,000 of them, and a few all the way: `test/hostile`',
    place: 'beside',
    whole: ['node', 'test/hostile/main.ts', '--cases', '200000'],
    sample: file('test/hostile/plaintexts.prove.ts'),
    cases: /in memory +(\d+)|Tests\D+(?:\d+ failed \| )?(\d+) passed/,
  },
  {
    name: 'worlds',
    what: 'Fleets keep their promises in a thousand worlds of faults.',
    daily: '4 worlds: `test/simulation/simulation.test.ts`',
    place: 'alone',
    whole: ['node', 'test/simulation/main.ts', '--seeds', '1000', '--processes', '2'],
    sample: 'none',
    cases: /^seeds +(\d+)/m,
  },
  {
    name: 'close-matrix',
    what: 'Each way in which a socket closes leads to its verdict, after its own wait, on real sockets.',
    daily:
      'one row of each kind, without the measured waits: `test/worker/closeMatrix.test.ts`; all rules and waits as a table: `test/worker/runner/closeRules.test.ts`',
    place: 'alone',
    whole: file('test/worker/closeMatrix.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'restore-drill',
    what: 'Every table is lost and put back as it was earlier: all connections return without a new pairing, and everybody reads everybody.',
    daily: 'restoring in the stores: `test/worker/session/restoreSessions.test.ts`',
    place: 'alone',
    whole: file('test/ops/restoreDrill.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'reconnects',
    what: 'A connection that is opened and closed sixty times leaves no socket, session, timer, listener or memory behind.',
    daily: 'what a slope of memory is: `test/soak/slope.test.ts`',
    place: 'alone',
    whole: file('test/soak/reconnectCycles.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'crash',
    what: 'A worker dies before and after each call that it makes: nothing is lost or shown twice, every message can be read.',
    daily: 'what did harm once, and five points around publishing, committing and writing: `test/crash/crash.test.ts`',
    place: 'alone',
    whole: ['node', 'test/crash/main.ts'],
    sample: file('test/crash/crash.prove.ts'),
    cases: /^(\d+) points;|Tests\D+(?:\d+ failed \| )?(\d+) passed/m,
  },
  {
    name: 'brakes',
    what: 'A worker is killed at each call after a refusal with 463, 475 or 429: nobody else is written to, and the tenant is told once.',
    daily: 'the same calls on emulators: `test/worker/sending/crash.test.ts`',
    place: 'beside',
    whole: file('test/crash/brakes.prove.ts'),
    sample: 'none',
    cases: TESTS,
  },
  {
    name: 'accept-kills',
    what: 'A process of the functions is killed before and after each call of accept and of reconcile: a message is sent once, or ended as one that never was in the queue.',
    daily: 'around the row and around the queue, with and without repeats: `test/crash/acceptKills.test.ts`',
    place: 'beside',
    whole: file('test/crash/acceptKills.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'slow-pairing',
    what: 'Fifty accounts are linked at once while the store answers after two seconds: none is lost.',
    daily: 'three accounts, and answers after 300 ms: `test/e2e/slowPairing.test.ts`',
    place: 'alone',
    whole: file('test/e2e/slowPairing.prove.ts'),
    sample: 'same',
    cases: TESTS,
  },
  {
    name: 'chaos',
    what: 'Real workers under SIGKILL, SIGSTOP, deploys and outages lose nothing and come back in time.',
    daily: 'a worker killed, drained, frozen, and without stores: `test/worker`, `test/e2e`',
    place: 'alone',
    whole: ['node', 'test/chaos/main.ts', '--connections', '40', '--timings', 'quick'],
    sample: 'none',
    cases: /(\d+) cases/,
  },
];

/** The command that a run takes, or nothing if it leaves the proof out. */
export function commandOf(proof: Proof, isSample: boolean): Command | undefined {
  if (!isSample || proof.sample === 'same') return proof.whole;
  return proof.sample === 'none' ? undefined : proof.sample;
}

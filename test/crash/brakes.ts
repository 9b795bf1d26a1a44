import { until } from '../whatsapp/until.ts';
import type { FaultPlan } from './portWatch.ts';
import { Scene, type Ending } from './scene.ts';
import type { Site } from './site.ts';

/** A refusal that puts a brake on. */
export type BrakingCode = 463 | 475 | 429;

/** What came of a worker that WhatsApp refused a message, and that died or lived. */
export interface BrakeRun {
  /** The calls from the sending on; undefined where the worker died. */
  readonly calls: readonly string[] | undefined;
  /** The states of the refused message and of one to another stranger after it. */
  readonly refused: string | undefined;
  readonly held: string | undefined;
  /** How often WhatsApp refused a first contact of the account. */
  readonly refusals: number;
  /** The changes of the pace that were told, by their keys. */
  readonly told: ReadonlySet<string>;
  /** How often the end of the refused message was told, by its keys. */
  readonly ends: ReadonlySet<string>;
  /** Strangers to whom anything was shown. */
  readonly shown: number;
}

/** A killed process is followed by one that loads, logs in and works what the queue hid meanwhile. */
const PATIENCE_MS = 120_000;
const MOST_TRIES = 6;

/** Plays one refusal in a world of its own, with a worker that is a real process, and dies at a call where a plan says so. */
export async function playBrake(site: Site, code: BrakingCode, plan?: FaultPlan): Promise<BrakeRun> {
  const scene = await Scene.start(site);
  try {
    await scene.launch();
    scene.pair();
    if ((await patiently(() => scene.quiet())) !== 'quiet') throw new Error('the account could not be linked');
    const [first, second] = [await scene.addContact(), await scene.addContact()];
    await scene.client.fault(faultOf(code));
    scene.begin();
    await scene.arm(plan);
    await scene.send(first, 1);
    const stateAt = async (place: number): Promise<string | undefined> => {
      const { accepted, states } = await scene.evidence(0);
      const message = accepted[place];
      return message && states.get(message.messageId);
    };
    const keysOf = async (kind: 'pace' | 'send_result'): Promise<ReadonlySet<string>> =>
      new Set((await scene.evidence(0)).facts.flatMap((fact) => (fact.kind === kind ? [fact.key] : [])));
    const unfinished = async (): Promise<string | undefined> => {
      if ((await stateAt(0)) !== 'failed') return 'the failure';
      const [told, ends] = [await keysOf('pace'), await keysOf('send_result')];
      return told.size > 0 && ends.size > 0 ? undefined : 'an event';
    };
    const ending = await patiently(() => scene.quiet(unfinished));
    // Dead at the very end is dead as well.
    const calls = ending === 'crashed' ? undefined : await scene.disarm();
    if (calls === undefined) await scene.launch();
    await scene.send(second, 1);
    await until(
      'the second being held',
      () => stateAt(1),
      (state) => state === 'parked',
      PATIENCE_MS,
    );
    await until(
      'the change being told',
      () => keysOf('pace'),
      ({ size }) => size > 0,
      PATIENCE_MS,
    );
    const { shown, after } = await scene.evidence(0);
    return {
      calls,
      refused: await stateAt(0),
      held: await stateAt(1),
      refusals: Object.values(after.refusedFirstContacts).reduce((sum, count) => sum + count, 0),
      told: await keysOf('pace'),
      ends: await keysOf('send_result'),
      shown: [...shown.values()].filter((entries) => entries.length > 0).length,
    };
  } finally {
    await scene.stop();
  }
}

/** A scene gives up early, so that a campaign goes on; here each run counts, whoever else uses the machine. */
async function patiently(quiet: () => Promise<Ending>): Promise<Ending> {
  for (let tries = 1; tries < MOST_TRIES; tries += 1) {
    const ending = await quiet();
    if (ending !== 'late') return ending;
  }
  return quiet();
}

function faultOf(code: BrakingCode): Parameters<Scene['client']['fault']>[0] {
  return code === 429 ? { kind: 'nack', code } : { kind: 'refuse_first_contacts', code };
}

import type { FaultPlan } from './portWatch.ts';
import { exchange, type Chat, type Scenario } from './scenarios.ts';
import { Scene } from './scene.ts';
import type { Site } from './site.ts';
import { judge, type Findings } from './verdict.ts';

/** What one run of a scenario gave. */
export interface Run {
  /** `missed`: the worker never came to the call of the plan. */
  readonly outcome: 'recorded' | 'crashed' | 'missed';
  /** The calls that were counted; none of a worker that died. */
  readonly calls: readonly string[];
  readonly findings: Findings;
}

/** Plays scenarios with one account, one after the other, for as long as no crash does it harm; then with a new one. */
export class Stage {
  readonly #site: Site;
  #scene: Scene | undefined;
  readonly #known = new Map<Scenario['chat'], Chat>();

  constructor(site: Site) {
    this.#site = site;
  }

  /** Plays a scenario once. Without a plan the worker lives, and its calls are recorded. */
  async run(scenario: Scenario, plan?: FaultPlan): Promise<Run> {
    const { account, watchedFrom, before, during, sends } = scenario;
    if (account === 'unlinked') await this.stop();
    const scene = await this.#ready(account);
    const chat = await this.#cast(scene, scenario);
    scene.begin();
    if (watchedFrom === 'start') {
      await scene.away();
      await before(scene, chat);
      await scene.launch({ plan });
    } else {
      await before(scene, chat);
      await scene.arm(plan);
    }
    await during(scene, chat);
    // Dead at the very end is dead as well.
    const calls = (await scene.quiet()) === 'crashed' ? undefined : await scene.disarm();
    const hasCrashed = calls === undefined;
    if (hasCrashed) await scene.launch();
    // What was interrupted ends first, so that the order of what follows is known.
    const isQuiet = (await scene.quiet()) === 'quiet' && (await exchange(scene, chat));
    const evidence = await scene.evidence(sends && hasCrashed ? 1 : 0);
    const found = judge(evidence);
    const findings = isQuiet ? found : { ...found, problems: ['it did not come to an end', ...found.problems] };
    if (account === 'unlinked' || findings.problems.length > 0) await this.stop();
    const outcome = hasCrashed ? 'crashed' : plan === undefined ? 'recorded' : 'missed';
    return { outcome, calls: calls ?? [], findings };
  }

  async stop(): Promise<void> {
    const scene = this.#scene;
    this.#scene = undefined;
    this.#known.clear();
    await scene?.stop();
  }

  /** A scene in which the account is as the scenario wants it. */
  async #ready(account: Scenario['account']): Promise<Scene> {
    if (this.#scene !== undefined) return this.#scene;
    const scene = await Scene.start(this.#site);
    this.#scene = scene;
    if (account === 'linked') {
      await scene.launch();
      scene.pair();
      if ((await scene.quiet()) !== 'quiet') throw new Error('the account could not be linked');
    }
    return scene;
  }

  async #cast(scene: Scene, { chat, partner }: Scenario): Promise<Chat> {
    const known = this.#known.get(chat);
    if (partner === 'known' && known !== undefined) return known;
    const contact = await scene.addContact();
    const other = chat === 'group' ? await scene.addContact() : undefined;
    const cast: Chat =
      other === undefined
        ? { contact, place: contact, readers: [contact] }
        : { contact, place: await scene.addGroup(contact, [other]), readers: [contact, other] };
    if (partner === 'known') {
      scene.begin();
      if (!(await exchange(scene, cast))) throw new Error('the contacts could not be made known to each other');
      this.#known.set(chat, cast);
    }
    return cast;
  }
}

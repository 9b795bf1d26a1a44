import type { proto } from '@whiskeysockets/baileys';
import { isLabelId, type Label } from '../../../shared/message/label.ts';
import { firstCharacters } from '../../../shared/kernel/firstCharacters.ts';
import { tableEntry } from '../../../shared/kernel/tableEntry.ts';
import { labelChat, labelMessage, shownOf } from './kinds/label.ts';
import type { Mutation } from './readPatches.ts';
import { timeOf } from './stateKinds.ts';

/** A label as it was read, with everything that a device wrote of it. */
export interface ReadLabel {
  readonly label: Label;
  readonly written: proto.SyncActionValue.ILabelEditAction;
}

/** A chat or a message that a label is on. */
export interface Labelled {
  readonly chat: string;
  readonly stanzaId?: string | undefined;
}

/** The most labels that are noted, those that are deleted too: they keep their numbers. */
const MOST_NOTED = 1_000;
/** The most chats and messages that are noted of one label. */
const MOST_LABELLED = 10_000;
const NAME_CHARACTERS = 128;
/** The kinds of changes that say what a label is on. */
const ON = { label_jid: labelChat, label_message: labelMessage };

/**
 * The labels in a collection, as its records are read one after the other. A record that is there twice, as it is after a change
 * of keys, counts as its newest.
 */
export class LabelBook {
  readonly #labels = new Map<string, { readonly atMs: number; readonly written: ReadLabel['written'] | undefined }>();
  readonly #on = new Map<string, { readonly atMs: number; readonly isSet: boolean; readonly what: Labelled }>();
  readonly #about: string | undefined;
  readonly #nowMs: number;

  /** @param about the label of which it is noted what it is on */
  constructor(nowMs: number, about?: string) {
    this.#nowMs = nowMs;
    this.#about = about;
  }

  readonly note = (mutation: Mutation): void => {
    const [word, labelId = '', ...more] = mutation.index ?? [];
    if (!isLabelId(labelId)) return;
    if (word === 'label_edit') this.#noteLabel(labelId, mutation);
    else if (labelId === this.#about) this.#noteOn(word, [labelId, ...more], mutation);
  };

  /** The labels that there are, by their numbers. */
  labels(): readonly ReadLabel[] {
    return [...this.#labels]
      .flatMap(([id, { written }]) => {
        const { name, color } = written === undefined || written.deleted === true ? {} : shownOf(written);
        if (written === undefined || name === undefined) return [];
        const label = { id, name: firstCharacters(name, NAME_CHARACTERS), ...(color === undefined ? {} : { color }) };
        return [{ label, written }];
      })
      .toSorted(
        (one, other) => Number(one.label.id) - Number(other.label.id) || (one.label.id < other.label.id ? -1 : 1),
      );
  }

  /** A number that no label has or had. */
  newId(): string {
    const numbers = [...this.#labels.keys()].map(Number).filter((number) => Number.isSafeInteger(number) && number > 0);
    return String(Math.max(0, ...numbers.filter((number) => number < LAST_NUMBER)) + 1);
  }

  /** What the label is on that the book is about. */
  labelled(): readonly Labelled[] {
    return [...this.#on.values()].flatMap(({ isSet, what }) => (isSet ? [what] : []));
  }

  #noteLabel(id: string, { operation, value, ...mutation }: Mutation): void {
    const atMs = timeOf({ ...mutation, value }, this.#nowMs) ?? 0;
    const known = this.#labels.get(id);
    if (known === undefined ? this.#labels.size >= MOST_NOTED : known.atMs > atMs) return;
    this.#labels.set(id, { atMs, written: operation === 'remove' ? undefined : (value?.labelEditAction ?? undefined) });
  }

  #noteOn(word: string | undefined, about: readonly string[], { operation, value = {} }: Mutation): void {
    const kind = tableEntry(ON, word ?? '');
    const atMs = timeOf({ value }, this.#nowMs) ?? 0;
    const fact = kind?.toFact({ isRemoved: operation === 'remove', about, value, key: '', atMs });
    if (fact?.kind !== 'label_assign') return;
    const what = { chat: fact.chat, stanzaId: fact.stanzaId };
    const place = JSON.stringify(what);
    const known = this.#on.get(place);
    if (known === undefined ? this.#on.size >= MOST_LABELLED : known.atMs > atMs) return;
    this.#on.set(place, { atMs, isSet: fact.isSet, what });
  }
}

/** Numbers from here on are no numbers that WhatsApp's apps give. */
const LAST_NUMBER = 1_000_000;

import type { Scope } from '../../shared/kernel/scope.ts';

/** How long lines are held before they are passed on together. A page that a person reads may be that much behind. */
const HELD_MS = 500;
/** Lines beyond that are not passed on; they are in the log. */
const MOST_LINES = 10_000;

/** Passes on lines with metrics, many in one post: each post to another process costs more than a line. */
export class MetricPosts {
  readonly #scope: Scope;
  readonly #post: (lines: readonly string[]) => void;
  #lines: string[] = [];

  constructor(scope: Scope, post: (lines: readonly string[]) => void) {
    this.#scope = scope;
    this.#post = post;
  }

  readonly add = (line: string): void => {
    if (this.#lines.length >= MOST_LINES) return;
    this.#lines.push(line);
    if (this.#lines.length === 1) this.#scope.timeout(HELD_MS, () => this.#send());
  };

  #send(): void {
    const lines = this.#lines;
    this.#lines = [];
    this.#post(lines);
  }
}

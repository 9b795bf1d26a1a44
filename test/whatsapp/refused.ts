/** What the control API answers with when it refuses a call: a status, and a sentence that says why. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

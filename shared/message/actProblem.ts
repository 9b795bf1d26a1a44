/** The reason why an act is not possible, at a field of its body: `message_id` where none is named. */
export interface ActProblem {
  readonly problem: string;
  readonly field?: string;
  /** `invalid_request` where the body itself is wrong; else `act_not_possible`. */
  readonly code?: 'invalid_request';
}

import rows from './rows.json';

/** A row of the reference of bad input. */
export interface Row {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly frame_or_action: string;
  /** What must be answered; where the answer differs by case, all of them. */
  readonly expected_code: string;
  readonly expected_connection_state: string;
}

export const ROWS: readonly Row[] = rows;

/** @throws when there is no such row. */
export function rowOf(id: string): Row {
  const row = ROWS.find((one) => one.id === id);
  if (!row) throw new Error(`rows.json has no row ${id}`);
  return row;
}

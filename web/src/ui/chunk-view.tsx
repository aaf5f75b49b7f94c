import { Component } from 'preact';
import { dayLabel } from '../model/time.ts';
import { isSameRow, type Row } from '../model/timeline.ts';
import { MessageRow } from './message-row.tsx';

interface ChunkViewProps {
  readonly rows: readonly Row[];
  /** Only its day counts. */
  readonly nowMs: number;
  /** Whether senders are named, as in groups. */
  readonly hasNames: boolean;
  /** Whether the reader may delete what others have said. */
  readonly mayDelete: boolean;
  readonly nameOf: (userId: string) => string;
  /** Another value says that `nameOf` has learned something. */
  readonly namesVersion: number;
}

/** A run of the timeline, drawn again only when one of its rows shows something else. */
export class ChunkView extends Component<ChunkViewProps> {
  override shouldComponentUpdate(next: Readonly<ChunkViewProps>): boolean {
    const { rows, nowMs, hasNames, mayDelete, namesVersion } = this.props;
    if (next.nowMs !== nowMs || next.hasNames !== hasNames || next.namesVersion !== namesVersion) return true;
    if (next.mayDelete !== mayDelete) return true;
    return rows.length !== next.rows.length || !rows.every((row, index) => isSameRow(row, next.rows[index] ?? row));
  }

  override render() {
    const { rows, nowMs, hasNames, mayDelete, nameOf } = this.props;
    return (
      <ol class="chunk">
        {rows.map((row) => (
          <RowView key={row.key} row={row} nowMs={nowMs} hasNames={hasNames} mayDelete={mayDelete} nameOf={nameOf} />
        ))}
      </ol>
    );
  }
}

interface RowViewProps extends Pick<ChunkViewProps, 'nowMs' | 'hasNames' | 'mayDelete' | 'nameOf'> {
  readonly row: Row;
}

function RowView({ row, nowMs, hasNames, mayDelete, nameOf }: RowViewProps) {
  if (row.type === 'day')
    return (
      <li class="day">
        <h2>{dayLabel(row.atMs, nowMs)}</h2>
      </li>
    );
  if (row.type === 'new')
    return (
      <li class="divider">
        <span>New messages</span>
      </li>
    );
  const { message, isFirst, isLast } = row;
  const senderName = nameOf(message.senderId);
  return (
    <MessageRow
      message={message}
      isFirst={isFirst}
      isLast={isLast}
      senderName={senderName}
      hasName={hasNames}
      mayDelete={mayDelete}
    />
  );
}

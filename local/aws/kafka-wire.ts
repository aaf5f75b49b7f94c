/** Reads the parts of Kafka's protocol that local/aws/kafka-proxy.ts looks at. */
export class WireReader {
  private at = 0;

  constructor(
    private readonly bytes: Buffer,
    /** Of the flexible kind: compact lengths, tagged fields. */
    private readonly isFlexible = false,
  ) {}

  /** Where the reader stands. */
  get position(): number {
    return this.at;
  }

  int16(): number {
    this.at += 2;
    return this.bytes.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes.readUInt8(this.at++);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  /** Undefined for null. */
  text(flexible = this.isFlexible): string | undefined {
    const length = flexible ? this.varint() - 1 : this.int16();
    return length < 0 ? undefined : this.take(length).toString();
  }

  /** With a length of 32 bits, or compact. */
  blob(): Buffer {
    return this.take(Math.max(0, this.isFlexible ? this.varint() - 1 : this.int32()));
  }

  arrayLength(): number {
    return this.isFlexible ? this.varint() - 1 : this.int32();
  }

  skipTags(): void {
    if (!this.isFlexible) return;
    for (let count = this.varint(); count > 0; count--) {
      this.varint();
      this.take(this.varint());
    }
  }

  private take(length: number): Buffer {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

/** Writes answers in Kafka's protocol. */
export class WireWriter {
  private readonly parts: Buffer[] = [];

  constructor(private readonly isFlexible: boolean) {}

  int16(value: number): this {
    const bytes = Buffer.alloc(2);
    bytes.writeInt16BE(value);
    return this.raw(bytes);
  }

  int32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return this.raw(bytes);
  }

  int64(value: bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    return this.raw(bytes);
  }

  text(value: string | undefined): this {
    const bytes = Buffer.from(value ?? '');
    if (!this.isFlexible) return this.int16(value === undefined ? -1 : bytes.length).raw(bytes);
    return this.varint(value === undefined ? 0 : bytes.length + 1).raw(bytes);
  }

  blob(bytes: Buffer): this {
    return (this.isFlexible ? this.varint(bytes.length + 1) : this.int32(bytes.length)).raw(bytes);
  }

  arrayLength(length: number): this {
    return this.isFlexible ? this.varint(length + 1) : this.int32(length);
  }

  noTags(): this {
    return this.isFlexible ? this.varint(0) : this;
  }

  raw(bytes: Buffer): this {
    this.parts.push(bytes);
    return this;
  }

  /** With its length in front. */
  frame(): Buffer {
    const body = Buffer.concat(this.parts);
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length);
    return Buffer.concat([length, body]);
  }

  private varint(value: number): this {
    const bytes: number[] = [];
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
    bytes.push(rest);
    return this.raw(Buffer.from(bytes));
  }
}

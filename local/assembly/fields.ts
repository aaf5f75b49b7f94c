import { AssemblyError } from './assembly-error.ts';
import type { Properties, Resource } from './resolver.ts';

/** Reads one resource's properties; what is missing or of another kind is an error that names resource and property. */
export class Fields {
  constructor(
    private readonly where: string,
    private readonly properties: Properties,
  ) {}

  static of({ stackName, logicalId, properties }: Resource): Fields {
    return new Fields(`${stackName}/${logicalId}`, properties);
  }

  text(name: string): string {
    return this.optionalText(name) ?? this.fail(name, 'is missing.');
  }

  optionalText(name: string): string | undefined {
    const value = this.properties[name];
    if (value === undefined || typeof value === 'string') return value;
    return typeof value === 'number' ? String(value) : this.fail(name, 'is no text.');
  }

  /** CloudFormation takes numbers as texts, too. */
  optionalNumber(name: string): number | undefined {
    const value = this.properties[name];
    if (value === undefined) return undefined;
    const number = Number(value);
    return Number.isFinite(number) ? number : this.fail(name, 'is no number.');
  }

  optionalFlag(name: string): boolean | undefined {
    const value = this.properties[name];
    return value === undefined ? undefined : value === true || value === 'true';
  }

  optionalObject(name: string): Fields | undefined {
    const value = this.properties[name];
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.fail(name, 'is no object.');
    return new Fields(`${this.where}.${name}`, value as Properties);
  }

  object(name: string): Fields {
    return this.optionalObject(name) ?? this.fail(name, 'is missing.');
  }

  /** Empty when the property is missing. One value stands for a list of one. */
  list(name: string): unknown[] {
    const value = this.properties[name];
    if (value === undefined) return [];
    return Array.isArray(value) ? (value as unknown[]) : [value];
  }

  texts(name: string): string[] {
    return this.list(name).map((item) => (typeof item === 'string' ? item : this.fail(name, 'holds what is no text.')));
  }

  objects(name: string): Fields[] {
    return this.list(name).map((item, i) =>
      typeof item === 'object' && item !== null
        ? new Fields(`${this.where}.${name}[${i}]`, item as Properties)
        : this.fail(name, 'holds what is no object.'),
    );
  }

  keys(): string[] {
    return Object.keys(this.properties);
  }

  get(name: string): unknown {
    return this.properties[name];
  }

  fail(name: string, what: string): never {
    throw new AssemblyError(name === '' ? this.where : `${this.where}.${name}`, what);
  }
}

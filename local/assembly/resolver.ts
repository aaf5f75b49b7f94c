import { AssemblyError } from './assembly-error.ts';
import { attributeOf, refOf, type Identity } from './physical.ts';

export interface Template {
  readonly Resources?: Readonly<Record<string, TemplateResource>>;
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown }>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly Outputs?: Readonly<
    Record<string, { readonly Value?: unknown; readonly Export?: { readonly Name?: unknown } }>
  >;
}

interface TemplateResource {
  readonly Type: string;
  readonly Condition?: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

export type Properties = Readonly<Record<string, unknown>>;

export interface Resource {
  readonly stackName: string;
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Properties;
  /** What `Ref` gives. */
  readonly ref: string;
}

export interface Deployment extends Identity {
  /** Attributes that only a deployment knows, such as those of custom resources. `undefined`: not known here either. */
  readonly attribute?: (type: string, name: string) => string | undefined;
}

const NO_VALUE = Symbol('AWS::NoValue');

/** Evaluates one template as CloudFormation would, with made-up but always the same physical ids. */
export class Resolver {
  private readonly resolved = new Map<string, Properties>();
  private readonly underWay = new Set<string>();

  constructor(
    private readonly stackName: string,
    private readonly template: Template,
    /** Values that earlier stacks export; this one's are added. */
    private readonly exported: Map<string, unknown>,
    private readonly deployment: Deployment,
  ) {}

  /** @throws {AssemblyError} for an intrinsic, reference or export that is not known. */
  resources(): Resource[] {
    const present = Object.entries(this.template.Resources ?? {}).filter(([id]) => this.exists(id));
    const resources = present.map(([logicalId, { Type: type }]) => {
      const properties = this.propertiesOf(logicalId);
      return { stackName: this.stackName, logicalId, type, properties, ref: this.ref(logicalId, logicalId) };
    });
    for (const [id, { Value, Export }] of Object.entries(this.template.Outputs ?? {})) {
      if (Export === undefined) continue;
      this.exported.set(this.text(Export.Name, `Outputs/${id}/Export`), this.value(Value, `Outputs/${id}`));
    }
    return resources;
  }

  private exists(logicalId: string): boolean {
    const condition = this.template.Resources?.[logicalId]?.Condition;
    return condition === undefined || this.condition(condition, logicalId);
  }

  private propertiesOf(logicalId: string): Properties {
    const present = this.resolved.get(logicalId);
    if (present) return present;
    const properties = this.value(this.template.Resources?.[logicalId]?.Properties ?? {}, logicalId) as Properties;
    this.resolved.set(logicalId, properties);
    return properties;
  }

  private value(node: unknown, path: string): unknown {
    if (Array.isArray(node)) {
      return node.map((item, i) => this.value(item, `${path}[${i}]`)).filter((item) => item !== NO_VALUE);
    }
    if (typeof node !== 'object' || node === null) return node;
    const entries = Object.entries(node);
    const [only] = entries;
    if (entries.length === 1 && only && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
      return this.intrinsic(only[0], only[1], path);
    }
    return Object.fromEntries(
      entries
        .map(([key, item]) => [key, this.value(item, `${path}.${key}`)] as const)
        .filter(([, item]) => item !== NO_VALUE),
    );
  }

  private intrinsic(name: string, argument: unknown, path: string): unknown {
    const here = `${path}.${name}`;
    const list = (): unknown[] => {
      const items = this.value(argument, here);
      return Array.isArray(items) ? items : this.fail(here, 'wants a list.');
    };
    switch (name) {
      case 'Ref':
        return this.ref(String(argument), path);
      case 'Fn::GetAtt': {
        const [id = '', ...rest] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
        return this.attribute(id, rest.join('.'), here);
      }
      case 'Fn::Join': {
        const [separator, items] = list();
        if (!Array.isArray(items)) return this.fail(here, 'wants a separator and a list.');
        return items.map((item, i) => this.text(item, `${here}[${i}]`)).join(this.text(separator, here));
      }
      case 'Fn::Sub':
        return this.substitute(argument, here);
      case 'Fn::Select': {
        const [index, items] = list();
        const item: unknown = Array.isArray(items) ? items[Number(index)] : undefined;
        return item ?? this.fail(here, `there is no item ${String(index)}.`);
      }
      case 'Fn::Split': {
        const [separator, text] = list();
        return this.text(text, here).split(this.text(separator, here));
      }
      case 'Fn::If': {
        const [condition, then, otherwise] = Array.isArray(argument) ? (argument as unknown[]) : [];
        return this.value(this.condition(String(condition), here) ? then : otherwise, here);
      }
      case 'Fn::FindInMap': {
        const [map, first, second] = list().map(String);
        const found = this.template.Mappings?.[map ?? '']?.[first ?? '']?.[second ?? ''];
        return found ?? this.fail(here, `Mappings has no ${[map, first, second].join('.')}.`);
      }
      case 'Fn::ImportValue': {
        const exportName = this.text(this.value(argument, here), here);
        return this.exported.get(exportName) ?? this.fail(here, `no stack before this one exports "${exportName}".`);
      }
      case 'Fn::GetAZs':
        return ['a', 'b', 'c'].map((zone) => `${this.deployment.region}${zone}`);
      case 'Fn::Base64':
        return Buffer.from(this.text(this.value(argument, here), here)).toString('base64');
      case 'Fn::Equals':
      case 'Fn::And':
      case 'Fn::Or':
      case 'Fn::Not':
        return this.test(name, Array.isArray(argument) ? (argument as unknown[]) : [], here);
      default:
        return this.fail(path, `the intrinsic ${name} is not known here. Add it to local/assembly/resolver.ts.`);
    }
  }

  private test(name: string, items: unknown[], path: string): boolean {
    const truths = () =>
      items.map((item) => {
        const named = (item as { Condition?: string } | null)?.Condition;
        return named === undefined ? this.value(item, path) === true : this.condition(named, path);
      });
    if (name === 'Fn::Equals') return this.value(items[0], path) === this.value(items[1], path);
    if (name === 'Fn::And') return truths().every(Boolean);
    if (name === 'Fn::Or') return truths().some(Boolean);
    return truths()[0] !== true;
  }

  private condition(name: string, path: string): boolean {
    const condition = this.template.Conditions?.[name];
    if (condition === undefined) return this.fail(path, `there is no condition "${name}".`);
    return this.once(`condition ${name}`, path, () => this.value(condition, `Conditions/${name}`) === true);
  }

  private ref(name: string, path: string): string {
    const { region, accountId, partition, urlSuffix } = this.deployment;
    const pseudo: Readonly<Record<string, unknown>> = {
      'AWS::Region': region,
      'AWS::AccountId': accountId,
      'AWS::Partition': partition,
      'AWS::URLSuffix': urlSuffix,
      'AWS::StackName': this.stackName,
      'AWS::StackId': `arn:${partition}:cloudformation:${region}:${accountId}:stack/${this.stackName}/local`,
      'AWS::NoValue': NO_VALUE,
    };
    if (Object.hasOwn(pseudo, name)) return pseudo[name] as string;
    const parameter = this.template.Parameters?.[name];
    if (parameter)
      return (parameter.Default as string | undefined) ?? this.fail(path, `parameter ${name} has no default.`);
    return this.named(name, path, (type, properties) => refOf(this.deployment, type, this.stackName, name, properties));
  }

  private attribute(id: string, attribute: string, path: string): string {
    return this.named(id, path, (type, properties) => {
      const known = this.deployment.attribute?.(type, attribute);
      if (known !== undefined) return known;
      if (type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource') {
        return this.fail(path, `only a deployment knows ${attribute} of a ${type}. Give it in local/start-engines.`);
      }
      return attributeOf(this.deployment, type, this.stackName, id, properties, attribute);
    });
  }

  private named(id: string, path: string, read: (type: string, properties: Properties) => string): string {
    const resource = this.template.Resources?.[id];
    if (!resource || !this.exists(id)) return this.fail(path, `refers to "${id}", which is not in the template.`);
    return read(resource.Type, this.namesOf(id, path));
  }

  /** The texts among a resource's own properties: names may be made of references, and everything else is not asked for. */
  private namesOf(id: string, path: string): Properties {
    const present = this.resolved.get(id);
    if (present) return present;
    const named = Object.entries(this.template.Resources?.[id]?.Properties ?? {}).filter(([key]) =>
      /(Name|Id)$/.test(key),
    );
    return this.once(id, path, () => this.value(Object.fromEntries(named), id) as Properties);
  }

  private substitute(argument: unknown, path: string): string {
    const [pattern, variables] = Array.isArray(argument) ? (argument as unknown[]) : [argument, {}];
    const own = this.value(variables ?? {}, path) as Properties;
    return this.text(pattern, path).replaceAll(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (Object.hasOwn(own, name)) return this.text(own[name], path);
      const [id = '', ...rest] = name.split('.');
      return rest.length > 0 ? this.attribute(id, rest.join('.'), path) : this.text(this.ref(name, path), path);
    });
  }

  private once<T>(what: string, path: string, evaluate: () => T): T {
    if (this.underWay.has(what)) return this.fail(path, `${what} refers to itself.`);
    this.underWay.add(what);
    try {
      return evaluate();
    } finally {
      this.underWay.delete(what);
    }
  }

  private text(value: unknown, path: string): string {
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    return this.fail(path, 'wants a text.');
  }

  private fail(path: string, what: string): never {
    throw new AssemblyError(`${this.stackName}/${path}`, what);
  }
}

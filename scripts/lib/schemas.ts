import * as protocol from '@parley/protocol';
import { toJsonSchema, toJsonSchemaDefs, type ConversionConfig } from '@valibot/to-json-schema';
import type * as v from 'valibot';

/** The part of JSON Schema that the tables of the protocol turn into. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly 'x-maxBytes'?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** Schemas that have a name of their own in the documents. */
const NAMED: Readonly<Record<string, v.GenericSchema>> = {
  UserId: protocol.userId,
  ConversationId: protocol.conversationId,
  EntryId: protocol.entryId,
  ClientMessageId: protocol.clientMessageId,
  ClientRequestId: protocol.clientRequestId,
  Seq: protocol.seq,
  Epoch: protocol.epoch,
  InstantMs: protocol.instantMs,
  PageToken: protocol.pageToken,
  Title: protocol.title,
  DisplayName: protocol.displayName,
  Role: protocol.role,
  ConversationType: protocol.conversationType,
  Content: protocol.content,
  Cursor: protocol.cursor,
  Entry: protocol.entry,
  Conversation: protocol.conversation,
  Receipt: protocol.receipt,
  Presence: protocol.presence,
  Member: protocol.member,
};

const REF = '#/components/schemas/';

const CONFIG: ConversionConfig = {
  overrideRef: ({ referenceId }) => REF + referenceId,
  // What JSON Schema cannot say is said in words, and sizes in bytes by an extension.
  overrideAction: ({ valibotAction: action, jsonSchema }) => {
    if (action.type === 'max_bytes' && 'requirement' in action) {
      return { ...jsonSchema, 'x-maxBytes': action.requirement as number };
    }
    const message = 'message' in action && typeof action.message === 'string' ? action.message : undefined;
    // Said once, in prose: it holds for every number.
    if (message === 'must not be -0') return jsonSchema;
    if (action.type === 'check') return { ...jsonSchema, description: alsoSay(jsonSchema.description, message) };
    if (action.type === 'regex' && 'requirement' in action) {
      return {
        ...jsonSchema,
        pattern: (action.requirement as RegExp).source,
        description: alsoSay(undefined, message),
      };
    }
    return undefined;
  },
};

function alsoSay(said: string | undefined, message = ''): string {
  return said === undefined ? message : `${said}, ${message}`;
}

/** The named schemas as JSON Schema, in the order in which the reference shows them. */
export function namedSchemas(): Record<string, JsonSchema> {
  return toJsonSchemaDefs(NAMED, CONFIG) as Record<string, JsonSchema>;
}

/** One schema of the tables as JSON Schema, with references to the named ones. */
export function jsonSchemaOf(schema: v.GenericSchema): JsonSchema {
  const whole = toJsonSchema(schema, { ...CONFIG, definitions: NAMED });
  return Object.fromEntries(Object.entries(whole).filter(([key]) => !key.startsWith('$') || key === '$ref'));
}

/** The name that a reference leads to. */
export function nameOf(ref: string): string {
  return ref.slice(REF.length);
}

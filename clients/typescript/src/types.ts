// The types of requests and answers, by the name that an operation has in openapi.json.

import type { FileBody, Query, RequestOptions } from "./connection.js";
import type { components, operations, webhooks } from "./openapi.js";
import type { OPERATIONS } from "./operations.js";

/** The shapes of the API by their names in openapi.json, such as `Schemas["Audience"]`. */
export type Schemas = components["schemas"];

/** The name of an operation in openapi.json, such as `move_leads`. */
export type OperationId = keyof typeof OPERATIONS;

type Statuses = 200 | 201 | 202;
type DataIn<Response> = Response extends { content: { "application/json": { data: infer Data } } }
  ? Data
  : Response extends { content: { "text/csv": unknown } }
    ? ReadableStream<Uint8Array>
    : never;

/** The `data` of a successful answer: a union if there are several, a stream of bytes for CSV. */
export type DataOf<Id extends OperationId> = {
  [Status in keyof operations[Id]["responses"] & Statuses]: DataIn<operations[Id]["responses"][Status]>;
}[keyof operations[Id]["responses"] & Statuses];

type PathOf<Id extends OperationId> = operations[Id]["parameters"] extends { path: infer Path }
  ? Path
  : { accountGroupId?: string };
type OwnPath<Id extends OperationId> = Omit<PathOf<Id>, "accountGroupId"> & { accountGroupId?: string };
type PathPart<Id extends OperationId> =
  Record<never, never> extends OwnPath<Id> ? { path?: OwnPath<Id> } : { path: OwnPath<Id> };

/** The query parameters of an operation. Those that are null, undefined or empty are not sent. */
export type QueryOf<Id extends OperationId> = operations[Id]["parameters"] extends { query?: infer Given }
  ? NonNullable<Given>
  : Record<never, never>;

type Content<Id extends OperationId> = operations[Id] extends { requestBody?: { content: infer Types } }
  ? unknown extends Types
    ? never
    : Types
  : never;

/** The JSON body of an operation. */
export type BodyOf<Id extends OperationId> = Content<Id> extends { "application/json": infer Body } ? Body : never;

type BodyPart<Id extends OperationId> = [Content<Id>] extends [never]
  ? Record<never, never>
  : Content<Id> extends { "application/json": infer Body }
    ? operations[Id] extends { requestBody: object }
      ? { body: Body }
      : { body?: Body }
    : { file: FileBody; contentType?: keyof Content<Id> & string };

/** Everything that an operation takes. `accountGroupId` is that of the client, unless `path` has another one. */
export type CallOf<Id extends OperationId> = RequestOptions & PathPart<Id> & { query?: QueryOf<Id> } & BodyPart<Id>;

/** The same as the client reads it, without the types of one operation. */
export interface AnyCall extends RequestOptions {
  path?: Record<string, string | undefined>;
  query?: Query;
  body?: unknown;
  file?: FileBody;
  contentType?: string;
}

/** One page of a list. */
export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
  hasMore: boolean;
}

/** The operations that return a list page by page. `list_events` is not among them, because its pages never end. */
export type ListId = Exclude<
  { [Id in OperationId]: DataOf<Id> extends Page<unknown> ? Id : never }[OperationId],
  "list_events"
>;
export type ItemOf<Id extends ListId> = DataOf<Id> extends Page<infer Item> ? Item : never;

export type Account = Schemas["Account"];
export type Audience = Schemas["Audience"];
export type AudienceFolder = Schemas["AudienceFolder"];
export type Prospect = Schemas["Prospect"];
export type NewProspect = Schemas["NewProspect"];
export type Change = Schemas["Change"];
export type Transfer = Schemas["Transfer"];
export type TransferPreview = Schemas["TransferPreview"];
export type ProspectingJob = Schemas["ProspectingJobStatus"];
export type Webhook = Schemas["Webhook"];

type BodyOfHook<Hook> = Hook extends { post: { requestBody: { content: { "application/json": infer Body } } } }
  ? Body
  : never;

/** The body of a webhook: an event, or the message of a test. `type` decides which fields `data` has. */
export type WebhookMessage = { [Name in keyof webhooks]: BodyOfHook<webhooks[Name]> }[keyof webhooks];

/** An event of the feed. `type` decides which fields `data` has. */
export type LeadyardEvent = Exclude<WebhookMessage, Schemas["WebhookTestMessage"]>;

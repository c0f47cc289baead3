// Calls any operation of openapi.json by its name, and walks through lists and events.

import { Connection, type Answer, type ConnectionOptions, type RequestOptions } from "./connection.js";
import { OPERATIONS } from "./operations.js";
import type { AnyCall, CallOf, DataOf, ItemOf, LeadyardEvent, ListId, OperationId, Page, Schemas } from "./types.js";

export interface LeadyardOptions extends ConnectionOptions {
  /** The account group of all calls that do not name another one in `path`. */
  accountGroupId?: string;
}

/** Where reading the events begins. Without `after`, `cursor` and `from`, it begins now. */
export interface EventOptions extends RequestOptions {
  /** The id of the last event that you have handled. */
  after?: string;
  /** The `nextCursor` of the last page that you have handled. */
  cursor?: string;
  from?: "start";
  types?: readonly Schemas["EventType"][];
  audienceId?: string;
  /** How many seconds a request waits for the next event, 0 to 30. It is 30 by default. */
  wait?: number;
}

type CallArguments<Id extends OperationId> =
  Record<never, never> extends CallOf<Id> ? [call?: CallOf<Id>] : [call: CallOf<Id>];

const LONGEST_PAGE = 200;
const LONGEST_WAIT_S = 30;

/** What needs no method of its own. `Leadyard` extends it. */
export class Calls {
  readonly #options: LeadyardOptions;
  readonly #connection: Connection;

  /** Throws a TypeError if `baseUrl` is not the URL of a service, or `apiKey` cannot be sent. */
  constructor(options: LeadyardOptions) {
    this.#options = options;
    this.#connection = new Connection(options);
  }

  protected get options(): LeadyardOptions {
    return this.#options;
  }

  /**
   * Calls an operation by its name in openapi.json, such as `move_leads`. Returns its data with status, headers and trace
   * id. Throws a LeadyardError when the service refuses the request or gives no answer.
   */
  call<Id extends OperationId>(operation: Id, ...[call]: CallArguments<Id>): Promise<Answer<DataOf<Id>>> {
    return this.#send(operation, call ?? {});
  }

  /** The same without the envelope. */
  protected async data<Id extends OperationId>(operation: Id, ...[call]: CallArguments<Id>): Promise<DataOf<Id>> {
    return (await this.#send(operation, call ?? {})).data;
  }

  /** Walks through a list page by page. The cursor of a page is in its `nextCursor`; pass it in `query` to continue there. */
  async *pages<Id extends ListId>(
    operation: Id,
    ...[call]: CallArguments<Id>
  ): AsyncGenerator<Page<ItemOf<Id>>, void, void> {
    const start: AnyCall = call ?? {};
    let cursor = start.query?.cursor;
    do {
      const query = { limit: LONGEST_PAGE, ...start.query, cursor };
      const page = (await this.#send(operation, { ...start, query })).data as Page<ItemOf<Id>>;
      yield page;
      cursor = page.nextCursor;
    } while (cursor);
  }

  /** Walks through a list, item by item, and reads the pages as you come to them. */
  async *items<Id extends ListId>(operation: Id, ...call: CallArguments<Id>): AsyncGenerator<ItemOf<Id>, void, void> {
    for await (const page of this.pages(operation, ...call)) yield* page.items;
  }

  /**
   * Yields the events of the account group as they happen, page by page and without end. A page may be empty. Store its
   * `nextCursor` after you have handled its events, and continue with it as `cursor`.
   */
  async *eventPages(options: EventOptions = {}): AsyncGenerator<Page<LeadyardEvent>, void, void> {
    const { after, cursor, from, types, audienceId, wait = LONGEST_WAIT_S, ...rest } = options;
    let next = cursor;
    let headers = after === undefined ? rest.headers : { ...rest.headers, "Last-Event-ID": after };
    for (;;) {
      const query = { cursor: next, from: next ? undefined : from, types, audienceId, wait, limit: LONGEST_PAGE };
      const page = (await this.#send("list_events", { ...rest, query, ...(headers && { headers }) }))
        .data as unknown as Page<LeadyardEvent>;
      yield page;
      next = page.nextCursor ?? undefined;
      headers = rest.headers;
    }
  }

  /** Yields the events one by one, without end. Store the `id` of each after you have handled it, and continue with `after`. */
  async *events(options: EventOptions = {}): AsyncGenerator<LeadyardEvent, void, void> {
    for await (const page of this.eventPages(options)) yield* page.items;
  }

  #send<Id extends OperationId>(operation: Id, call: AnyCall): Promise<Answer<DataOf<Id>>> {
    const [method, template] = OPERATIONS[operation];
    const { path, contentType, ...sent } = call;
    const headers = contentType === undefined ? sent.headers : { ...sent.headers, "Content-Type": contentType };
    return this.#connection.send(method, this.#filled(template, path ?? {}), headers ? { ...sent, headers } : sent);
  }

  #filled(template: string, path: Record<string, string | undefined>): string {
    return template.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = path[name] ?? (name === "accountGroupId" ? this.#options.accountGroupId : undefined);
      if (!value)
        throw new TypeError(`${name} is missing. Pass it ${name === "accountGroupId" ? "to the client" : "in path"}.`);
      return encodeURIComponent(value);
    });
  }
}

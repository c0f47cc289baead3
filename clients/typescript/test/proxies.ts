// Proxies before the service that break connections, and that answer with refusals of their own.

import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export interface Cut {
  of: "request" | "answer";
  /** So many bytes are passed on before the connection breaks. */
  after: number;
}

/** Passes bytes on, and breaks the connection in the middle of the next request or answer. */
export class CuttingProxy {
  readonly #server: Server;
  #cut: Cut | null = null;
  #passed = 0;

  private constructor(target: URL) {
    this.#server = createServer((client) => this.#join(client, connect(Number(target.port), target.hostname)));
  }

  static async before(url: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(new URL(url));
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cutNext(cut: Cut): void {
    this.#cut = cut;
    this.#passed = 0;
  }

  /** Returns whether the cut has happened. It does not if there are fewer bytes. */
  get hasCut(): boolean {
    return this.#cut === null;
  }

  close(): void {
    this.#server.close();
  }

  #join(client: Socket, service: Socket): void {
    const both = [client, service];
    for (const socket of both) {
      socket.on("error", () => undefined);
      socket.on("close", () => both.forEach((each) => each.destroySoon()));
    }
    client.on("data", (piece) => this.#pass("request", piece as Buffer, service, client));
    service.on("data", (piece) => this.#pass("answer", piece as Buffer, client, service));
  }

  #pass(of: Cut["of"], piece: Buffer, to: Socket, from: Socket): void {
    if (this.#cut?.of !== of || this.#passed + piece.length < this.#cut.after) {
      if (this.#cut?.of === of) this.#passed += piece.length;
      to.write(piece);
      return;
    }
    const rest = piece.subarray(0, this.#cut.after - this.#passed);
    this.#cut = null;
    // The bytes before the cut arrive, and then the connection ends on both sides.
    to.end(rest);
    from.destroy();
  }
}

/** One request as a scripted server gets it. */
export interface Got {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: Buffer;
  atMs: number;
}

type Behaviour = (got: Got, response: ServerResponse, number: number) => void | Promise<void>;

/** A server that does with each request what the test wants. */
export class ScriptedServer {
  readonly got: Got[] = [];
  readonly #server: HttpServer;

  private constructor(behaviour: Behaviour) {
    this.#server = createHttpServer(async (request, response) => {
      const pieces = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const got = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(pieces),
        atMs: Date.now(),
      };
      this.got.push(got);
      await behaviour(got, response, this.got.length);
    });
  }

  static async that(behaviour: Behaviour): Promise<ScriptedServer> {
    const made = new ScriptedServer(behaviour);
    made.#server.listen(0, "127.0.0.1");
    await once(made.#server, "listening");
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

export function answerWith(response: ServerResponse, data: unknown): void {
  send(response, 200, {}, { success: true, data, error: null, traceId: "0".repeat(32) });
}

export function refuseWith(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
  fields: object = {},
): void {
  const error = { code, message: "Not now.", details: "Wait and send the request again.", ...fields };
  send(response, status, headers, { success: false, data: null, error, traceId: "f".repeat(32) });
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
}

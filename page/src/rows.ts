// The rows of a long list. The API gives pages by cursor, so a place that no page has reached yet is read up to, page by
// page. Only the pages around the visible rows stay in memory; the cursors of all pages do, so going back is one request.

import { call } from "./api";
import type { Filter, Page, Person } from "./types";

const PAGE = 200;
const PAGES_KEPT = 40;

export class Rows {
  private pages = new Map<number, Person[]>();
  private cursors: (string | undefined)[] = [undefined];
  private wanted = 0;
  private running = false;
  private closed = new AbortController();
  /** The number of rows, once the last page was read. */
  end: number | null = null;
  /** The number of rows up to the furthest page that was read. */
  reached = 0;
  error: unknown = null;

  constructor(private path: string, private filter: Filter, private onChange: () => void) {}

  get(index: number): Person | undefined {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** The row that the reader is on its way to, or null if every wanted row is there. */
  get goal(): number | null {
    return this.running && this.wanted > this.cursors.length ? this.wanted * PAGE : null;
  }

  /** Reads the pages of these rows, if they are not there. The newest wish replaces an older one. */
  want(from: number, to: number): void {
    const first = Math.floor(from / PAGE), last = Math.floor(Math.max(from, to - 1) / PAGE);
    const missing = [first, last].find((page) => !this.pages.has(page) && !(this.end !== null && page * PAGE >= this.end));
    if (missing === undefined) return;
    this.wanted = missing;
    if (!this.running) void this.run(first, last);
  }

  /** Returns the ids of a range of rows, and reads those that are missing. */
  async ids(from: number, to: number): Promise<string[]> {
    const found: string[] = [];
    for (let page = Math.floor(from / PAGE); page <= Math.floor(to / PAGE); page++) {
      while (!this.pages.has(page)) {
        if (this.end !== null && page * PAGE >= this.end) return found;
        await this.read(Math.min(page, this.cursors.length - 1));
      }
      this.pages.get(page)!.forEach((person, row) => { const index = page * PAGE + row; if (index >= from && index <= to) found.push(person.id); });
    }
    return found;
  }

  /** Returns the loaded row of this person. */
  indexOf(id: string): number {
    for (const [page, people] of this.pages) {
      const row = people.findIndex((person) => person.id === id);
      if (row >= 0) return page * PAGE + row;
    }
    return -1;
  }

  retry(): void {
    this.error = null;
    this.want(this.wanted * PAGE, this.wanted * PAGE + 1);
  }

  close(): void {
    this.closed.abort();
  }

  private async run(first: number, last: number): Promise<void> {
    this.running = true;
    this.error = null;
    try {
      while (!this.pages.has(this.wanted) && !this.closed.signal.aborted && !(this.end !== null && this.wanted * PAGE >= this.end)) {
        await this.read(Math.min(this.wanted, this.cursors.length - 1));
        this.onChange();
      }
    } catch (error) {
      if (this.closed.signal.aborted) return;
      this.error = error;
    } finally {
      this.running = false;
    }
    this.onChange();
    if (!this.error && last !== first) this.want(first * PAGE, last * PAGE + 1);
  }

  private async read(page: number): Promise<void> {
    const query = { ...this.filter, limit: PAGE, cursor: this.cursors[page] };
    const { data } = await call<Page<Person>>("GET", this.path, { query, signal: this.closed.signal });
    this.pages.delete(page);
    this.pages.set(page, data.items);
    if (data.nextCursor) this.cursors[page + 1] = data.nextCursor;
    else this.end = page * PAGE + data.items.length;
    this.reached = Math.max(this.reached, page * PAGE + data.items.length);
    // A Map keeps the order of insertion, so the first key is the page that was read longest ago.
    for (const old of this.pages.keys()) {
      if (this.pages.size <= PAGES_KEPT) break;
      if (Math.abs(old - this.wanted) > 2) this.pages.delete(old);
    }
  }
}

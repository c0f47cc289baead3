import { draggable, dropTargetForElements } from "@atlaskit/pragmatic-drag-and-drop/element/adapter";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "./api";
import { asRefusal, useApp } from "./app";
import { Icon } from "./icons";
import { NameDialog } from "./ListDialogs";
import { Button, Confirm, Empty, Loading, Menu, Trouble } from "./parts";
import { go, linkTo } from "./router";
import { number, t } from "./text";
import type { Audience, Folder } from "./types";

type Asked = { what: "list" } | { what: "folder" } | { what: "rename"; folder: Folder } | { what: "delete"; folder: Folder } | null;
const CLOSED = "leadyard-closed-folders";

/** The lists with their folders. A list is dragged into a folder, or moved with the menu in its view. */
export function Sidebar({ current }: { current: string | undefined }) {
  const app = useApp();
  const [query, setQuery] = useState("");
  const [asked, setAsked] = useState<Asked>(null);
  const [closed, setClosed] = useState<string[]>(() => stored());
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const typed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || target.matches("input, textarea, select") || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      search.current?.focus();
    };
    window.addEventListener("keydown", typed);
    return () => window.removeEventListener("keydown", typed);
  }, []);
  const toggle = (id: string) => {
    const next = closed.includes(id) ? closed.filter((each) => each !== id) : [...closed, id];
    setClosed(next);
    localStorage.setItem(CLOSED, JSON.stringify(next));
  };
  const matches = (list: Audience) => list.name.toLocaleLowerCase().includes(query.trim().toLocaleLowerCase());
  const { navigation } = app;
  const folders = (navigation?.folders ?? []).map((folder) => ({ folder, lists: folder.audiences.filter(matches) })).filter(({ lists }) => !query || lists.length);
  const ungrouped = (navigation?.ungroupedAudiences ?? []).filter(matches);
  const nothing = navigation && !folders.length && !ungrouped.length;
  return (
    <aside class="sidebar" aria-label={t.lists.all}>
      <div class="sidebar-head">
        <div class="search"><Icon name="search" /><input ref={search} type="search" placeholder={t.lists.find} aria-label={t.lists.find} value={query} onInput={(event) => setQuery(event.currentTarget.value)} /></div>
        <Button label={t.lists.newList} icon="newList" iconOnly kind="quiet" needs="audiences:write" onClick={() => setAsked({ what: "list" })} />
        <Button label={t.lists.newFolder} icon="newFolder" iconOnly kind="quiet" needs="audiences:write" onClick={() => setAsked({ what: "folder" })} />
      </div>
      {app.navigationError && !navigation && <Trouble error={app.navigationError} onRetry={app.refresh} />}
      {!navigation && !app.navigationError && <Loading />}
      {nothing && (query ? <p class="faint pad">{t.lists.noMatch(query)}</p> : <Empty icon="list" title={t.lists.none} hint={t.lists.noneHint} />)}
      <nav class="tree" aria-label={t.nav.lists}>
        {folders.map(({ folder, lists }) => (
          <DropZone key={folder.id} folderId={folder.id}>
            <div class="folder">
              <button type="button" class="folder-name" aria-expanded={!closed.includes(folder.id) || Boolean(query)} onClick={() => toggle(folder.id)}>
                <Icon name={closed.includes(folder.id) && !query ? "right" : "down"} size={14} /><span>{folder.name}</span><span class="count">{number(folder.audiences.length)}</span>
              </button>
              <Menu label={t.lists.options(folder.name)} items={[
                { label: t.lists.rename, run: () => setAsked({ what: "rename", folder }), needs: "audiences:write" },
                { label: t.lists.removeFolder, icon: "erase", run: () => setAsked({ what: "delete", folder }), needs: "audiences:write" },
              ]} />
            </div>
            {(!closed.includes(folder.id) || query) && (
              <ul>{lists.map((list) => <ListLink key={list.id} list={list} isCurrent={list.id === current} />)}{!folder.audiences.length && <li class="faint pad">{t.lists.emptyFolder}</li>}</ul>
            )}
          </DropZone>
        ))}
        <DropZone folderId={null}>
          {folders.length > 0 && ungrouped.length > 0 && <p class="folder no-folder">{t.lists.noFolder}</p>}
          <ul>{ungrouped.map((list) => <ListLink key={list.id} list={list} isCurrent={list.id === current} />)}</ul>
        </DropZone>
      </nav>
      {asked?.what === "list" && <NameDialog title={t.lists.newList} label={t.lists.create} withDescription onClose={() => setAsked(null)} run={async ({ name, description }, headers) => {
        const { data } = await call<Audience>("POST", `${app.base}/audiences`, { body: { name, type: "on_demand", ...(description && { description }) }, headers });
        app.refresh();
        app.notify({ tone: "good", text: t.lists.created(name) });
        go(linkTo(["g", app.group, "lists", data.id]));
      }} />}
      {asked?.what === "folder" && <NameDialog title={t.lists.newFolder} label={t.lists.create} onClose={() => setAsked(null)} run={async ({ name }, headers) => {
        await call("POST", `${app.base}/audiences/folders`, { body: { name, audienceType: "on_demand" }, headers });
        app.refresh();
      }} />}
      {asked?.what === "rename" && <NameDialog title={t.lists.rename} label={t.save} name={asked.folder.name} onClose={() => setAsked(null)} run={async ({ name }) => {
        await call("PATCH", `${app.base}/audiences/folders/${asked.folder.id}`, { body: { name } });
        app.refresh();
      }} />}
      {asked?.what === "delete" && <Confirm title={t.lists.removeFolder} question={t.lists.deleteFolderQuestion(asked.folder.name)} label={t.lists.removeFolder} onDone={() => setAsked(null)} run={async () => {
        await call("DELETE", `${app.base}/audiences/folders/${asked.folder.id}`);
        app.refresh();
      }} />}
    </aside>
  );
}

function ListLink({ list, isCurrent }: { list: Audience; isCurrent: boolean }) {
  const app = useApp();
  const ref = useRef<HTMLAnchorElement>(null);
  useEffect(() => (app.can("audiences:write") ? draggable({ element: ref.current!, getInitialData: () => ({ list }) }) : undefined), [list, app.can]);
  useEffect(() => { if (isCurrent) ref.current!.scrollIntoView({ block: "nearest" }); }, [isCurrent]);
  return (
    <li>
      <a ref={ref} href={linkTo(["g", app.group, "lists", list.id])} aria-current={isCurrent ? "page" : undefined} title={list.description ? `${list.name}\n${list.description}` : list.name}>
        <span class="name">{list.name}</span><span class="count">{number(list.prospectCount)}</span>
      </a>
    </li>
  );
}

/** Takes a list that is dropped on it. `null` takes it out of its folder. */
function DropZone({ folderId, children }: { folderId: string | null; children: ComponentChildren }) {
  const app = useApp();
  const ref = useRef<HTMLDivElement>(null);
  const [over, setOver] = useState(false);
  useEffect(() => dropTargetForElements({
    element: ref.current!,
    canDrop: ({ source }) => Boolean(source.data.list) && (source.data.list as Audience).folderId !== folderId,
    onDragEnter: () => setOver(true),
    onDragLeave: () => setOver(false),
    onDrop: ({ source }) => {
      setOver(false);
      const list = source.data.list as Audience;
      putIntoFolder(app.base, list.id, folderId).then(
        () => { app.refresh(); app.notify({ tone: "good", text: movedText(list.name, app.navigation?.folders.find((each) => each.id === folderId)?.name) }); },
        (error) => { const refusal = asRefusal(error); app.notify({ tone: "bad", text: refusal.message || t.unreachable, detail: refusal.details }); },
      );
    },
  }), [app, folderId]);
  return <div ref={ref} class={`drop ${over ? "over" : ""}`}>{children}</div>;
}

export async function putIntoFolder(base: string, listId: string, folderId: string | null): Promise<void> {
  if (folderId) await call("POST", `${base}/audiences/${listId}/move-to-folder`, { body: { folderId } });
  else await call("POST", `${base}/audiences/${listId}/remove-from-folder`);
}

export const movedText = (list: string, folder: string | undefined) => (folder ? t.lists.movedToFolder(list, folder) : t.lists.leftFolder(list));

function stored(): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(CLOSED) ?? "[]");
    return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}

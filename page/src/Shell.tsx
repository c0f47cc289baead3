import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { useApp, listsOf } from "./app";
import { DuplicatesView } from "./Duplicates";
import { FindPersonView, useFindKey } from "./FindPerson";
import { HistoryView } from "./History";
import { Icon, type IconName } from "./icons";
import { ImportView } from "./Import";
import { JobsView } from "./Jobs";
import { ListView } from "./ListView";
import { Button, Empty } from "./parts";
import { go, linkTo, usePlace } from "./router";
import { Sidebar } from "./Sidebar";
import { t } from "./text";
import type { Account } from "./types";
import { WebhooksView } from "./Webhooks";

/** The frame of the page: the bar at the top, the lists on the left, and the view of the present address. */
export function Shell({ accounts, onSignOut }: { accounts: Account[]; onSignOut: () => Promise<void> }) {
  const app = useApp();
  const place = usePlace();
  const view = place.path[2] ?? "";
  useFindKey(app.group);
  useEffect(() => {
    // A new view takes the focus, so that a reader begins there. A view that is already in use keeps it.
    const focused = document.activeElement;
    if (focused === document.body || !focused?.isConnected) document.getElementById("content")?.focus({ preventScroll: true });
  }, [view, place.path[3]]);
  return (
    <div class={`shell ${view === "" ? "at-home" : ""}`}>
      <a class="skip" href="#content" onClick={(event) => { event.preventDefault(); document.getElementById("content")!.focus(); }}>{t.skip}</a>
      <header class="top">
        <a class="brand" href={linkTo(["g", app.group])}>{t.brand}</a>
        <nav aria-label={t.nav.main}>
          <Tab to="people" icon="search" current={view} keys="Control+K">{t.nav.find}</Tab>
          <Tab to="import" icon="upload" current={view}>{t.nav.import}</Tab>
          <Tab to="jobs" icon="jobs" current={view}>{t.nav.jobs}</Tab>
          <Tab to="history" icon="history" current={view}>{t.nav.history}</Tab>
          <Tab to="duplicates" icon="duplicates" current={view}>{t.nav.duplicates}</Tab>
          {app.features.webhooks && <Tab to="webhooks" icon="webhook" current={view}>{t.nav.webhooks}</Tab>}
        </nav>
        <div class="account">
          {accounts.length > 1 ? (
            <select aria-label={t.account.group} value={app.group} onChange={(event) => go(linkTo(["g", event.currentTarget.value]))}>
              {accounts.map((each) => <option key={each.id} value={each.id}>{each.name}</option>)}
            </select>
          ) : <span class="group-name">{accounts[0]?.name}</span>}
          <Button label={t.account.signOut} icon="signOut" iconOnly kind="quiet" onClick={() => void onSignOut().catch(() => app.notify({ tone: "bad", text: t.account.stillIn }))} />
        </div>
      </header>
      <div class="connection" role="status">{!app.isConnected && <p><Icon name="warning" />{t.away}</p>}</div>
      <Sidebar current={view === "lists" ? place.path[3] : undefined} />
      <main id="content" tabIndex={-1}>
        {view === "lists" && place.path[3] ? <ListView key={place.path[3]} id={place.path[3]} query={place.query} />
          : view === "people" ? <FindPersonView query={place.query} />
          : view === "jobs" ? <JobsView open={place.path[3]} />
          : view === "history" ? <HistoryView query={place.query} />
          : view === "import" ? <ImportView />
          : view === "duplicates" ? <DuplicatesView />
          : view === "webhooks" ? <WebhooksView open={place.path[3]} />
          : view === "" ? <Home />
          : <Empty whole icon="warning" title={t.notHere} hint={t.notHereHint} />}
      </main>
    </div>
  );
}

function Tab({ to, icon, current, keys, children }: { to: string; icon: IconName; current: string; keys?: string; children: ComponentChildren }) {
  const app = useApp();
  return <a href={linkTo(["g", app.group, to])} aria-keyshortcuts={keys} title={keys?.replace("Control", "Ctrl")} aria-current={current === to ? "page" : undefined}><Icon name={icon} /><span>{children}</span></a>;
}

function Home() {
  const { navigation } = useApp();
  const lists = listsOf(navigation);
  useEffect(() => { document.title = t.brand; }, []);
  return (
    <Empty whole icon="list" title={t.lists.home} hint={t.lists.homeHint}>
      {navigation && <p class="faint">{t.lists.total(lists.length, lists.reduce((sum, list) => sum + list.prospectCount, 0))}</p>}
    </Empty>
  );
}


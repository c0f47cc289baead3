import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { all, call, SIGNED_OUT } from "./api";
import { AppContext, asRefusal, featuresOf, listsOf, useLoad, type App, type Features, type Notice } from "./app";
import { keepFocus } from "./focus";
import { useLiveEvents } from "./live";
import { Button, Empty, Loading, Notices, Trouble } from "./parts";
import { go, linkTo, usePlace } from "./router";
import { Shell } from "./Shell";
import { SignIn } from "./SignIn";
import { announce, useOtherTabs } from "./tabs";
import { t } from "./text";
import type { Account, Navigation, Permission, Session } from "./types";

const SESSION_CHECKED_MS = 30_000;
type Entry = { at: "start" } | { at: "door"; reason: string } | { at: "inside"; session: Session } | { at: "trouble"; error: unknown };

/** The whole page: decides between the door and the inside. */
export function Page() {
  const [entry, setEntry] = useState<Entry>({ at: "start" });
  const look = useCallback(() => {
    call<Session>("GET", "/session").then(
      ({ data }) => setEntry({ at: "inside", session: data }),
      (error) => setEntry(asRefusal(error).status === 401 ? { at: "door", reason: t.signIn.lead } : { at: "trouble", error }),
    );
  }, []);
  useEffect(look, [look]);
  useEffect(() => {
    const ended = () => setEntry((now) => (now.at === "inside" ? { at: "door", reason: t.signIn.ended } : now));
    window.addEventListener(SIGNED_OUT, ended);
    return () => window.removeEventListener(SIGNED_OUT, ended);
  }, []);
  useOtherTabs(useCallback((news) => (news === "in" ? look() : setEntry({ at: "door", reason: t.signIn.elsewhere })), [look]));
  const signedIn = (session: Session) => { setEntry({ at: "inside", session }); announce("in"); };
  const signedOut = () => { setEntry({ at: "door", reason: t.signIn.lead }); announce("out"); };
  if (entry.at === "start") return <Loading />;
  if (entry.at === "trouble") return <main class="sign-in"><Trouble error={entry.error} onRetry={look} /></main>;
  if (entry.at === "door") return <SignIn reason={entry.reason} onSignedIn={signedIn} />;
  // Another tab may have signed in with another key. Nothing that the first one has loaded stays.
  return <Inside key={entry.session.expiresAt} session={entry.session} onSignOut={signedOut} />;
}

function Inside({ session, onSignOut }: { session: Session; onSignOut: () => void }) {
  const place = usePlace();
  const accounts = useLoad(() => all<Account>("/v1/accounts"), []);
  useSessionCheck();
  useEffect(() => keepFocus(document.getElementById("page")!), []);
  const named = place.path[0] === "g" ? place.path[1] : undefined;
  const group = named ?? "";
  useEffect(() => {
    const first = accounts.data?.[0];
    if (!named && first) go(linkTo(["g", first.id]), true);
  }, [named, accounts.data]);
  const signOut = async () => {
    // Without an answer there may still be a session, so the page must not look as if there were none.
    await call("DELETE", "/session");
    go("#/", true);
    onSignOut();
  };
  // An address that names the group need not wait for the names of all groups.
  if (group && accounts.data?.length !== 0) return <InGroup key={group} session={session} group={group} accounts={accounts.data ?? []} onSignOut={signOut} />;
  if (accounts.error && !accounts.data) return <main class="sign-in"><Trouble error={accounts.error} onRetry={accounts.reload} /></main>;
  if (!accounts.data) return <Loading />;
  if (!accounts.data.length) return <main class="sign-in"><Empty whole icon="person" title={t.account.none}><Button label={t.account.signOut} onClick={() => void signOut()} /></Empty></main>;
  return <Loading />;
}

/** Notices the end of the session also while the page is only looked at. */
function useSessionCheck(): void {
  useEffect(() => {
    const check = () => {
      if (document.visibilityState !== "visible") return;
      call("GET", "/session").catch((error) => { if (asRefusal(error).status === 401) window.dispatchEvent(new Event(SIGNED_OUT)); });
    };
    const timer = setInterval(check, SESSION_CHECKED_MS);
    document.addEventListener("visibilitychange", check);
    return () => { clearInterval(timer); document.removeEventListener("visibilitychange", check); };
  }, []);
}

function InGroup({ session, group, accounts, onSignOut }: { session: Session; group: string; accounts: Account[]; onSignOut: () => Promise<void> }) {
  const base = `/v1/accounts/${group}`;
  const can = useCallback((permission: Permission) => session.permissions.includes(permission), [session]);
  const [version, setVersion] = useState(0);
  const refresh = useCallback(() => setVersion((n) => n + 1), []);
  const navigation = useLoad(async (signal) => (await call<Navigation>("GET", `${base}/audiences/navigation`, { signal })).data, [base, version]);
  const reload = useRef(navigation.reload);
  reload.current = navigation.reload;
  const [features, setFeatures] = useState<Features>({ transfers: false, webhooks: false });
  useEffect(() => { featuresOf(base, can).then(setFeatures); }, [base, can]);
  // Another tab or another person may have changed something while this tab was in the background.
  useEffect(() => {
    const seen = () => document.visibilityState === "visible" && reload.current();
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, []);
  const [isConnected, setConnected] = useState(true);
  useLiveEvents(base, can("audiences:read"), refresh, setConnected);
  const { notices, notify, dismiss } = useNotices();
  const app = useMemo<App>(() => {
    const names = new Map(listsOf(navigation.data).map((list) => [list.id, list.name]));
    return { session, group, base, can, version, refresh, features, isConnected, notify, navigation: navigation.data, navigationError: navigation.error, listName: (id) => (id ? (names.get(id) ?? null) : null) };
  }, [session, group, base, can, version, refresh, features, isConnected, notify, navigation]);
  return (
    <AppContext.Provider value={app}>
      <Shell accounts={accounts} onSignOut={onSignOut} />
      <Notices notices={notices} dismiss={dismiss} />
    </AppContext.Provider>
  );
}

/** Messages at the edge. One with an action stays until the next action, any other for some seconds. */
function useNotices() {
  const [notices, setNotices] = useState<Notice[]>([]);
  const next = useRef(1);
  const dismiss = useCallback((id: number) => setNotices((all) => all.filter((each) => each.id !== id)), []);
  const notify = useCallback((notice: Omit<Notice, "id">) => {
    const id = next.current++;
    setNotices((all) => [...(notice.action ? all.filter((each) => !each.action) : all), { ...notice, id }].slice(-3));
    if (!notice.action) setTimeout(() => dismiss(id), notice.tone === "bad" ? 15_000 : 6_000);
  }, [dismiss]);
  return { notices, notify, dismiss };
}

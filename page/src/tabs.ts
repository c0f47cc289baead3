// All tabs of a browser have one session. Signing in or out in one of them concerns the others.

import { useEffect } from "preact/hooks";

const channel = new BroadcastChannel("leadyard-session");
type News = "in" | "out";

export const announce = (news: News) => channel.postMessage(news);

/** Calls `onNews` when another tab has signed in or out. */
export function useOtherTabs(onNews: (news: News) => void): void {
  useEffect(() => {
    const heard = (event: MessageEvent<News>) => onNews(event.data);
    channel.addEventListener("message", heard);
    return () => channel.removeEventListener("message", heard);
  }, [onNews]);
}

// Keeps the place of the keyboard. When a control disappears that had the focus, the browser begins again at the top of the
// document. Here the focus goes to what is nearest to the place where the control was.

const CONTROLS = "a[href], button, input, select, textarea, [tabindex]";

const canTake = (element: HTMLElement) => element.tabIndex >= 0 && !element.matches(":disabled") && element.getClientRects().length > 0;

/** Watches the elements below `root`. Returns the function that ends it. */
export function keepFocus(root: HTMLElement): () => void {
  // The element with the focus, and all around it.
  let trail: HTMLElement[] = [];
  const gained = (event: FocusEvent) => {
    trail = [];
    for (let each = event.target as HTMLElement | null; each && each !== root; each = each.parentElement) trail.push(each);
  };
  // A click on something that takes no focus ends it. That is not a loss.
  const left = (event: FocusEvent) => {
    const was = event.target as HTMLElement;
    setTimeout(() => { if (trail[0] === was && was.isConnected && document.activeElement === document.body) trail = []; });
  };
  const changed = () => {
    if (document.activeElement !== document.body || !trail.length || trail[0]!.isConnected) return;
    const around = trail.filter((each) => each.isConnected && each.id !== "content" && !each.querySelector("#content"));
    trail = [];
    for (const each of around) {
      const near = [...each.querySelectorAll<HTMLElement>(CONTROLS)].find(canTake);
      if (near) return near.focus();
    }
    const last = root.querySelector<HTMLElement>("[role=grid]") ?? document.getElementById("content");
    last?.focus({ preventScroll: true });
  };
  const observer = new MutationObserver(changed);
  observer.observe(root, { childList: true, subtree: true });
  root.addEventListener("focusin", gained);
  root.addEventListener("focusout", left);
  return () => {
    observer.disconnect();
    root.removeEventListener("focusin", gained);
    root.removeEventListener("focusout", left);
  };
}

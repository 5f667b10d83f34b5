// Make the messages one stop of the Tab key: arrows move from message to message, Tab goes into the one with the focus.

import { useEffect } from "../../lib.js";

const FOCUSABLE = "a[href], button, summary, audio, video, input";
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/** Keep what is in messages out of the Tab key's way, except in the message that has the focus. */
export function useOneStop(root) {
  useEffect(() => {
    const box = root.current;
    let current = null;
    const close = (element) => element.querySelectorAll(FOCUSABLE).forEach((it) => it.closest(".message") !== current && it.closest(".message") && (it.tabIndex = -1));
    const enter = (message) => {
      if (message === current) return;
      const last = current;
      current = message;
      if (last) close(last);
      current?.querySelectorAll(FOCUSABLE).forEach((it) => it.removeAttribute("tabindex"));
    };
    const focused = (event) => enter(event.target.closest(".message"));
    const left = (event) => box.contains(event.relatedTarget) || enter(null);
    const watch = new MutationObserver((changes) => {
      for (const { addedNodes, target } of changes) if (addedNodes.length) close(target);
    });
    watch.observe(box, { childList: true, subtree: true });
    close(box);
    box.addEventListener("focusin", focused);
    box.addEventListener("focusout", left);
    return () => {
      watch.disconnect();
      box.removeEventListener("focusin", focused);
      box.removeEventListener("focusout", left);
    };
  }, []);
}

/** Move the focus among the messages of the log with the arrow keys; from the log itself to the last message in sight. */
export function moveThroughMessages(event, log) {
  const message = event.target.closest(".message");
  if (event.target !== log && event.target !== message) return;
  const messages = [...log.querySelectorAll(".message")];
  const to =
    event.key === "Home" ? messages[0]
    : event.key === "End" ? messages.at(-1)
    : STEPS[event.key] && (message ? messages[messages.indexOf(message) + STEPS[event.key]] : lastInSight(messages, log));
  if (!to) return;
  event.preventDefault();
  to.focus({ preventScroll: true });
  to.scrollIntoView({ block: "nearest" });
}

function lastInSight(messages, log) {
  const { bottom } = log.getBoundingClientRect();
  return messages.findLast((message) => message.getBoundingClientRect().top < bottom - 24);
}

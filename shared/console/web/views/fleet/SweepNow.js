// Run a sweep now, and show how far it is.

import { html, useEffect, useState } from "../../lib.js";
import { api, sentence } from "../../api.js";
import { t } from "../../i18n/index.js";
import { Button, toast } from "../../ui/index.js";
import { word } from "./words.js";

const LOOK_MS = 2_000;
const BEGINS_MS = 60_000; // the scheduler takes a moment

/** Tell whether a sweep runs, or was asked for and hasn't begun yet. */
export const isGoing = (progress, asked, now = Date.now()) =>
  Boolean(progress?.running || (asked && progress?.ended_at === asked.last && now - asked.at < BEGINS_MS));

/** Offer to run a sweep of this kind; `onEnd` is called when one that runs has ended. */
export function SweepNow({ kind, onEnd }) {
  const [progress, setProgress] = useState(null);
  const [asked, setAsked] = useState(null);
  const [busy, setBusy] = useState(false);
  const path = `fleet/sweeps/${kind}`;
  const running = isGoing(progress, asked);

  const look = () => api.get(`${path}/progress`).then(({ data }) => setProgress(data), () => {});
  useEffect(() => {
    look();
  }, [kind]);
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(look, LOOK_MS);
    return () => {
      clearInterval(timer);
      onEnd();
    };
  }, [running, kind]);

  const start = async () => {
    setBusy(true);
    try {
      const { data } = await api.post(`${path}/run`);
      setAsked({ at: Date.now(), last: data.ended_at });
      setProgress(data);
    } catch (failure) {
      if (failure.problem === "sweep-running") look();
      else toast(sentence(failure));
    }
    setBusy(false);
  };
  const step = progress?.running && progress.step ? word("operator.sweeps.steps", progress.step) : "";
  return html`<span class="fleet-now"><${Button} icon="play" busy=${busy || running} onClick=${start}>${t(`operator.sweeps.run.${kind}`)}<//>
    <span class="small muted" role="status">${running && [t("operator.sweeps.running"), step].filter(Boolean).join(" ")}</span></span>`;
}

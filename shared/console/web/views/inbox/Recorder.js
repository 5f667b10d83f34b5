// Record a voice message: it is sent or thrown away, and the microphone is free again.

import { html, useEffect, useRef, useState } from "../../lib.js";
import { formatLength } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Button } from "../../ui/index.js";

const LONGEST_SECONDS = 15 * 60;
const BITS_A_SECOND = 32_000;
const TYPES = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"];

/** Tell whether this browser can record. */
export const canRecord = () => Boolean(navigator.mediaDevices?.getUserMedia) && typeof MediaRecorder === "function";

/** Record while this is shown; `onDone(file)` gets the recording, `onCancel(trouble)` why there is none, or null. */
export function Recorder({ onDone, onCancel }) {
  const recorder = useRef(null);
  const ends = useRef({ send: false });
  const [seconds, setSeconds] = useState(0);
  const row = useRef(null);

  useEffect(() => {
    let timer = 0;
    let isOver = false;
    const chunks = [];
    const begin = async () => {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const release = () => stream.getTracks().forEach((track) => track.stop());
      if (isOver) return release();
      const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
      const machine = (recorder.current = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS_A_SECOND }));
      machine.ondataavailable = ({ data }) => data.size && chunks.push(data);
      machine.onstop = () => {
        release();
        const type = machine.mimeType.split(";")[0];
        if (ends.current.send && chunks.length) onDone(new File(chunks, t("inbox.kinds.voice"), { type }));
        else if (!isOver) onCancel(null);
      };
      machine.start();
      row.current?.querySelector(".primary").focus();
      const began = performance.now();
      timer = setInterval(() => {
        const passed = (performance.now() - began) / 1000;
        setSeconds(passed);
        if (passed > LONGEST_SECONDS) finish(true);
      }, 250);
    };
    begin().catch((error) => !isOver && onCancel(t(error.name === "NotAllowedError" ? "conversation.record.denied" : "conversation.record.absent")));
    return () => {
      isOver = true;
      clearInterval(timer);
      if (recorder.current?.state === "recording") recorder.current.stop();
    };
  }, []);

  const finish = (send) => {
    ends.current.send = send;
    if (recorder.current?.state === "recording") recorder.current.stop();
    else onCancel(null);
  };
  const press = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    finish(false);
  };
  return html`<div class="write recording" ref=${row} role="group" aria-label=${t("conversation.record.title")} onKeyDown=${press}>
    <${Button} kind="quiet" icon="trash" label=${t("conversation.record.drop")} onClick=${() => finish(false)} />
    <span class="dot" aria-hidden="true"></span><span role="timer" class="tabular">${formatLength(seconds)}</span><span class="muted small cut">${t("conversation.record.on")}</span>
    <${Button} kind="primary" icon="send" label=${t("conversation.record.send")} onClick=${() => finish(true)} />
  </div>`;
}

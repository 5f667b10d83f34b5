// Play a sound or a voice message, at the speed that the person chose last.

import { html, signal, useEffect, useRef, useState } from "../../lib.js";
import { t } from "../../i18n/index.js";
import { recall, remember } from "../../memory.js";
import { Icon } from "../../ui/index.js";
import { formatCount, formatLength } from "../../format.js";
import { Failure, save, useFile } from "./files.js";
import { kindWord } from "./words.js";

const SPEEDS = [1, 1.5, 2];

const speed = signal(SPEEDS.includes(recall("speed")) ? recall("speed") : 1);
/** The sound that plays: one at a time. */
const playing = signal(null);

export function Sound({ message, conversation }) {
  const { id, kind, media } = message;
  const file = useFile(message, conversation);
  const sound = useRef(null);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(media?.seconds ?? 0);
  const isPlaying = playing.value === id;
  const word = kindWord(kind);
  useEffect(() => {
    const audio = sound.current;
    if (!audio) return;
    audio.playbackRate = speed.value;
    if (isPlaying) audio.play().catch(() => (playing.value = null));
    else audio.pause();
  }, [isPlaying, file.url, speed.value]);
  useEffect(() => () => void (playing.peek() === id && (playing.value = null)), []);
  const toggle = async () => {
    if (isPlaying) return void (playing.value = null);
    const { url, shown } = (await file.open()) ?? {};
    if (url && !shown) save(url, media?.name || word);
    else if (url) playing.value = id;
  };
  const seek = (event) => {
    setAt(Number(event.currentTarget.value));
    if (sound.current) sound.current.currentTime = Number(event.currentTarget.value);
  };
  const turn = () => {
    speed.value = SPEEDS[(SPEEDS.indexOf(speed.value) + 1) % SPEEDS.length];
    remember("speed", speed.value);
  };
  const measure = ({ currentTarget: { duration } }) => Number.isFinite(duration) && setLength(duration);
  const icon = file.busy ? "loader-circle" : isPlaying ? "pause" : file.url && !file.shown ? "download" : "play";
  return html`<div class="media sound">
    <button type="button" class="play" aria-busy=${file.busy ? "true" : undefined} aria-label=${`${t(isPlaying ? "inbox.media.pause" : "inbox.media.play")} ${word}`} onClick=${toggle}><${Icon} name=${icon} spin=${file.busy} /></button>
    <input type="range" min="0" max=${Math.max(1, Math.ceil(length))} step="0.1" value=${at} disabled=${!file.shown} aria-label=${t("inbox.media.position")} aria-valuetext=${formatLength(at)} onInput=${seek} />
    <span class="tabular small">${formatLength(isPlaying || at ? at : length)}</span>
    <button type="button" class="speed" aria-label=${t("inbox.media.speed", { speed: speed.value })} onClick=${turn}>${formatCount(speed.value)}×</button>
    ${file.shown && html`<audio ref=${sound} src=${file.url} onTimeUpdate=${(event) => setAt(event.currentTarget.currentTime)} onLoadedMetadata=${measure} onDurationChange=${measure} onEnded=${() => ((playing.value = null), setAt(0))}></audio>`}
  </div><${Failure} error=${file.error} state=${message.media_state} />`;
}

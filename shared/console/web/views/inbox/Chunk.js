// Render up to fifty messages while they are near what is in sight; else only a space of their height.

import { Component, html, useEffect, useErrorBoundary, useRef } from "../../lib.js";
import { formatDay } from "../../format.js";
import { t } from "../../i18n/index.js";
import { Icon } from "../../ui/index.js";
import { Bubble } from "./Bubble.js";

const NEAR = "1500px 0px";
const TOGETHER_MS = 5 * 60_000;
const SAME = ["chunk", "before", "name", "speech", "conversation", "mute"];

/** The height, in px, of a message that was never shown. */
const GUESS = 64;

export class Chunk extends Component {
  state = { near: !this.props.chunk.isFar };
  height = this.props.chunk.messages.length * GUESS;

  componentDidMount() {
    this.watch = new IntersectionObserver((entries) => this.moved(entries.at(-1)), { root: this.props.root.current, rootMargin: NEAR });
    this.watch.observe(this.base);
  }

  componentWillUnmount() {
    this.watch.disconnect();
  }

  shouldComponentUpdate(next, { near }) {
    return near !== this.state.near || this.has(next.jumpTo) || SAME.some((name) => next[name] !== this.props[name]);
  }

  has(jumpTo) {
    return Boolean(jumpTo) && this.props.messages.where.get(jumpTo.id) === this.props.chunk.id;
  }

  moved({ isIntersecting: near, boundingClientRect: box }) {
    const busy = this.base.contains(document.activeElement) || [...this.base.querySelectorAll("video, audio")].some((medium) => !medium.paused);
    if (near === this.state.near || (!near && (busy || !box.height))) return;
    if (!near) this.height = box.height;
    this.setState({ near });
  }

  render({ chunk, before, jumpTo, acts, messages, conversation, name, mute }, { near }) {
    if (!near && !this.has(jumpTo)) return html`<div class="chunk" data-chunk=${chunk.id} style=${{ height: `${this.height}px` }}></div>`;
    return html`<div class="chunk" data-chunk=${chunk.id} style=${{ height: "" }}>
      ${chunk.messages.map((message, at) => {
        const last = chunk.messages[at - 1] ?? before;
        return html`<${ErrorBoundary} key=${`${message.id}/`} message=${message}><${Dividers} message=${message} last=${last} /><//>
          <${ErrorBoundary} key=${message.id} message=${message} instead=${Broken}>
          <${Bubble} message=${message} acts=${acts} messages=${messages} conversation=${conversation} name=${name} mute=${mute} tight=${together(message, last)} />
        <//>`;
      })}
    </div>`;
  }
}

/** Contain a message that fails to render, so that the others stay. It is rendered again once it has changed. */
function ErrorBoundary({ message, instead: Instead, children }) {
  const [broken, reset] = useErrorBoundary((error) => console.error(error));
  const lastTried = useRef(message);
  useEffect(() => {
    if (lastTried.current !== message) reset();
    lastTried.current = message;
  }, [message]);
  return broken ? Instead && html`<${Instead} message=${message} />` : children;
}

const Broken = ({ message }) => html`<article class=${`message${message.from_me ? " mine" : ""}`} data-id=${message.id} tabindex="-1">
  <div class="bubble"><p class="gone"><${Icon} name="circle-alert" />${t("inbox.broken")}</p></div></article>`;

function Dividers({ message, last }) {
  const newDay = !last || new Date(last.at).toDateString() !== new Date(message.at).toDateString();
  const begins = message.recovered && (!last?.recovered || (message.possibly_incomplete && !last.possibly_incomplete));
  const words = message.possibly_incomplete ? "recoveredInDoubt" : "recovered";
  const ends = last?.recovered && !message.recovered;
  return html`${ends && html`<p class="divider recovered-end"><span>${t("inbox.recoveredEnd")}</span></p>`}
    ${newDay && html`<p class="divider"><span>${formatDay(message.at)}</span></p>`}
    ${begins && html`<p class="divider recovered"><span title=${t(`inbox.${words}Why`)}><${Icon} name=${message.possibly_incomplete ? "circle-alert" : "rotate-ccw"} />${t(`inbox.${words}`)}</span></p>`}`;
}

const together = (message, last) =>
  Boolean(last) &&
  last.from_me === message.from_me &&
  last.author?.key === message.author?.key &&
  message.at - last.at < TOGETHER_MS &&
  last.recovered === message.recovered &&
  last.possibly_incomplete === message.possibly_incomplete &&
  new Date(last.at).toDateString() === new Date(message.at).toDateString();

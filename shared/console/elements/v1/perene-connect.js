// <perene-connect link="…">: connect one WhatsApp line, in any page, by a link from `POST /instances/{line}/link`.
// Pages pin this file's hash, so a version that was released never changes: a change goes into the next version's folder.

if (!customElements.get("perene-connect")) {
  const PATH = "../ensure-instance/link";
  const LOOK_MS = 2_000;
  const RETRY_MS = 10_000;
  const TIMEOUT_MS = 30_000;
  const UNSEEN_MS = 5_000;
  const LONGEST_CODE_MS = 90_000;
  const TOLERANCE_MS = 3_000;

  const WORDS = {
    pt: {
      title: "Conectar WhatsApp",
      line: (label) => `Linha: ${label}`,
      progress: "Andamento",
      steps: { code: "Aguardando leitura", read: "Lido", open: "Conectado" },
      done: "pronto",
      now: {
        wait: "Buscando um código",
        code: "O código está na tela",
        read: "Código lido, conectando",
        open: "Conectado",
        ended: "O código expirou",
        conflict: "O número está em uso em outra linha",
        banned: "O WhatsApp bloqueou o número",
      },
      scan: "Ler QR code",
      qr: "QR code para ler com o WhatsApp do celular",
      renews: (n) => (n === 1 ? "Este código se renova em 1 segundo" : `Este código se renova em ${n} segundos`),
      scanSteps: [
        "Abra o WhatsApp no celular.",
        "No iPhone, toque em Configurações › Aparelhos conectados. No Android, em ⋮ › Aparelhos conectados.",
        "Toque em Conectar um aparelho e aponte a câmera para o código.",
      ],
      type: "Digitar um código no celular",
      number: "Número do celular",
      numberHint: "Com DDD. De fora do Brasil, comece com o código do país.",
      numberWrong: "Confira o número: falta o DDD ou o código do país.",
      ask: "Gerar código",
      yourCode: "Código para digitar no celular",
      lasts: (n) => (n === 1 ? "Vale por mais 1 segundo" : `Vale por mais ${n} segundos`),
      typeSteps: [
        "No WhatsApp do iPhone, toque em Configurações › Aparelhos conectados. No Android, em ⋮ › Aparelhos conectados.",
        "Toque em Conectar um aparelho e depois em “Conectar com número de telefone”.",
        "Digite o código acima.",
      ],
      connected: (label) => (label ? `${label} está conectada` : "Conectado"),
      again: "Gerar novo código",
      retry: "Tentar de novo",
      ended: "Depois de alguns códigos sem leitura, o WhatsApp para de mostrá-los. Com o celular na mão, peça um novo.",
      conflict: "Este número já está ativo em outra linha. Desconecte-o lá primeiro.",
      banned: "O WhatsApp bloqueou este número. Ler o código de novo não resolve: abra o WhatsApp no celular, veja o que ele diz e peça uma revisão.",
      problems: {
        "link-used": "Este link já foi aberto: peça um novo.",
        "link-expired": "O prazo deste link acabou: peça um novo.",
        "link-unknown": "Este link não é válido: peça um novo.",
        "line-unknown": "Essa linha não existe mais.",
        "tenant-suspended": "O cliente está suspenso.",
        "tenant-cancelled": "O cliente foi cancelado.",
        "maximum-instances-reached": "Os servidores estão cheios: não cabe mais nenhuma linha agora.",
        "line-busy": "A linha está sendo alterada agora; tente em instantes.",
        network: "Não foi possível falar com o servidor. Verifique a sua conexão.",
        unexpected: "Algo falhou. Tente de novo em instantes.",
      },
    },
    en: {
      title: "Connect WhatsApp",
      line: (label) => `Line: ${label}`,
      progress: "Progress",
      steps: { code: "Waiting to be scanned", read: "Scanned", open: "Connected" },
      done: "done",
      now: {
        wait: "Fetching a code",
        code: "The code is shown",
        read: "Code scanned, connecting",
        open: "Connected",
        ended: "The code has expired",
        conflict: "The number is in use on another line",
        banned: "WhatsApp blocked the number",
      },
      scan: "Scan a QR code",
      qr: "QR code to scan with the phone's WhatsApp",
      renews: (n) => (n === 1 ? "This code is renewed in 1 second" : `This code is renewed in ${n} seconds`),
      scanSteps: [
        "Open WhatsApp on the phone.",
        "On an iPhone, tap Settings › Linked devices. On Android, ⋮ › Linked devices.",
        "Tap Link a device and point the camera at the code.",
      ],
      type: "Type a code on the phone",
      number: "The phone's number",
      numberHint: "With its area code. From outside Brazil, begin with the country code.",
      numberWrong: "Check the number: the area or country code is missing.",
      ask: "Get a code",
      yourCode: "Code to type on the phone",
      lasts: (n) => (n === 1 ? "Good for 1 more second" : `Good for ${n} more seconds`),
      typeSteps: [
        "In WhatsApp on an iPhone, tap Settings › Linked devices. On Android, ⋮ › Linked devices.",
        "Tap Link a device, and then “Link with phone number”.",
        "Type the code above.",
      ],
      connected: (label) => (label ? `${label} is connected` : "Connected"),
      again: "Get a new code",
      retry: "Try again",
      ended: "After some codes that nobody scanned, WhatsApp stops showing them. With the phone at hand, ask for a new one.",
      conflict: "This number is live on another line. Disconnect it there first.",
      banned: "WhatsApp blocked this number. Scanning again doesn't help: open WhatsApp on the phone, see what it says there and ask for a review.",
      problems: {
        "link-used": "This link was opened already: ask for a new one.",
        "link-expired": "This link's time is over: ask for a new one.",
        "link-unknown": "This link isn't valid: ask for a new one.",
        "line-unknown": "This line doesn't exist any more.",
        "tenant-suspended": "The client is suspended.",
        "tenant-cancelled": "The client is cancelled.",
        "maximum-instances-reached": "The servers are full: there is no room for another line right now.",
        "line-busy": "The line is being changed right now, try again shortly.",
        network: "The server couldn't be reached. Check your connection.",
        unexpected: "Something failed. Try again shortly.",
      },
    },
  };

  // A constructed stylesheet, which a page's policy lets pass without 'unsafe-inline'.
  const STYLE = new CSSStyleSheet();
  STYLE.replaceSync(`
    :host { display: block; max-width: 26rem; --ink: var(--perene-ink, light-dark(#15201b, #e9efec)); --muted: var(--perene-muted, light-dark(#4d5a53, #aab7b0));
      --surface: var(--perene-surface, light-dark(#ffffff, #171e1b)); --line: var(--perene-line, light-dark(#84918a, #6f7f77));
      --brand: var(--perene-brand, light-dark(#0b6b4b, #5fd6a4)); --on-brand: var(--perene-on-brand, light-dark(#ffffff, #06251a));
      --good: var(--perene-good, light-dark(#0b6b4b, #66d9a8)); --bad: var(--perene-bad, light-dark(#a82a20, #ff9d92));
      --radius: var(--perene-radius, .75rem); font: 400 .9375rem/1.5 var(--perene-font, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif); }
    :host([hidden]), [hidden] { display: none !important; }
    * { box-sizing: border-box; margin: 0; }
    .card { display: grid; gap: 1rem; padding: 1.25rem; border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); color: var(--ink);
      text-align: start; overflow-wrap: anywhere; }
    .title { font-size: 1.125rem; font-weight: 650; }
    .muted, .how, .hint, .countdown { color: var(--muted); }
    .steps { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; list-style: none; font-size: .875rem; font-weight: 550; color: var(--muted); }
    .steps li::before { content: "○ " / ""; }
    .steps [aria-current]::before { content: "◐ " / ""; }
    .steps .done { color: var(--good); }
    .steps .done::before { content: "● " / ""; }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    .failure { color: var(--bad); }
    .failure:empty { position: absolute; }
    .ways { display: grid; gap: .5rem; }
    details { border-top: 1px solid var(--line); }
    summary { min-height: 2.75rem; padding: .625rem 0; cursor: pointer; font-weight: 600; }
    .way { display: grid; gap: .75rem; padding-bottom: .75rem; }
    .qr { width: min(18rem, 100%); aspect-ratio: 1; margin-inline: auto; padding: .75rem; border-radius: var(--radius); background: #fff; color: #15201b; border: 1px solid var(--line);
      display: grid; place-items: center; }
    canvas { display: block; width: 100%; height: 100%; image-rendering: pixelated; }
    .countdown { min-height: 1.5em; text-align: center; font-size: .875rem; font-variant-numeric: tabular-nums; }
    .how { display: grid; gap: .375rem; padding-inline-start: 1.25rem; font-size: .875rem; }
    label { font-weight: 600; }
    .hint { font-size: .8125rem; }
    .hint.wrong { color: var(--bad); }
    input, button { min-height: 2.75rem; width: 100%; border: 1px solid var(--line); border-radius: calc(var(--radius) * .75); font: inherit; }
    input { padding: 0 .75rem; font-size: 1rem; background: var(--surface); color: var(--ink); }
    button { padding: 0 1rem; background: var(--brand); border-color: var(--brand); color: var(--on-brand); font-weight: 600; cursor: pointer; }
    button[aria-disabled="true"] { cursor: progress; }
    :focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; }
    .code { display: block; text-align: center; font: 650 1.75rem/1.3 ui-monospace, Menlo, Consolas, monospace; letter-spacing: .08em; user-select: all; }
    .end { padding: 1rem 0; font-size: 1.125rem; font-weight: 650; color: var(--good); text-align: center; }
    .end:focus { outline: none; }
  `);

  /** A call that failed. `isFinal`: asking again won't help; so are 4xx, but for those that say when to try again. */
  class Failure extends Error {
    constructor(problem, { title = "", status = 0, retry_after: retryAfter } = {}) {
      super(problem);
      Object.assign(this, { problem, title, status, isFinal: status >= 400 && status < 500 && !retryAfter });
    }
  }

  /** Sessions by link: an element that comes back, or another one with the same link, goes on where the first was. */
  const sessions = new Map();
  const sessionOf = (link) => sessions.get(link) ?? sessions.set(link, new LinkSession(link)).get(link);

  /** Speaks to the link's deployment. The first call opens the link, once; the answer's session opens the next. */
  class LinkSession {
    #token = null;
    #opening = null;

    constructor(link) {
      const address = URL.canParse(link, document.baseURI) ? new URL(link, document.baseURI) : null;
      this.url = /^https?:$/.test(address?.protocol) ? new URL(PATH, address) : null;
      this.link = address?.hash.slice(1) ?? "";
      this.place = `perene-connect ${this.link.slice(-24)}`;
      this.ahead = 0;
      this.#token = storage((store) => store.getItem(this.place));
    }

    /** The functions' time in epoch ms: a browser's clock may be wrong. */
    now() {
      return Date.now() + this.ahead;
    }

    async ask(more) {
      if (!this.#token && this.#opening) await this.#opening.catch(() => {});
      if (this.#token) return this.#post({ session: this.#token, ...more });
      const { look, ...body } = more;
      this.#opening = this.#post({ link: this.link, ...body }).finally(() => (this.#opening = null));
      return this.#opening;
    }

    /** Forget the session: the line is open, or the link opens nothing any more. */
    forget() {
      storage((store) => store.removeItem(this.place));
    }

    async #post(body) {
      if (!this.url || !this.link) throw new Failure("link-unknown", { status: 404 });
      let answer;
      try {
        answer = await fetch(this.url, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
          cache: "no-store",
          credentials: "omit",
          redirect: "error",
          referrerPolicy: "no-referrer",
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
      } catch {
        throw new Failure("network");
      }
      const content = await answer.json().catch(() => ({}));
      const time = Number(answer.headers.get("x-perene-time"));
      if (time && Math.abs(time - this.now()) > TOLERANCE_MS) this.ahead = time - Date.now();
      if (!answer.ok) throw new Failure(String(content.type ?? "unexpected").split(":").at(-1), { status: answer.status, ...content });
      this.#token = content.session;
      storage((store) => store.setItem(this.place, this.#token));
      return content;
    }
  }

  /** Use the tab's storage, if the browser lets us: a reloaded page goes on with its session. */
  function storage(use) {
    try {
      return use(sessionStorage);
    } catch {
      return null;
    }
  }

  /** Reasons for which a closed line shows no further code by itself. */
  const FINAL_REASONS = { qr_limit: "ended", banned: "banned" };
  const OVER = ["open", "ended", "conflict", "banned", "failed"];
  const LAST_PROBLEMS = ["link-used", "link-expired", "link-unknown", "line-unknown"];

  function stepOf(line, hadCode) {
    if (!line) return "wait";
    if (line.state === "open" || line.state === "conflict") return line.state;
    if (line.state === "closed" && FINAL_REASONS[line.reason]) return FINAL_REASONS[line.reason];
    if (line.code) return "code";
    return hadCode ? "read" : "wait";
  }

  /** Tell whether the line changes only if it is ensured again. */
  const needsEnsuring = ({ state, reason }) =>
    ["creating", "releasing", "missing"].includes(state) || (state === "closed" && !["reconnecting", "connection_lost"].includes(reason));

  /** Make a node. Texts are children or attributes, never markup. */
  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  class PereneConnect extends HTMLElement {
    static observedAttributes = ["link", "lang"];

    #parts = null;
    #session = null;
    #line = null;
    #failure = null;
    #step = "wait";
    #codeEnds = 0;
    #hadCode = false;
    #drawn = "";
    #isBusy = false;
    #isNumberWrong = false;
    #run = 0;
    #timer = 0;
    #second = 0;

    /** The link's whole address, as `POST /instances/{line}/link` answers it. Another link begins anew. */
    get link() {
      return this.getAttribute("link") ?? "";
    }

    set link(address) {
      this.setAttribute("link", address ?? "");
    }

    connectedCallback() {
      if (Object.hasOwn(this, "link")) {
        const early = this.link; // set by a framework before this script was there
        delete this.link;
        this.link = early;
      }
      this.#parts ??= this.#build();
      this.#begin();
    }

    disconnectedCallback() {
      this.#stop();
    }

    attributeChangedCallback(name, before, after) {
      if (!this.#parts || !this.isConnected || before === after) return;
      if (name === "link") this.#begin();
      else this.#render();
    }

    #begin() {
      this.#stop();
      this.#session = null;
      this.#line = this.#failure = null;
      this.#hadCode = this.#isNumberWrong = false;
      this.#codeEnds = 0;
      this.#step = "wait";
      this.#render();
      if (!this.link) return; // a page may set it later
      this.#session = sessionOf(this.link);
      this.#second = setInterval(() => this.#count(), 1_000);
      this.#ask({});
    }

    /** Stop asking. What a call under way answers, nobody hears; its session is kept. */
    #stop() {
      this.#run++;
      clearTimeout(this.#timer);
      clearInterval(this.#second);
    }

    /** Ask once: `{}` acts, `{look: true}` only looks, `{number}` asks for a code to type. Then ask again, until it is over. */
    async #ask(more) {
      const run = ++this.#run;
      clearTimeout(this.#timer);
      this.#isBusy = !more.look;
      this.#render();
      let line = null;
      let failure = null;
      try {
        line = await this.#session.ask(more);
      } catch (error) {
        failure = error instanceof Failure ? error : new Failure("unexpected");
      }
      if (run !== this.#run) return;
      this.#isBusy = false;
      if (more.number && failure?.problem === "request-invalid") this.#isNumberWrong = true;
      else if (failure) this.#fail(failure);
      else this.#show(line);
      this.#render();
      if (!OVER.includes(this.#step)) this.#timer = setTimeout(() => this.#next(), failure ? RETRY_MS : LOOK_MS);
    }

    #next() {
      if (document.visibilityState === "hidden") {
        this.#timer = setTimeout(() => this.#next(), LOOK_MS);
        return;
      }
      const isStale = this.#line?.state === "pairing" && !this.#line.code && Date.now() > this.#codeEnds + UNSEEN_MS;
      this.#ask(!this.#line || isStale || needsEnsuring(this.#line) ? {} : { look: true });
    }

    #show(line) {
      const before = this.#step;
      const isNewCode = line.code && line.code.png !== this.#line?.code?.png;
      this.#line = line;
      this.#failure = null;
      if (line.code) {
        const lasts = Math.min(Math.max(new Date(line.code.expires_at) - this.#session.now(), 0), LONGEST_CODE_MS);
        this.#codeEnds = Date.now() + lasts;
        this.#hadCode = true;
      }
      this.#step = stepOf(line, this.#hadCode);
      if (isNewCode) this.#tell("code", { expiresAt: line.code.expires_at, pairingCode: line.code.pairing_code ?? null });
      if (this.#step === before) return;
      if (this.#step === "open") {
        this.#session.forget();
        this.#tell("open", { label: line.label });
      }
      if (["conflict", "banned"].includes(this.#step)) this.#tell("error", { problem: line.reason, title: this.#words.now[this.#step], isFinal: true });
    }

    #fail(failure) {
      const isNews = failure.problem !== this.#failure?.problem;
      this.#failure = failure;
      if (failure.isFinal) this.#step = "failed";
      if (LAST_PROBLEMS.includes(failure.problem)) this.#session.forget();
      if (isNews) this.#tell("error", { problem: failure.problem, title: failure.title, isFinal: failure.isFinal });
    }

    /** Tell the page. It doesn't bubble: an `error` of ours is none of the window's. */
    #tell(name, detail) {
      this.dispatchEvent(new CustomEvent(name, { detail }));
    }

    get #words() {
      const tags = [this.closest("[lang]")?.lang, ...(navigator.languages ?? [])];
      const codes = tags.filter(Boolean).map((tag) => tag.slice(0, 2).toLowerCase());
      return WORDS[codes.find((code) => code in WORDS) ?? "pt"];
    }

    #build() {
      const parts = {
        title: make("p", { class: "title", part: "title" }),
        label: make("p", { class: "muted", part: "label" }),
        steps: make("ol", { class: "steps", part: "steps", role: "list" }),
        now: make("p", { class: "unseen", role: "status" }),
        failure: make("p", { class: "failure", part: "failure", role: "alert" }),
        again: make("button", { type: "button", part: "button" }),
        ways: make("div", { class: "ways" }),
        scan: make("details", { part: "way", name: "way" }),
        scanTitle: make("summary", { part: "way-title" }),
        canvas: make("canvas", { role: "img" }),
        waiting: make("p", { "aria-hidden": "true" }),
        renews: make("p", { class: "countdown", part: "countdown", "aria-hidden": "true" }),
        scanSteps: make("ol", { class: "how", part: "how" }),
        type: make("details", { part: "way", name: "way" }),
        typeTitle: make("summary", { part: "way-title" }),
        form: make("form", { class: "way" }),
        numberLabel: make("label", { for: "number" }),
        number: make("input", { id: "number", part: "input", type: "tel", inputmode: "tel", autocomplete: "tel", placeholder: "(11) 98888-7777", "aria-describedby": "hint" }),
        hint: make("p", { id: "hint", class: "hint" }),
        ask: make("button", { part: "button" }),
        code: make("output", { class: "code", part: "code" }),
        lasts: make("p", { class: "countdown", part: "countdown", "aria-hidden": "true" }),
        typeSteps: make("ol", { class: "how", part: "how" }),
        end: make("p", { class: "end", part: "end", tabindex: "-1" }),
        card: make("section", { class: "card", part: "card", role: "group" }),
      };
      const picture = make("div", { class: "qr", part: "qr" }, parts.canvas, parts.waiting);
      parts.scan.append(parts.scanTitle, make("div", { class: "way" }, picture, parts.renews, parts.scanSteps));
      parts.form.append(parts.numberLabel, parts.number, parts.hint, parts.ask, parts.code, parts.lasts, parts.typeSteps);
      parts.type.append(parts.typeTitle, parts.form);
      parts.ways.append(parts.scan, parts.type);
      parts.card.append(parts.title, parts.label, parts.steps, parts.now, parts.failure, parts.again, parts.ways, parts.end);
      const onPhone = matchMedia("(pointer: coarse)").matches; // it can't scan its own screen
      (onPhone ? parts.type : parts.scan).open = true;
      parts.again.addEventListener("click", () => this.#isBusy || this.#ask({}));
      parts.form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.#askToType();
      });
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [STYLE];
      root.append(parts.card);
      return parts;
    }

    #askToType() {
      if (this.#isBusy) return;
      const digits = this.#parts.number.value.replace(/\D/g, "");
      const number = digits.length === 10 || digits.length === 11 ? `55${digits}` : digits;
      this.#isNumberWrong = !/^[1-9]\d{9,14}$/.test(number);
      if (this.#isNumberWrong) this.#render();
      else this.#ask({ number });
    }

    #render() {
      const parts = this.#parts;
      const words = this.#words;
      const step = this.#step;
      const failed = this.#failure ? (words.problems[this.#failure.problem] ?? (this.#failure.title || words.problems.unexpected)) : "";
      const message = failed || { ended: words.ended, conflict: words.conflict, banned: words.banned }[step] || "";
      const label = this.#line?.label ?? "";
      parts.card.setAttribute("aria-label", words.title);
      say(parts.title, words.title);
      say(parts.label, label && step !== "open" ? words.line(label) : "");
      this.#renderSteps(words);
      say(parts.now, words.now[step] ?? "");
      say(parts.failure, message);
      say(parts.again, this.#failure ? words.retry : words.again);
      parts.again.hidden = !(step === "ended" || (this.#failure && step !== "failed"));
      parts.ways.hidden = OVER.includes(step) || (!this.#line && Boolean(this.#failure));
      say(parts.end, step === "open" ? words.connected(label) : "");
      for (const button of [parts.again, parts.ask]) button.setAttribute("aria-disabled", String(this.#isBusy));
      this.#renderWays(words);
      this.#keepFocus();
    }

    /** Whoever was in what is hidden now goes on at what is there instead. */
    #keepFocus() {
      const { activeElement } = this.shadowRoot;
      if (!activeElement || activeElement.checkVisibility()) return;
      const { end, again, scanTitle } = this.#parts;
      [end, again, scanTitle].find((node) => node.checkVisibility())?.focus();
    }

    #renderSteps(words) {
      const names = ["code", "read", "open"];
      const at = { read: 1, conflict: 1, banned: 1, open: 3 }[this.#step] ?? 0;
      this.#parts.steps.setAttribute("aria-label", words.progress);
      this.#parts.steps.hidden = this.#step === "failed";
      const items = names.map((name, index) => {
        const item = make("li", index < at ? { class: "done" } : {}, words.steps[name]);
        if (index < at) item.append(make("span", { class: "unseen" }, ` (${words.done})`));
        if (index === at) item.setAttribute("aria-current", "step");
        return item;
      });
      this.#parts.steps.replaceChildren(...items);
    }

    #renderWays(words) {
      const parts = this.#parts;
      const code = this.#line?.code;
      say(parts.scanTitle, words.scan);
      parts.canvas.setAttribute("aria-label", words.qr);
      parts.canvas.hidden = !code;
      say(parts.waiting, code ? "" : `${words.now[this.#step] ?? ""}…`);
      list(parts.scanSteps, words.scanSteps);
      say(parts.typeTitle, words.type);
      say(parts.numberLabel, words.number);
      say(parts.hint, this.#isNumberWrong ? words.numberWrong : words.numberHint, false);
      parts.hint.classList.toggle("wrong", this.#isNumberWrong);
      parts.number.setAttribute("aria-invalid", String(this.#isNumberWrong));
      say(parts.ask, words.ask);
      const typed = code?.pairing_code ?? "";
      parts.code.setAttribute("aria-label", words.yourCode);
      say(parts.code, typed && `${typed.slice(0, 4)}–${typed.slice(4)}`);
      parts.lasts.hidden = parts.typeSteps.hidden = !typed;
      list(parts.typeSteps, words.typeSteps);
      this.#count();
      if (code) this.#draw(code.png);
    }

    #count() {
      const left = Math.max(Math.ceil((this.#codeEnds - Date.now()) / 1_000), 0);
      this.#parts.renews.textContent = this.#line?.code ? this.#words.renews(left) : "";
      this.#parts.lasts.textContent = this.#words.lasts(left);
    }

    /** Draw the code. A canvas, as a page's policy may allow no pictures from data. */
    async #draw(png) {
      if (png === this.#drawn) return;
      this.#drawn = png;
      const bytes = Uint8Array.from(atob(png.slice(png.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
      const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
      if (png !== this.#drawn) return;
      const { canvas } = this.#parts;
      Object.assign(canvas, { width: picture.width, height: picture.height });
      canvas.getContext("2d").drawImage(picture, 0, 0);
    }
  }

  /** Put a text into a node, if it is another; without a text the node is hidden. */
  function say(node, text, hides = true) {
    if (node.textContent !== text) node.textContent = text;
    if (hides && node.getAttribute("role") === null) node.hidden = !text;
  }

  function list(node, texts) {
    if (node.textContent !== texts.join("")) node.replaceChildren(...texts.map((text) => make("li", {}, text)));
  }

  customElements.define("perene-connect", PereneConnect);
}

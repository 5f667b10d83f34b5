import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { auth } from "./auth";
import { Connection } from "./Connection";
import { Inbox } from "./Inbox";
import "./style.css";

const PAGES = { Conexão: Connection, Conversas: Inbox };

function App() {
  const [who, setWho] = useState<string | null>(); // undefined: not known yet
  const [page, setPage] = useState<keyof typeof PAGES>("Conexão");
  useEffect(() => auth.watch(setWho), []);

  if (who === undefined) return null;
  if (who === null) return <auth.SignIn />;
  const Page = PAGES[page];
  return (
    <>
      <header>
        <nav>
          {Object.keys(PAGES).map((name) => (
            <button key={name} aria-current={name === page} onClick={() => setPage(name as keyof typeof PAGES)}>
              {name}
            </button>
          ))}
        </nav>
        <span>{who}</span>
        <button onClick={() => auth.leave()}>Sair</button>
      </header>
      <Page />
    </>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

import type { HTMLAttributes } from "react";

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "perene-connect": HTMLAttributes<HTMLElement> & {
        link: string;
        onopen?: (event: CustomEvent<{ label: string }>) => void;
        onerror?: (event: CustomEvent<{ problem: string; title: string; isFinal: boolean }>) => void;
      };
    }
  }
}

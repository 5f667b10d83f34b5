// Name the libraries in one place; views import from here.

export { html, render } from "./vendor/htm/preact.js";
export { createContext, Component, Fragment, createRef, toChildArray } from "./vendor/preact/preact.js";
export {
  useCallback,
  useContext,
  useEffect,
  useErrorBoundary,
  useId,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "./vendor/preact/hooks.js";
export {
  batch,
  computed,
  effect,
  signal,
  untracked,
  useComputed,
  useSignal,
  useSignalEffect,
} from "./vendor/preact-signals/signals.js";
